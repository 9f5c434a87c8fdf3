"""The launch path: what a policy is, how it ranks, which step it may take next, and what stops it. Pure, like the room."""
