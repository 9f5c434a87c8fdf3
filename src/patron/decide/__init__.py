"""What to do for one person at one touchpoint: who may get what, which one is drawn, and why."""
