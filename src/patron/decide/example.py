"""The catalogue that `patron init` writes: a coffee and home shop with stores, web shop and app. Edit it freely."""

CATALOGUE_TOML = """\
# What Patron may decide for: offers, the places where they may be shown, and limits.
# "Nothing" is always a candidate and needs no entry. Every key: docs/catalogue.md
# After an edit: `patron catalogue check catalogue.toml` names every fault by its line.
#
# Of an offer
#   placements, channels   where it may be shown; leave out for everywhere
#   valid_from/_until      a date (the last day counts) or an ISO time; without a zone it is UTC
#   purpose                the consent it rests on
#   conditions             all must hold; `missing` is the way to say "never"
#   because                why this person sees it; {slots} are their own facts
#   content                anything your touchpoint shows; variants lie over it
#   value, cost, margin    worth of one acceptance, what giving it costs, share of revenue kept
#   family                 offers that say the same: a person holds one of them at a time

[[offer]]
id = "descaling-kit"
name = "Descaling kit with beans"
placements = ["till", "associate_card", "app_home"]
because = "Has ordered {totals.orders} times: time to look after the machine"
conditions = [{ field = "totals.orders", op = ">=", value = 3 }]
value = 24.9
margin = 0.45
products = ["descaling-kit"]

[offer.content]
title = "Descaling kit with beans"
say = "Has your espresso machine been descaled? The kit is €5 less today."
price = "24.90"
currency = "EUR"

[[offer.variant]]                       # the first variant that fits is shown
placements = ["app_home"]
languages = ["it"]
content = { title = "Kit decalcificante con caffè", text = "Cinque euro in meno oggi, in negozio." }

[[offer]]
id = "second-order-10"
name = "10% off the second order"
placements = ["web_home", "web_product", "app_home", "email_slot"]
because = "Has bought once, {last_seen_days} days since the last visit"
conditions = [{ field = "totals.orders", op = "=", value = 1 }]
family = "discount"
value = 30
cost = 0.2                               # 4 when it is used; one in twenty does
priority = 1.2

[offer.content]
title = "10% off your second order"
subject = "10% off, until Sunday"
text = "Until Sunday, in the shop and here."
code = "SECOND10"

[[offer.variant]]
languages = ["it"]
content = { title = "10% sul secondo ordine", subject = "10% fino a domenica", text = "Fino a domenica, in negozio e qui." }

[[offer]]
id = "burr-grinder"
name = "Burr grinder G2"
placements = ["web_home", "web_product", "associate_card", "app_home", "call_centre_screen"]
because = "Looked at {counters.Product Viewed} products and has bought coffee here before"
conditions = [
  { field = "counters.Product Viewed", op = ">=", value = 3 },
  { field = "totals.orders", op = ">=", value = 1 },
]
value = 189
margin = 0.3
products = ["grinder-g2"]

[offer.content]
title = "Burr grinder G2"
say = "The grinder you looked at stands over there. Shall we grind some?"
text = "Ground the moment you brew. On show in every store."
price = "189.00"
currency = "EUR"

[[offer]]
id = "rain-tasting"
name = "Hot drinks tasting today"
placements = ["kiosk_home", "web_home", "store_signage"]
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
value = 3
cost = 0.8
daily_budget = 400                       # spent at `cost` each; for the day of the business

[offer.content]
title = "A coffee on us, for saying hello."
text = "Tell us who you are and take a voucher to the bar."

[[offer]]
id = "come-back"
name = "Come back: free shipping"
placements = ["web_home", "app_home", "app_push", "email_slot"]
because = "Last bought from us a while ago: first seen {first_seen_days} days ago, last {last_seen_days}"
conditions = [
  { field = "totals.orders", op = ">=", value = 1 },
  { field = "last_seen_days", op = ">=", value = 30 },
]
family = "discount"
value = 35
cost = 0.25                              # 5 when it is used; one in twenty does

[offer.content]
title = "Shipping is on us this week"
subject = "Shipping is on us this week"
text = "Until Sunday, on everything."
code = "WELCOMEBACK"

[[offer]]
id = "store-pickup"
name = "Collect in the store today"
placements = ["web_product", "web_home", "till", "call_centre_screen"]
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
value = 12.5
margin = 0.5
products = ["house-blend"]

[offer.content]
title = "House blend 500 g"
subject = "Roasted on Monday"
text = "Roasted on Monday. Cocoa, hazelnut, no hurry."
say = "Our house blend was roasted on Monday."
price = "12.50"
currency = "EUR"

# Where something may be shown or sent. An ask at a placement that is not declared is refused.
#   channel     of asks that name none          slots      the longest list it shows
#   needs       what its content must have      outbound   reaches people who did not come by themselves
#   reward      what counts as success: view, click, visit, order or margin, within window_hours
#   holdout     share of people who get nothing here     fallback   shown while Patron is away

[[placement]]
id = "web_home"
name = "Home page of the web shop"
channel = "web"
slots = 3
needs = ["title"]
fallback = "house-blend"

[[placement]]
id = "web_product"
name = "Product page of the web shop"
channel = "web"
needs = ["title"]

[[placement]]
id = "app_home"
name = "Home screen of the app"
channel = "app"
slots = 3
needs = ["title"]
fallback = "house-blend"

[[placement]]
id = "app_push"
name = "Push message of the app"
channel = "push"
needs = ["title"]
families = ["discount"]                  # only offers of these
outbound = true
reward = "visit"
window_hours = 48

[[placement]]
id = "email_slot"
name = "Slot in the weekly letter"
channel = "email"
needs = ["subject", "title", "text"]
families = ["discount"]
outbound = true

[[placement]]
id = "kiosk_home"
name = "Start screen of the kiosk"
channel = "kiosk"
needs = ["title"]
reward = "visit"
window_hours = 4
fallback = "coffee-for-hello"

[[placement]]
id = "store_signage"
name = "Screen in the store window"
channel = "signage"
needs = ["title", "text"]
reward = "visit"
window_hours = 4

[[placement]]
id = "till"
name = "Till receipt"
channel = "pos"
needs = ["say"]
reward = "order"
window_hours = 720

[[placement]]
id = "associate_card"
name = "Card on the associate's tablet"
channel = "associate_tablet"
trigger = "Store Entered"                # decided as somebody walks in, so it is there before anybody asks
needs = ["say"]
reward = "order"
window_hours = 72

[[placement]]
id = "call_centre_screen"
name = "Screen of the call centre"
channel = "call_centre"
needs = ["say"]
reward = "order"

# How often somebody hears from us. `days` are calendar days where the person is, `hours` roll.

[[cap]]
id = "messages-a-week"
limit = 2
days = 7
outbound = true

[quiet]                                  # nothing is sent out, by the person's own clock
start = "21:00"
end = "08:00"

[scoring]
formula = "propensity * value * margin * weight * priority - cost - unsubscribe * unsubscribe_cost"
unsubscribe_cost = 8

[[scoring.weight]]                       # a factor while all its conditions on the ask hold
factor = 1.5
offers = ["rain-tasting"]
conditions = [{ field = "context.weather", op = "=", value = "rain" }]
"""
