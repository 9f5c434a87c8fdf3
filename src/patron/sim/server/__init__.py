"""How the simulator talks to a running Patron: through its public doors only."""
