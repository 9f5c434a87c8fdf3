"""What a policy would have earned, told from the log of another one: with its interval, or with the reason why not."""
