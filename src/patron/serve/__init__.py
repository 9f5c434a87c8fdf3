"""The doors that answer: profiles, decisions, administration. One small router, no framework on the hot path."""
