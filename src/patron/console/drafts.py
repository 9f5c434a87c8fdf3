"""The rule of a form: a tree of groups and rows, made from a rule, changed by buttons and fields, and made a rule again.

A group is `{"mode": "all", "of": [...]}` with mode `all`, `any`, `none` or `not_all`; a row is the rule itself as plain
data with a further `not`. A place in the tree is written `0`, `1.2`; the root is the empty text. All functions are pure:
the tree stands in the form as JSON, so a page needs no memory of it.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

Node = dict[str, Any]
MODES = {
    "all": "all of these",
    "any": "at least one of these",
    "none": "none of these",
    "not_all": "not all of these",
}
LARGEST = 200
"""Rows and groups that a form shows; longer rules are written as JSON."""
DEEPEST = 6
_NEW: Node = {"kind": "did", "event": "", "op": ">=", "value": 1, "within": {"days": 30}, "not": False}


_USUAL: dict[str, dict[str, Any]] = {
    "did": {"op": ">=", "value": 1, "measure": "count"},
    "consent": {"channel": "*", "granted": True},
}
"""What a rule means where it does not say it, so that a form that only says it aloud is no change."""


def _same(usual: Any, value: Any) -> bool:
    return type(usual) is type(value) and usual is not None and bool(usual == value)


def read(rule: Any) -> Node:
    """The tree of a rule; its root is always a group.

    >>> read({"kind": "not", "rule": {"kind": "segment", "segment": "vip"}})
    {'mode': 'all', 'of': [{'kind': 'segment', 'segment': 'vip', 'not': True}]}
    """
    found = _read(rule, negated=False)
    return found if "of" in found and "mode" in found else {"mode": "all", "of": [found]}


def _read(rule: Any, *, negated: bool) -> Node:
    if not isinstance(rule, Mapping):
        return {**_NEW}
    kind = rule.get("kind")
    if kind == "not":
        return _read(rule.get("rule"), negated=not negated)
    if kind in ("all", "any"):
        mode = {("all", False): "all", ("any", False): "any", ("all", True): "not_all", ("any", True): "none"}
        of = rule.get("of")
        inner = of if isinstance(of, list | tuple) else []
        return {"mode": mode[kind, negated], "of": [_read(one, negated=False) for one in inner]}
    return {**copy.deepcopy(dict(rule)), "not": negated}


def rule_of(node: Node) -> dict[str, Any]:
    """The rule that a tree stands for; a group of one is that one, and what is usual is not said.

    >>> rule_of(read({"kind": "segment", "segment": "vip"}))
    {'kind': 'segment', 'segment': 'vip'}
    """
    if "mode" in node:
        inner = [rule_of(one) for one in node["of"]]
        negated = node["mode"] in ("none", "not_all")
        kind = "all" if node["mode"] in ("all", "not_all") else "any"
        found = inner[0] if len(inner) == 1 else {"kind": kind, "of": inner}
    else:
        negated = bool(node.get("not"))
        usual = _USUAL.get(str(node.get("kind")), {})
        found = {
            name: value for name, value in node.items() if name != "not" and not _same(usual.get(name), value)
        }
    return {"kind": "not", "rule": found} if negated else found


def places(node: Node, at: str = "", path: str = "$.rule") -> Iterator[tuple[str, str]]:
    """(JSON path in the rule, place in the tree) of every part, a group before what is in it.

    >>> list(places(read({"kind": "all", "of": [{"kind": "not", "rule": {"kind": "did"}}, {"kind": "did"}]})))
    [('$.rule', ''), ('$.rule.of[0].rule', '0'), ('$.rule.of[1]', '1')]
    """
    negated = node["mode"] in ("none", "not_all") if "mode" in node else bool(node.get("not"))
    path += ".rule" if negated else ""
    yield path, at
    for number, one in enumerate(node.get("of", ()) if "mode" in node else ()):
        below = path if len(node["of"]) == 1 else f"{path}.of[{number}]"
        yield from places(one, f"{at}.{number}" if at else str(number), below)


def place_of(node: Node, path: str) -> tuple[str, str]:
    """The place in the tree that a JSON path points into, and the rest of the path.

    >>> tree = read({"kind": "all", "of": [{"kind": "did"}, {"kind": "did"}]})
    >>> place_of(tree, "$.rule.of[1].within.days"), place_of(tree, "$.name")
    (('1', 'within.days'), ('', '$.name'))
    """
    best: tuple[int, str, str] | None = None
    for known, at in places(node):
        if path == known or path.startswith((f"{known}.", f"{known}[")):
            found = (len(known), at, path[len(known) :].lstrip("."))
            # Of equal paths the innermost: a group of one has the path of its only row.
            best = found if best is None or found[0] >= best[0] else best
    return (best[1], best[2]) if best else ("", path)


def rows(node: Node, at: str = "") -> Iterator[tuple[str, Node]]:
    """Every row with its place, in reading order."""
    for number, one in enumerate(node["of"]):
        place = f"{at}.{number}" if at else str(number)
        if "mode" in one:
            yield from rows(one, place)
        else:
            yield place, one


def size(node: Node) -> tuple[int, int]:
    """Parts of a tree, and how deep it is.

    >>> size(read({"kind": "all", "of": [{"kind": "did"}]}))
    (2, 2)
    """
    below = [size(one) for one in node.get("of", ())] if "mode" in node else []
    return 1 + sum(parts for parts, _ in below), 1 + max((deep for _, deep in below), default=0)


def is_blank(row: Node) -> bool:
    """Whether a row was added and does not say yet what it is about.

    >>> is_blank({"kind": "did", "event": ""}), is_blank({"kind": "fact", "field": "traits."}), is_blank({"kind": "did", "event": "A"})
    (True, True, False)
    """
    about = {"did": "event", "fact": "field", "segment": "segment", "consent": "purpose", "use": "condition"}
    kind = str(row.get("kind"))
    if kind == "sequence":
        return any(not step.get("event") for step in row.get("steps", ()))
    return kind in about and str(row.get(about[kind], "")).removesuffix(".") in ("", "traits")


def filled(node: Node, place: str = "") -> tuple[Node | None, dict[str, str]]:
    """A tree without its blank rows (None when nothing is left), and where each part that is left stood before.

    >>> tree = read({"kind": "all", "of": [{"kind": "did", "event": ""}, {"kind": "did", "event": "A"}]})
    >>> filled(tree)
    ({'mode': 'all', 'of': [{'kind': 'did', 'event': 'A', 'not': False}]}, {'': '', '0': '1'})
    """
    if "mode" not in node:
        return (None, {}) if is_blank(node) else (node, {"": place})
    kept: list[Node] = []
    stood = {"": place}
    for number, one in enumerate(node["of"]):
        inner, places_inside = filled(one, f"{place}.{number}" if place else str(number))
        if inner is not None:
            new = str(len(kept))
            stood |= {f"{new}.{at_}" if at_ else new: was for at_, was in places_inside.items()}
            kept.append(inner)
    return ({**node, "of": kept}, stood) if kept else (None, {})


_KINDS = {
    "did": "event",
    "fact": "field",
    "segment": "segment",
    "sequence": "",
    "consent": "",
    "bucket": "",
    "use": "",
}


def is_sound(node: object, deep: int = 0) -> bool:
    """Whether something that a form sent is a tree that the other functions may take.

    >>> is_sound({"mode": "all", "of": [{"kind": "did", "event": "A"}]}), is_sound({"mode": "all", "of": [7]})
    (True, False)
    """
    if not isinstance(node, dict) or deep > 40:
        return False
    if "mode" in node:
        of = node.get("of")
        return node["mode"] in MODES and isinstance(of, list) and all(is_sound(one, deep + 1) for one in of)
    kind = node.get("kind")
    if kind not in _KINDS or not isinstance(node.get(_KINDS[kind] or "kind"), str):
        return False
    parts = [*_dicts(node.get("where", [])), *_dicts(node.get("steps", []))]
    parts += [one for part in parts if isinstance(part, dict) for one in _dicts(part.get("where", []))]
    windows = (node.get("within"), node.get("limit"), node.get("given"))
    return (
        all(isinstance(part, dict) and _has_texts(part, "field", "event", "op") for part in parts)
        and _has_texts(node, "property", "op", "measure", "purpose", "channel")
        and all(one is None or isinstance(one, dict) for one in windows)
        and (kind != "bucket" or {"salt", "start", "end"} <= node.keys())
    )


def _has_texts(part: Node, *names: str) -> bool:
    return all(isinstance(part.get(name, ""), str) for name in names)


def _dicts(held: object) -> list[object]:
    return list(held) if isinstance(held, list) else [held]


def at(node: Node, place: str) -> Node | None:
    """The part at a place; None when there is none."""
    for number in place.split(".") if place else ():
        inside = node.get("of") if "mode" in node else None
        if inside is None or not number.isascii() or not number.isdigit() or int(number) >= len(inside):
            return None
        node = inside[int(number)]
    return node


def act(node: Node, do: str) -> tuple[Node, str]:
    """The tree after a button, and the place that should have the focus.

    `add:PLACE` and `group:PLACE` add into a group, `except` adds an exception, `wrap:PLACE` puts a row into a group of its
    own, `remove:`, `up:` and `down:` act on a part, `where:`, `unwhere:PLACE/N`, `step:`, `unstep:PLACE/N` on a row. What
    does not fit the tree (an old page, a second click) changes nothing.

    >>> tree, focus = act(read({"kind": "segment", "segment": "vip"}), "add:")
    >>> focus, len(tree["of"]), act(tree, "remove:7")[0] == tree
    ('1', 2, True)
    """
    verb, _, where = do.partition(":")
    place, _, number = where.partition("/")
    tree = copy.deepcopy(node)
    parts, _ = size(tree)
    if verb == "except":
        return _add_exception(tree)
    part = at(tree, place)
    if part is None:
        return tree, ""
    if verb in ("add", "group") and "mode" in part and parts < LARGEST:
        new: Node = {**copy.deepcopy(_NEW)}
        if verb == "group":
            if place.count(".") + 2 >= DEEPEST:
                return tree, place
            new = {"mode": "any", "of": [new, {**copy.deepcopy(_NEW)}]}
        part["of"].append(new)
        here = f"{place}.{len(part['of']) - 1}" if place else str(len(part["of"]) - 1)
        return tree, f"{here}.0" if verb == "group" else here
    if verb == "wrap" and place and parts < LARGEST - 1 and place.count(".") + 2 < DEEPEST:
        _put(tree, place, {"mode": "any", "of": [part, {**copy.deepcopy(_NEW)}]})
        return tree, f"{place}.1"
    if verb in ("remove", "up", "down") and place:
        return _moved(tree, place, verb)
    _inside(part, verb, int(number) if number.isascii() and number.isdigit() else -1)
    return tree, place


def _add_exception(tree: Node) -> tuple[Node, str]:
    if tree["mode"] != "all":
        tree = {"mode": "all", "of": [tree]}
    tree["of"].append({"kind": "segment", "segment": "", "not": True})
    return tree, str(len(tree["of"]) - 1)


def _put(tree: Node, place: str, new: Node) -> None:
    above, _, last = place.rpartition(".")
    parent = at(tree, above)
    if parent is not None:
        parent["of"][int(last)] = new


def _moved(tree: Node, place: str, verb: str) -> tuple[Node, str]:
    above, _, last = place.rpartition(".")
    parent, index = at(tree, above), int(last)
    if parent is None:
        return tree, ""
    of = parent["of"]
    if verb == "remove":
        del of[index]
        if not of and above:
            return _moved(tree, above, "remove")
        if not of:
            of.append({**copy.deepcopy(_NEW)})
        index = min(index, len(of) - 1)
    else:
        other = index + (1 if verb == "down" else -1)
        if 0 <= other < len(of):
            of[index], of[other] = of[other], of[index]
            index = other
    return tree, f"{above}.{index}" if above else str(index)


def _inside(part: Node, verb: str, number: int) -> None:
    """Filters and steps of one row."""
    if verb == "where" and part.get("kind") == "did":
        part["where"] = [*part.get("where", ()), {"field": "", "op": "=", "value": ""}]
    elif verb == "step" and part.get("kind") == "sequence":
        part["steps"] = [*part.get("steps", ()), {"event": ""}]
    elif verb in ("unwhere", "unstep"):
        name = "where" if verb == "unwhere" else "steps"
        held = list(part.get(name, ()))
        if 0 <= number < len(held) and (name == "where" or len(held) > 2):
            del held[number]
            part[name] = held
            if not held:
                del part[name]
