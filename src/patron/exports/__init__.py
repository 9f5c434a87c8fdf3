"""Exports and reverse sync: what changed since the last run, carried to files, webhooks and tables, once and in order."""
