"""HTTP in front of a running workspace: the process that serves, its doors, its way in."""
