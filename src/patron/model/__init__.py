"""The vocabulary every floor shares: frozen values, no behaviour that does I/O."""
