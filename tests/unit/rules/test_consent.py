"""What stands, and for whom a rule of a purpose is lawful."""

import pytest

from patron.rules.consent import lawful, standing

YES, NO = (True, 100), (False, 100)
LATER_YES, LATER_NO = (True, 200), (False, 200)


@pytest.mark.parametrize(
    ("everywhere", "here", "stands"),
    [
        (None, None, None),
        (YES, None, True),
        (None, NO, False),
        (YES, LATER_NO, False),
        (LATER_YES, NO, True),
        (NO, LATER_YES, True),
        (YES, NO, False),
        (NO, YES, False),
    ],
)
def test_the_later_word_stands_and_at_one_instant_the_no(everywhere, here, stands):
    said = {
        ("ads", "*"): everywhere,
        ("ads", "sms"): here,
        ("ads", "email"): LATER_YES,
        ("other", "*"): LATER_NO,
    }
    assert standing({key: word for key, word in said.items() if word}, "ads", "sms") is stands


@pytest.mark.parametrize(
    ("word", "opted_in", "other"), [(None, False, True), (YES, True, True), (NO, False, False)]
)
def test_opt_in_purposes_need_a_yes_and_others_the_lack_of_a_no(word, opted_in, other):
    consents = {("ads", "*"): word} if word else {}
    assert lawful("ads", consents, ["ads"]) is opted_in
    assert lawful("ads", consents, []) is other


def test_a_word_on_one_channel_is_not_one_on_all():
    assert lawful("ads", {("ads", "email"): NO}, [])
    assert not lawful("ads", {("ads", "email"): YES}, ["ads"])
