"""The lake as a running workspace keeps it: rows from events and back, the jobs process, erasure, queries."""
