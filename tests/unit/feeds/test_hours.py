"""Opening hours: what is read, what is refused, and the edges of being open."""

import pytest

from patron.feeds.hours import is_open, week


@pytest.mark.parametrize(
    ("text", "weekday", "minute", "expected"),
    [
        ("Mo-Fr 09:00-20:00", 0, 540, True),
        ("Mo-Fr 09:00-20:00", 0, 539, False),
        ("Mo-Fr 09:00-20:00", 4, 1199, True),
        ("Mo-Fr 09:00-20:00", 4, 1200, False),
        ("Mo-Fr 09:00-20:00", 5, 600, False),
        ("09:00-12:00,14:00-18:00", 6, 800, False),
        ("09:00-12:00,14:00-18:00", 6, 840, True),
        ("Mo-Su 09:00-20:00; Su off", 6, 600, False),
        ("Sa-Mo 10:00-12:00", 6, 600, True),
        ("Sa-Mo 10:00-12:00", 1, 600, False),
        ("Fr 18:00-02:00", 5, 119, True),
        ("Fr 18:00-02:00", 5, 120, False),
        ("Su 18:00-02:00", 0, 60, True),
        ("24/7", 3, 0, True),
        ("Mo,We 09:00-10:00", 2, 560, True),
        ("Mo,We 09:00-10:00", 1, 560, False),
    ],
)
def test_open_or_not(text: str, weekday: int, minute: int, expected: bool) -> None:
    assert is_open(text, weekday, minute) is expected


@pytest.mark.parametrize(
    "text", ["Mon 09:00-10:00", "9-20", "Mo 25:00-26:00", "Mo 09:60-10:00", "always", "Mo 09:00"]
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="`"):
        week(text)
