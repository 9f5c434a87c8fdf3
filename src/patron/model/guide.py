"""What a workspace shows beside its data: stories that were planted in it, and questions to practise on.

Texts name people by slots such as `{anna}`: the name itself is asked for when a page is drawn, so that a role which may
not see names does not see them here, and nobody's name outlives their erasure.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

FORMAT = 1
STORIES, PRACTICE, ANSWERS = "stories.json", "practice.json", "answers.ndjson"
"""Names of the files in a data directory."""
LONGEST = 200
"""Characters of one answer."""
_SLOT = re.compile(r"\{([a-z0-9_]+)\}")


class Look(Struct, frozen=True):
    """A place of the console to look at: the page of the person in a slot, or any path."""

    label: str
    person: str = ""
    """Name of the slot; empty = `path` stands alone."""
    path: str = ""
    """What follows the person's address (`#why`), or the whole path."""


class Check(Struct, frozen=True):
    """A command that shows it where the console has no page."""

    label: str
    command: str


class Story(Struct, frozen=True, kw_only=True):
    """One planted story: what to look for, where, and the answer."""

    id: str
    icon: str
    title: str
    question: str
    looks: tuple[Look, ...] = ()
    checks: tuple[Check, ...] = ()
    answer: str
    figures: tuple[tuple[str, str], ...] = ()
    """What was counted in this very world: (what, how much)."""
    people: dict[str, str] = {}
    """Slot -> id of the person; an identifier `type:value` until the workspace has told the id."""


class Stories(Struct, frozen=True, kw_only=True):
    """The stories of one workspace."""

    format: int = FORMAT
    stories: tuple[Story, ...]


class Question(Struct, frozen=True, kw_only=True):
    """One question about a world. `truth`, `seen` and `points` are empty until the practice has ended."""

    id: str
    icon: str
    title: str
    ask: str
    kind: str
    """`one` or `some` of the choices, a `number`, or `text`."""
    choices: tuple[tuple[str, str], ...] = ()
    """(value, words)."""
    unit: str = ""
    where: str
    """Where one could look; it gives nothing away."""
    looks: tuple[Look, ...] = ()
    files: bool = False
    """Whether it needs the files beside the console."""
    people: dict[str, str] = {}
    truth: str = ""
    seen: str = ""
    points: float | None = None
    """0 to 1."""


class Practice(Struct, frozen=True, kw_only=True):
    """A practice: a world, its questions, and whether it has ended."""

    format: int = FORMAT
    lead: str
    files: str = ""
    """Where the files of the other systems lie, for people."""
    questions: tuple[Question, ...]
    until: int = 0
    """When it ends by itself, UTC ms; 0 = never."""
    ended: bool = False


class Answer(Struct, frozen=True, kw_only=True):
    """What somebody answered. Answers are appended; the last one to a question counts."""

    question: str
    values: tuple[str, ...]
    """Empty = taken back."""
    by: str = ""
    at: int = 0
    """UTC ms."""


def filled(text: str, names: Mapping[str, str]) -> str:
    """A text with its slots filled; a slot that nobody stands in reads `somebody`.

    >>> filled("Who is {anna}, and {other}?", {"anna": "Anna Bianchi"})
    'Who is Anna Bianchi, and somebody?'
    """
    told = _SLOT.sub(lambda found: names.get(found[1]) or "somebody", text)
    return told[:1].upper() + told[1:] if text.startswith("{") else told


def parsed(question: Question, texts: Iterable[str]) -> tuple[str, ...]:
    """What was typed or ticked, as values of the question: each once, in the order of its choices.

    >>> ask = Question(id="q", icon="", title="", ask="", kind="some", choices=(("S1", "One"), ("S2", "Two")), where="")
    >>> parsed(ask, ["s2, S1", ""])
    ('S1', 'S2')

    Raises ValueError, with a sentence for people, for what cannot be an answer.
    """
    if question.kind == "text":
        one = " ".join(" ".join(texts).split())[:LONGEST]
        return (one,) if one else ()
    words = [word.strip() for text in texts for word in text.split(",") if word.strip()]
    if question.kind == "number":
        return _number(words)
    known = {value.casefold(): value for value, _ in question.choices}
    for word in words:
        if word.casefold() not in known:
            listed = ", ".join(value for value, _ in question.choices[:12])
            more = " and others" if len(question.choices) > 12 else ""
            raise ValueError(f"{word[:60]!r} is none of the choices: {listed}{more}.")
    chosen = {known[word.casefold()] for word in words}
    if question.kind == "one" and len(chosen) > 1:
        raise ValueError("Give one answer.")
    return tuple(value for value, _ in question.choices if value in chosen)


def _number(words: Sequence[str]) -> tuple[str, ...]:
    if not words:
        return ()
    text = words[0].rstrip("%").strip()
    if len(words) > 1 or not re.fullmatch(r"-?\d{1,12}(\.\d{1,6})?", text):
        raise ValueError(f"{', '.join(words)[:60]!r} is no number. Write it as 42 or 42.5.")
    return (text,)


def line(answer: Answer) -> bytes:
    """An answer as one line of the file."""
    return msgspec.json.encode(answer) + b"\n"


def answers(content: bytes) -> dict[str, Answer]:
    """The last answer to each question; a line that a crash cut short, and what was taken back, is left out.

    >>> written = line(Answer(question="a", values=("1",))) + line(Answer(question="a", values=("2",))) + b'{"que'
    >>> answers(written)["a"].values
    ('2',)
    """
    found: dict[str, Answer] = {}
    for one in content.split(b"\n"):
        try:
            answer = msgspec.json.decode(one, type=Answer)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        found.pop(answer.question, None)
        if answer.values:
            found[answer.question] = answer
    return found


__all__ = [
    "ANSWERS",
    "FORMAT",
    "PRACTICE",
    "STORIES",
    "Answer",
    "Check",
    "Look",
    "Practice",
    "Question",
    "Stories",
    "Story",
    "answers",
    "filled",
    "line",
    "parsed",
]
