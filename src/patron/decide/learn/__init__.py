"""What decisions learn from: online ridge regressions, the choice with exact propensities, features, drift."""
