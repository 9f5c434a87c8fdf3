"""Reference feeds: what other systems know of goods, stores, weather and days; each value with when it holds and since when it was known."""
