"""Lives as the messages that a retailer's systems send: one module for each place where something is told."""
