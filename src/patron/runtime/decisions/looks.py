"""What the learned policy looks at, and how much it takes to change its mind about it."""

import numpy as np

from patron.decide.fit import SIZE
from patron.decide.learn.features import Field, Schema
from patron.decide.learn.joint import Joint
from patron.model.events import CHANNELS

WEATHER = ("clear", "clouds", "rain", "snow", "storm", "fog")
SCHEMA = Schema(
    [
        Field("orders", "number", scale=2.0),
        Field("revenue", "number", scale=4.0),
        Field("last seen", "number", scale=3.0),
        Field("first seen", "number", scale=4.0),
        Field("categories bought", "number", scale=2.0),
        Field("due", "number", scale=0.3),
        Field("due in all", "number", scale=1.0),
        Field("cart", "number", scale=2.0),
        Field("sent lately", "number", scale=2.0),
        Field("clicked lately", "number", scale=2.0),
        Field("response", "number", scale=0.5),
        Field("hour", "cyclic", period=24),
        Field("weekday", "cyclic", period=7),
        Field("channel", "category", values=tuple(CHANNELS)),
        Field("weather", "category", values=WEATHER),
        Field("placement", "hashed"),
        Field("store", "hashed"),
        Field("city", "hashed"),
        Field("bought", "hashed"),
    ],
    version="6",
)
"""What is looked at beside the fit. Another schema, other `MOVES` or other kinds (`decide.kinds`) are another
model and need another version: what was learned with this one no longer counts."""
VERSION = int(SCHEMA.version)
"""Stands in what was learned and in what records say was looked at; from 2 on, for what is older begins with 0 or 1."""
MOVES = ("orders", "last seen", "first seen", "sent lately", "clicked lately", "response", "channel")
"""With what the effect of showing anything at all may differ."""
JOINT = Joint(SCHEMA.size, SCHEMA.constant, [place for name in MOVES for place in SCHEMA.places(name)], SIZE)
PRECISION = JOINT.precision(moves=30 * SCHEMA.constant**2, fits=30.0)
"""Of the joint regression: choices that what is believed from the start is worth."""
OWN = np.full(SCHEMA.size, 300.0)
"""Of an action's own regression: how many choices its start is worth, in each direction, and (constant) on the whole."""
OWN[0] = 170 * SCHEMA.constant**2
LEAVING = np.full(SCHEMA.size, 2000.0)
"""Of the regressions of withdrawn consents: these are so few that who leaves is told apart only by very many of them. Held
loosely, what a person risks was noise of .15 EUR a message where messages differ by .3 (docs/decisions/0021)."""
LEAVING[0] = 30 * SCHEMA.constant**2
