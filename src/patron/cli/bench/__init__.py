"""`patron bench`: the online path of this machine, through HTTP, against floors and goals."""
