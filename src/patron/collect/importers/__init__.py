"""Files that people hand over, read record by record."""
