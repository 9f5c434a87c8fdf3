"""Points for answers: all for the truth, a part for a part of it, none for nothing."""

import re
from collections.abc import Mapping, Sequence

from msgspec import structs

from patron.model.guide import Answer, Practice, Question
from patron.sim.practice.questions import Key


def points(question: Question, key: Key, values: Sequence[str]) -> float:
    """0 to 1.

    Of several right answers, what was named rightly counts against everything that was named or is true (Jaccard); a number
    has full points within the tolerance and falls to none at four times as much.

    >>> key = Key(question="q", values=("S1", "S2"), truth="", seen="")
    >>> ask = Question(id="q", icon="", title="", ask="", kind="some", where="")
    >>> points(ask, key, ("S2", "S3")), points(ask, key, ())
    (0.3333333333333333, 0.0)
    """
    if not values:
        return 0.0
    if question.kind == "number":
        return _near(float(values[0]), float(key.values[0]), key.tolerance)
    if question.kind == "text":
        return float(plain(values[0]) in {plain(value) for value in key.values})
    given, true = set(values), set(key.values)
    return len(given & true) / len(given | true)


def _near(given: float, true: float, tolerance: float) -> float:
    off = abs(given - true)
    if off <= tolerance:
        return 1.0
    return max(0.0, (4 * tolerance - off) / (3 * tolerance)) if tolerance else 0.0


def plain(text: str) -> str:
    """An identifier without what people write around it: its type, blanks, and signs in numbers.

    >>> plain("Card 2900 0000 4417"), plain("phone:+39 340-118"), plain(" A.B@x.example ")
    ('290000004417', '+39340118', 'a.b@x.example')
    """
    text = re.sub(r"^(card|e-?mail|phone|user|crm|user_id|crm_id)[ :]+", "", text.strip().casefold())
    return text if "@" in text else re.sub(r"[\s().-]", "", text)


def graded(practice: Practice, keys: Sequence[Key], answers: Mapping[str, Answer]) -> Practice:
    """The practice as it ended: each question with its truth and points."""
    known = {key.question: key for key in keys}
    questions = []
    for question in practice.questions:
        key, given = known[question.id], answers.get(question.id)
        worth = points(question, key, given.values if given else ())
        questions.append(structs.replace(question, truth=key.truth, seen=key.seen, points=round(worth, 3)))
    return structs.replace(practice, questions=tuple(questions), ended=True)
