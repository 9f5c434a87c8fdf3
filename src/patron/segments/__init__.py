"""Segments and computed traits as they stand now: a tally per node, a standing per person, both moved by each event."""
