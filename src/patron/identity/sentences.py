"""What identity decided, in sentences for people who know nothing of graphs."""

from datetime import UTC, datetime

from patron.identity.evidence import Edge
from patron.identity.plan import Plan
from patron.model.people import Key

NAMES = {
    "user_id": ("user id", "user ids"),
    "email": ("e-mail", "e-mails"),
    "phone": ("phone number", "phone numbers"),
    "card": ("card", "cards"),
    "crm_id": ("CRM record", "CRM records"),
    "anonymous_id": ("cookie", "cookies"),
    "device_id": ("device", "devices"),
    "push_token": ("push address", "push addresses"),
    "ga_client_id": ("analytics cookie", "analytics cookies"),
    "order_id": ("order", "orders"),
    "visit_id": ("visit", "visits"),
    "total": ("identifier", "identifiers"),
}


def named(kind: str, count: int) -> str:
    """A count with the name of a type.

    >>> named("email", 2), named("wearable", 1)
    ('2 e-mails', '1 wearable')
    """
    one, many = NAMES.get(kind, (kind.replace("_", " "), f"{kind.replace('_', ' ')}s"))
    return f"{count} {one if count == 1 else many}"


def day(time: int) -> str:
    """A UTC day as people write it.

    >>> day(1709510400000)
    '4 Mar 2024'
    """
    try:
        date = datetime.fromtimestamp(time / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return "an unknown day"
    return f"{date.day} {date:%b %Y}"


def met_sentence(a: Key, b: Key, edge: Edge) -> str:
    """How two identifiers came to be linked: `Seen together when logging in on web, 4 Mar 2024`."""
    source = edge.uid.partition("/")[0] or "an unknown source"
    return f"{_how(a, b, edge)} on {source}, {day(edge.time)}"


def _how(a: Key, b: Key, edge: Edge) -> str:
    kinds = {a.partition(":")[0], b.partition(":")[0]}
    if edge.by_hand and edge.strength == 0:
        return "Joined by hand"
    if edge.is_alias:
        return "Two names of one account"
    if "order_id" in kinds:
        return "In one order or receipt"
    if "visit_id" in kinds:
        return "In one visit"
    if edge.strength == 1:
        return "Told to staff"
    if edge.strength == 2:
        return "Typed on a device"
    if "card" in kinds:
        return "Card read"
    return "Seen together when logging in" if "user_id" in kinds else "Seen together"


def limit_sentence(rule: str, plan: Plan) -> str:
    """Why two groups stay two people.

    >>> from patron.identity.rules import IdentityRules
    >>> limit_sentence("limit:user_id", IdentityRules().plan)
    'Together they would hold more than 1 user id'
    """
    rules, (verb, _, kind) = plan.rules, rule.partition(":")
    if verb == "limit":
        most = rules.total_limit if kind == "total" else plan.limits.get(kind, 0)
        return f"Together they would hold more than {named(kind, most)}"
    if verb == "window":
        most, span = plan.windows.get(kind, (0, 0))
        return (
            f"Together they would have linked more than {named(kind, most)} within {span // 86_400_000} days"
        )
    return {
        "names": "Their given names differ",
        "births": "Their birth dates differ",
        "crowded": f"More than {rules.crowded} identifiers hang together here, and each follows its strongest link only",
        "neighbours": f"One of the two has more than {rules.neighbours} links, and only the strongest are kept",
    }.get(verb, "A rule keeps them apart")


def shared_sentence(key: Key, rule: str, count: int) -> str:
    """Why an identifier links nobody.

    >>> shared_sentence("anonymous_id:c1", "user_ids", 3)
    'The cookie c1 was seen with 3 user ids, so it links nobody'
    """
    kind, _, value = key.partition(":")
    what = f"The {NAMES.get(kind, (kind, ''))[0]} {value}"
    seen = {
        "user_ids": f"with {named('user_id', count)}",
        "emails": f"with {named('email', count)}",
        "records": f"on {count} records",
        "devices": f"on {count} devices",
        "names": "with different given names",
        "births": "with different birth dates",
    }[rule]
    return f"{what} was seen {seen}, so it links nobody"
