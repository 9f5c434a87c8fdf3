"""Where in a TOML text each path stands, so that a fault can be shown beside its line.

TOML readers give values without places. This scanner knows just enough of the grammar (toml.io/en/v1.0.0) to follow
headings, keys and what spans several lines; it is asked only about texts that were read.
"""

import re

_KEY = re.compile(
    r"""\s*((?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*'))*)\s*="""
)
_HEAD = re.compile(r"\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_AT = re.compile(r"\(at line (\d+)")
_TOKEN = re.compile(r'"""|\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}]')


def line_of(text: str, path: str, problem: str = "") -> int:
    r"""The line (from 1) of a fault's path, or of the nearest thing around it; 0 when nothing says.

    >>> line_of('[[offer]]\nid = "tea"\n\n[[offer.variant]]\nlanguages = ["x!"]\n', "offer[0].variant[0].languages[0]")
    5
    >>> line_of("a = ", "", "Invalid value (at line 1, column 5)")
    1
    """
    if not path:
        found = _AT.search(problem)
        return int(found[1]) if found else text.count("\n") + 1 if "end of document" in problem else 0
    places = lines(text)
    while path:
        if path in places:
            return places[path]
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return 0


def lines(text: str) -> dict[str, int]:
    r"""Every heading and key of a text with its line, from 1; items of lists of tables are numbered from 0.

    >>> lines('[[offer]]\nid = "a"\n[offer.content]\ntitle = "A"\n[[offer]]\nid = "b"\n')["offer[1].id"]
    6
    """
    places: dict[str, int] = {}
    counts: dict[str, int] = {}
    here, waiting, depth = "", "", 0
    for number, line in enumerate(text.split("\n"), 1):
        if waiting or depth:
            waiting, depth = _after(line, waiting, depth)
            continue
        if head := _HEAD.match(line):
            here = _heading(head[2], counts, numbered=head[1] == "[[")
            places.setdefault(here, number)
        elif key := _KEY.match(line):
            path = ".".join(_names(key[1]))
            places.setdefault(f"{here}.{path}" if here else path, number)
            waiting, depth = _after(line[key.end() :], "", 0)
    return places


def _heading(name: str, counts: dict[str, int], *, numbered: bool) -> str:
    """The path of a heading: every part of it that is a list of tables means the last of them."""
    path = ""
    names = _names(name)
    for at, part in enumerate(names):
        path = f"{path}.{part}" if path else part
        if numbered and at == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = f"{path}[{counts[path]}]"
    return path


def _names(dotted: str) -> list[str]:
    return [one.strip().strip("\"'") for one in re.findall(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""", dotted)]


def _after(line: str, waiting: str, depth: int) -> tuple[str, int]:
    """What is still open at the end of a line: the quotes of a long text, and how many brackets."""
    at = 0
    while at < len(line):
        if waiting:
            end = line.find(waiting, at)
            if end < 0:
                return waiting, depth
            waiting, at = "", end + 3
            continue
        token = _TOKEN.search(line, at)
        if token is None:
            break
        found, at = token[0], token.end()
        if found in ('"""', "'''"):
            waiting = found
        elif found in "[{":
            depth += 1
        elif found in "]}":
            depth -= 1
        elif found.startswith("#"):
            break
    return waiting, max(depth, 0)
