"""What is planted for a visitor to find, and how it can be seen."""
