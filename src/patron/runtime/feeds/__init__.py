"""Reference feeds of a running workspace: loaded, held, and shown."""
