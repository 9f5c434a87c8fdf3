"""Erasing people from every store, and giving one person everything that is held."""
