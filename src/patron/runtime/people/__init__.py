"""The people of a running workspace as they are read, joined and parted."""
