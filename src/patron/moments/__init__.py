"""Mergeable sufficient statistics: what measurement works on instead of rows."""
