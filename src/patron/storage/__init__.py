"""The storage doors: where the log, the state and the dedup memory live."""
