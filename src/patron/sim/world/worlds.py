"""Worlds: the committed parameters, an overlay for each world, and a user's own file over both."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec import Meta, Struct

from patron.model.errors import PatronError
from patron.sim.luck import Dice
from patron.sim.world.parameters import Parameters

_JITTER = 1 << 45
"""Keeps the luck of jitter apart."""


class BadParameters(PatronError):
    """A parameter that cannot be; the message names its key and what is allowed."""


def worlds() -> tuple[str, ...]:
    """Names of the worlds, the default one first.

    >>> worlds()
    ('default', 'null', 'perverse', 'simpson', 'drift', 'messy', 'sparse')
    """
    return tuple(_toml("worlds"))


def text(world: str = "default") -> str:
    """The parameters as TOML with their meaning; of a world beside the default one only what differs. Raises BadParameters.

    >>> print(text("sparse"))
    [visits]
    alpha_mean = -5.2
    browsing = 0.002
    browsing_need = 0.004
    <BLANKLINE>
    """
    if world == "default":
        return _source("parameters")
    lines = []
    for section, values in _overlay(world).items():
        lines += [f"[{section}]", *(f"{name} = {value}" for name, value in values.items())]
    return "\n".join([*lines, ""])


def parameters(world: str = "default", file: Path | None = None) -> Parameters:
    """The parameters of a world, with a file's over them.

    Raises BadParameters for an unknown world, a file that cannot be read, an unknown key, and a value out of its range.

    >>> parameters("null").world.effect, parameters().needs.adoption
    (0.0, 0.38)
    """
    value = merged(_toml("parameters"), _overlay(world))
    return read(merged(value, _own(file)) if file else value)


def read(value: Mapping[str, Any]) -> Parameters:
    """Parameters from plain data. Raises BadParameters.

    >>> read(merged(_toml("parameters"), {"needs": {"leak": -1.0}}))
    Traceback (most recent call last):
        ...
    patron.sim.world.worlds.BadParameters: needs.leak = -1.0 is not possible: a number from 0 to 1 is allowed
    """
    try:
        found = msgspec.convert(value, Parameters)
    except msgspec.ValidationError as error:
        raise BadParameters(_told(value, str(error))) from None
    _check(found)
    return found


def jittered(given: Parameters, share: float, seed: int) -> Parameters:
    """The same world with every measure moved by up to a share of itself, kept in its range: one never tuned for.

    Counts, days, names and what makes the world (`world.*`) stay. Raises BadParameters for a share that is not in 0 .. 0.5.

    >>> moved = jittered(parameters(), 0.2, 1_001)
    >>> round(moved.needs.leak, 4), moved.returns.days
    (0.0882, (3, 20))
    """
    if not 0.0 <= share <= 0.5:
        raise BadParameters(f"jitter = {share} is not possible: a number from 0 to 0.5 is allowed")
    value = msgspec.to_builtins(given)
    moved = {
        name: section if name == "world" else _moved(section, [name], share, Dice(seed, _JITTER))
        for name, section in value.items()
    }
    return read(moved)


def _moved(value: Any, path: list[str], share: float, dice: Dice) -> Any:
    if isinstance(value, dict):
        return {name: _moved(inside, [*path, name], share, dice) for name, inside in value.items()}
    if isinstance(value, list | tuple):
        return [_moved(inside, [*path, str(k)], share, dice) for k, inside in enumerate(value)]
    if not isinstance(value, float):
        return value
    moved, range_ = value * (1.0 + share * dice.between(-1.0, 1.0, ".".join(path))), _range(path)
    return min(moved, float(range_.le)) if range_ is not None and range_.le is not None else moved


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`below` with the values of `above` over it, section by section.

    >>> merged({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}})
    {'a': {'x': 1, 'y': 3}}
    """
    result = dict(below)
    for name, value in above.items():
        old = result.get(name)
        result[name] = (
            merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
        )
    return result


def _overlay(world: str) -> dict[str, Any]:
    overlays = _toml("worlds")
    if world not in overlays:
        raise BadParameters(f"there is no world {world!r}; choose one of {', '.join(overlays)}")
    found: dict[str, Any] = overlays[world]
    return found


def _source(name: str) -> str:
    return (files("patron.sim.world") / f"{name}.toml").read_text("utf-8")


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads(_source(name))


def _own(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise BadParameters(f"{file} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadParameters(f"{file} is no TOML: {error}") from None


def _check(found: Parameters) -> None:
    """What no single range can say."""
    if sum(found.messages.classes) > 1:
        raise BadParameters(
            "messages.classes adds up to more than 1: these are shares of people, the rest is `none`"
        )
    for name, (low, high) in {
        "returns.days": found.returns.days,
        "associates.contact": found.associates.contact,
    }.items():
        if low > high:
            raise BadParameters(
                f"{name} = [{low}, {high}] is not possible: the first must not be above the second"
            )
    if found.touchpoints.benefits.keys() != found.touchpoints.benefit_costs.keys():
        raise BadParameters("touchpoints.benefits and touchpoints.benefit_costs must name the same benefits")


def _told(value: Mapping[str, Any], problem: str) -> str:
    """What msgspec found, as the key, its value, and what is allowed."""
    what, _, place = problem.partition(" - at `$")
    path = [part for part in place.rstrip("`").replace("[", ".").replace("]", "").split(".") if part]
    if "unknown field" in what:
        key = ".".join([*path, what.split("`")[1]])
        return f"there is no parameter {key}; `patron sim parameters` lists all"
    found: Any = value
    for part in path:
        inside = (
            found[int(part)]
            if isinstance(found, list)
            else found.get(part)
            if isinstance(found, Mapping)
            else None
        )
        found = inside
    if "`object`" in what:
        return f"{'.'.join(path)} = {found!r} is not possible: it is a section, such as [{path[0]}], with keys of its own"
    return f"{'.'.join(path)} = {found!r} is not possible: {_allowed(path) or what} is allowed"


def _allowed(path: list[str]) -> str:
    """The range of a parameter in words; "" when it has none of its own."""
    mark = _range(path)
    if mark is None:
        return ""
    number = "a whole number" if get_args(_kind(path))[0] is int else "a number"
    low = f"above {mark.gt}" if mark.gt is not None else f"from {mark.ge}" if mark.ge is not None else ""
    high = f" to {mark.le:,}" if mark.le is not None else " up"
    return f"{number} {low}{high}"


def _range(path: list[str]) -> Meta | None:
    return next((mark for mark in get_args(_kind(path)) if isinstance(mark, Meta)), None)


def _kind(path: list[str]) -> Any:
    """The type of a parameter, with its range."""
    kind: Any = Parameters
    for part in path:
        if isinstance(kind, type) and issubclass(kind, Struct):
            kind = get_type_hints(kind, include_extras=True).get(part)
        else:
            inside = [a for a in get_args(kind) if a is not Ellipsis]
            kind = inside[min(int(part), len(inside) - 1)] if part.isdigit() else inside[-1]
    return kind
