"""Reading policies that people wrote, as TOML or JSON: every fault with its path and what to write instead."""

import json
import re
import tomllib
from collections.abc import Collection
from typing import Any

import msgspec

from patron.decide.formula import formula_problem
from patron.model.errors import BadRequest, Fault
from patron.model.policies import Policy

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
RESERVED = frozenset({"learned", "uniform", "greedy", "evaluate", "new"})
"""Ids that mean something else already."""
MOST = 100
"""Policies of one text, and placements of one policy."""
_NAME = 200
_ALPHA = (0.001, 0.5)
_EXPLORE = (0.1, 10.0)
_MINIMUM = 1_000_000


def read(text: str) -> list[Policy]:
    r"""The policies of a text: `[[policy]]` tables of TOML, or JSON: one policy, or a list of them.

    Raises
    ------
    BadRequest : it cannot be read, with every fault; placements are looked for when it is saved.

    >>> read('[[policy]]\nid = "bold"\nname = "Bold"\nplacements = ["web_home"]\nexplore = 3')[0].explore
    3.0
    """
    rows = _rows(text)
    if not 1 <= len(rows) <= MOST:
        raise BadRequest(
            "bad_policy",
            f"Write 1 to {MOST} policies, each below a line `[[policy]]`; there are {len(rows)}.",
        )
    return [policy_of(row) for row in rows]


def policy_of(value: Any) -> Policy:
    """A policy from plain data. Raises BadRequest naming the key that is wrong."""
    try:
        policy = msgspec.convert(value, Policy)
    except msgspec.ValidationError as error:
        raise BadRequest("bad_policy", f"The policy is not as documented: {error}.") from error
    return checked(policy)


def checked(policy: Policy) -> Policy:
    """The policy, when it can be read by itself. Raises BadRequest with every fault."""
    found = faults(policy)
    if found:
        raise BadRequest("bad_policy", found[0].problem, tuple(found))
    return policy


def faults(policy: Policy, placements: Collection[str] | None = None) -> list[Fault]:
    """All that is wrong with a policy; `placements` are those that there are (None: not looked at).

    >>> [one.path for one in faults(Policy("Bold!", "", ()))]
    ['$.id', '$.name', '$.placements']
    """
    found = [*_names(policy), *_numbers(policy)]
    unknown = [name for name in policy.placements if placements is not None and name not in placements]
    if unknown:
        known = ", ".join(sorted(placements or ())[:12]) or "none yet; declare one in the catalogue"
        found.append(Fault("$.placements", f"There is no placement `{unknown[0][:64]}`. There are: {known}."))
    return found


def _names(policy: Policy) -> list[Fault]:
    found = []
    if not _ID.fullmatch(policy.id):
        found.append(
            Fault("$.id", "`id` is 1 to 40 of a to z, 0 to 9, `-` and `_`, and no `-` or `_` first.")
        )
    elif policy.id in RESERVED:
        found.append(Fault("$.id", f"`{policy.id}` means something else already; choose another id."))
    if not 1 <= len(policy.name.strip()) <= _NAME:
        found.append(Fault("$.name", f"Give it a name of at most {_NAME} characters."))
    if not 1 <= len(policy.placements) <= MOST or len(set(policy.placements)) != len(policy.placements):
        found.append(Fault("$.placements", f"Name 1 to {MOST} placements where it is to decide, each once."))
    problem = formula_problem(policy.formula) if policy.formula else None
    if problem:
        found.append(Fault("$.formula", f"The formula: {problem}."))
    if policy.formula and policy.kind == "uniform":
        found.append(Fault("$.formula", "A uniform policy draws all alike: leave the formula out."))
    return found


def _numbers(policy: Policy) -> list[Fault]:
    found = []
    if not _EXPLORE[0] <= policy.explore <= _EXPLORE[1]:
        found.append(
            Fault("$.explore", "`explore` is 0.1 to 10 times as often as usual; for never, use kind greedy.")
        )
    if policy.explore != 1.0 and policy.kind != "learned":
        found.append(
            Fault("$.explore", f"Only kind learned tries others; a {policy.kind} policy has no `explore`.")
        )
    if not _ALPHA[0] <= policy.alpha <= _ALPHA[1]:
        found.append(Fault("$.alpha", "`alpha` is the chance of a false alarm, 0.001 to 0.5, such as 0.05."))
    if not 0 <= policy.minimum <= _MINIMUM:
        found.append(Fault("$.minimum", f"`minimum` is 0 to {_MINIMUM:,} decisions."))
    metrics = [guard.metric for guard in policy.guards]
    if not metrics or len(set(metrics)) != len(metrics):
        found.append(
            Fault(
                "$.guards", "Guard at least one metric, each once: reward, unsubscribed, nothing, unscored."
            )
        )
    if not all(0 <= guard.tolerated <= 1 for guard in policy.guards):
        found.append(
            Fault("$.guards", "`tolerated` is 0 to 1: 0.1 is 10 % of the reward, or 10 points of a share.")
        )
    return found


def _rows(text: str) -> list[Any]:
    try:
        if text.lstrip().startswith(("{", "[{", "[ {", "[\n")):
            told = json.loads(text)
        else:
            told = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest("bad_policy", f"This is neither TOML nor JSON: {error}.") from error
    if isinstance(told, dict) and "id" in told:
        return [told]
    rows = told.get("policy", []) if isinstance(told, dict) else told
    return rows if isinstance(rows, list) else [rows]
