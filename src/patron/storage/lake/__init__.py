"""The event lake: Delta tables that any engine reads, written by the jobs process alone."""
