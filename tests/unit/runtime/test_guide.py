"""Stories, questions and answers in a data directory: whole files, torn lines, two processes, the end."""

import multiprocessing
from pathlib import Path

import pytest

from patron.model.errors import Conflict
from patron.model.guide import ANSWERS, PRACTICE, STORIES, Answer, Practice, Question, Stories, Story, parsed
from patron.runtime import guide

ASK = Question(id="q", icon="", title="", ask="", kind="text", where="")


def told(folder: Path, *, ended: bool = False) -> None:
    """Put a practice of one question there."""
    guide.write(folder, Practice(lead="", questions=(ASK,), ended=ended))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert guide.stories(tmp_path) is None
    assert guide.practice(tmp_path) is None
    assert guide.answered(tmp_path) == {}
    stories = Stories(stories=(Story(id="s", icon="", title="", question="", answer=""),))
    guide.write(tmp_path, stories)
    told(tmp_path)
    assert guide.stories(tmp_path) == stories
    assert guide.practice(tmp_path) == Practice(lead="", questions=(ASK,))
    assert {oct((tmp_path / name).stat().st_mode & 0o777) for name in (STORIES, PRACTICE)} == {"0o600"}


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"stories": 7}', b'{"format": 99, "stories": []}', b"\xff\xfe"]
)
def test_a_file_of_somebody_else_shows_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / STORIES).write_bytes(content)
    assert guide.stories(tmp_path) is None


def test_the_last_answer_counts_and_a_torn_line_costs_only_itself(tmp_path: Path) -> None:
    told(tmp_path)
    for value in ("one", "two"):
        guide.answer(tmp_path, Answer(question="q", values=(value,)))
    file = tmp_path / ANSWERS
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    file.write_bytes(file.read_bytes()[:-9])  # killed in mid-write
    assert guide.answered(tmp_path)["q"].values == ("one",)
    guide.answer(tmp_path, Answer(question="q", values=("three",), by="giulia", at=7))
    assert guide.answered(tmp_path) == {"q": Answer(question="q", values=("three",), by="giulia", at=7)}
    guide.answer(tmp_path, Answer(question="q", values=()))
    assert guide.answered(tmp_path) == {}


def _many(folder: Path, name: str) -> None:
    for n in range(50):
        guide.answer(folder, Answer(question=f"{name}{n}", values=("x" * 150,)))


def test_two_processes_lose_nothing(tmp_path: Path) -> None:
    told(tmp_path)
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=_many, args=(tmp_path, name)) for name in "ab"]
    for one in both:
        one.start()
    for one in both:
        one.join(30)
    assert len(guide.answered(tmp_path)) == 100


@pytest.mark.parametrize("there", [True, False])
def test_no_answer_counts_after_the_end_or_without_questions(tmp_path: Path, there: bool) -> None:
    if there:
        told(tmp_path, ended=True)
    with pytest.raises(Conflict, match="over"):
        guide.answer(tmp_path, Answer(question="q", values=("late",)))
    assert not (tmp_path / ANSWERS).exists()


def test_one_of_several_is_one() -> None:
    one = Question(id="q", icon="", title="", ask="", kind="one", choices=(("a", "A"), ("b", "B")), where="")
    assert parsed(one, ["B"]) == ("b",)
    assert parsed(one, [""]) == ()
    with pytest.raises(ValueError, match="Give one"):
        parsed(one, ["a,b"])
    assert parsed(ASK, ["  two   words, " + "x" * 500])[0].startswith("two words, xxx")
    assert len(parsed(ASK, ["x" * 500])[0]) == 200
