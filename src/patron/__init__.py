"""Patron: open-source omnichannel personalization. One customer, every channel, measured honestly."""

__version__ = "0.1.0"
