"""Doors through which events arrive: the tracking API and the reader of its bodies."""
