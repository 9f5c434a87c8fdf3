"""The catalogue that `patron init` writes: a coffee and home shop with stores, web shop and app. Edit it freely."""

CATALOGUE_TOML = """\
# Offers that Patron may decide for. "Nothing" is always a candidate and needs no entry.
# After an edit: `patron doctor` names every fault by its place.
#
# placements, channels   where it may be shown; leave out for everywhere
# valid_from/_until      a date (the last day counts) or an ISO time; without a zone it is UTC
# purpose                the consent it rests on
# conditions             all must hold; `missing` is the way to say "never"
# because                why this person sees it; {slots} are their own facts
# content                anything your touchpoint shows

[[offer]]
id = "descaling-kit"
name = "Descaling kit with beans"
placements = ["till", "associate_card", "app_home"]
because = "Has ordered {totals.orders} times: time to look after the machine"
conditions = [{ field = "totals.orders", op = ">=", value = 3 }]

[offer.content]
title = "Descaling kit with beans"
say = "Has your espresso machine been descaled? The kit is €5 less today."
price = "24.90"
currency = "EUR"

[[offer]]
id = "second-order-10"
name = "10% off the second order"
placements = ["web_home", "web_product", "app_home"]
because = "Has bought once, {last_seen_days} days since the last visit"
conditions = [{ field = "totals.orders", op = "=", value = 1 }]

[offer.content]
title = "10% off your second order"
text = "Until Sunday, in the shop and here."
code = "SECOND10"

[[offer]]
id = "burr-grinder"
name = "Burr grinder G2"
placements = ["web_home", "web_product", "associate_card", "app_home"]
because = "Looked at {counters.Product Viewed} products and has bought coffee here before"
conditions = [
  { field = "counters.Product Viewed", op = ">=", value = 3 },
  { field = "totals.orders", op = ">=", value = 1 },
]

[offer.content]
title = "Burr grinder G2"
text = "Ground the moment you brew. On show in every store."
price = "189.00"
currency = "EUR"

[[offer]]
id = "rain-tasting"
name = "Hot drinks tasting today"
placements = ["kiosk_home", "web_home"]
purpose = "service"
because = "It is {context.weather} outside"
conditions = [{ field = "context.weather", op = "in", value = ["rain", "snow"] }]

[offer.content]
title = "Rain till four. Five coffees to taste."
text = "At the bar on the first floor, free until 13:00."

[[offer]]
id = "coffee-for-hello"
name = "A coffee for saying hello"
placements = ["kiosk_home"]
purpose = "service"
because = "Anyone at a kiosk may have it"

[offer.content]
title = "A coffee on us, for saying hello."
text = "Tell us who you are and take a voucher to the bar."

[[offer]]
id = "come-back"
name = "Come back: free shipping"
placements = ["web_home", "app_home"]
because = "Last bought from us a while ago: first seen {first_seen_days} days ago, last {last_seen_days}"
conditions = [
  { field = "totals.orders", op = ">=", value = 1 },
  { field = "last_seen_days", op = ">=", value = 30 },
]

[offer.content]
title = "Shipping is on us this week"
code = "WELCOMEBACK"

[[offer]]
id = "store-pickup"
name = "Collect in the store today"
placements = ["web_product", "web_home", "till"]
because = "Buys in the store as well as on the web"
conditions = [
  { field = "channels.web", op = "exists" },
  { field = "channels.pos", op = "exists" },
]

[offer.content]
title = "In stock near you: collect it in an hour"
say = "Next time, order on the web and collect it here in an hour."

[[offer]]
id = "house-blend"
name = "House blend 500 g"
because = ""
purpose = "service"

[offer.content]
title = "House blend 500 g"
text = "Roasted on Monday. Cocoa, hazelnut, no hurry."
price = "12.50"
currency = "EUR"
"""
