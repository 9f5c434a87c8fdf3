"""Public test doubles and conformance suites for plug-in authors."""

from patron.testing.tables import MemoryTable

__all__ = ["MemoryTable"]
