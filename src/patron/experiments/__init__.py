"""Randomised comparison: who is held out, what the difference is, and when one may say so."""
