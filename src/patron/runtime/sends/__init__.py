"""Sends: the best offer for each of many people, over channels and hours, and what it changed."""
