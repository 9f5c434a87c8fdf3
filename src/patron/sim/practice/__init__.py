"""A practice world: the generator's data for training, questions about it, and the truth at the end."""
