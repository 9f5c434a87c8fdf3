"""The command line: thin commands over the same HTTP operations that other systems use."""
