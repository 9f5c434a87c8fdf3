"""The retailer's world as equations: everybody's life at once, a day at a time (SIMULATOR.md 7.3 and 7.4).

Nothing is written here: a `Plan` says who did what; `patron.sim.telling.scenes` tells it in messages, `ledger` counts it.
"""
