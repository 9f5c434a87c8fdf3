"""Reading a catalogue's parts from TOML: one module per part, every fault with its path and what to write instead."""
