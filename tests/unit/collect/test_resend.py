"""A message sent once more means what it meant when it first came."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from patron.collect.limits import Limits
from patron.collect.origin import Origin, ReadRules
from patron.collect.resend import resend, stated_channel
from patron.collect.segment_api import read_batch
from patron.model.clock import DAY
from patron.model.errors import BadRequest

CAME = 1_772_445_600_000
times = st.none() | st.integers(CAME - 3 * DAY, CAME + DAY // 2)


def event(body: bytes, route: str, received: int, kind: str = "live"):
    batch = read_batch(body, route, Origin("shop", "web", kind), received, 1, Limits(), ReadRules())
    return batch.events[0] if batch.events else None


@given(times, times, times, times, st.integers(0, 60 * DAY), st.sampled_from(["live", "import"]))
def test_time_and_its_doubt_are_those_of_the_first_arrival(timestamp, original, sent, batch_sent, wait, kind):
    message = {
        "type": "page",
        "userId": "u",
        "messageId": "m",
        "timestamp": timestamp,
        "originalTimestamp": original,
        "sentAt": sent,
    }
    body = json.dumps({"batch": [message], "sentAt": batch_sent}).encode()
    first = event(body, "batch", CAME, kind)
    assume(first is not None)  # a time far in the future is refused at its first arrival already
    again = resend(body, "batch", 0, received=CAME, skew_max=0 if kind == "import" else ReadRules().skew_max)
    second = event(again, "batch", CAME + wait, kind)
    assert second.time == first.time
    assert second.skew_unknown == first.skew_unknown
    if first.original is not None:
        assert second.original == first.original


def test_a_single_call_keeps_its_type_and_a_batch_its_surroundings():
    single = event(
        resend(b'{"userId":"u","groupId":"g"}', "group", 0, received=CAME, skew_max=DAY), "batch", CAME
    )
    assert (single.type, single.group_id) == ("group", "g")
    body = b'{"batch":[null,{"type":"page","userId":"u"}],"context":{"channel":"app"},"writeKey":"wk","sentAt":null}'
    again = resend(body, "batch", 1, received=CAME, skew_max=DAY)
    assert b"wk" not in again
    assert event(again, "batch", CAME).channel == "app"


def test_the_mended_text_is_one_value():
    body = b'{"batch":[{"type":"page","userId":"u"}]}'
    for text in (b"", b"{", b"{}{}", b"{},{}", b"{}]", b'"'):
        with pytest.raises(BadRequest):
            resend(body, "batch", 0, received=CAME, skew_max=DAY, edited=text)
    mended = resend(body, "batch", 0, received=CAME, skew_max=DAY, edited=b' {"type":"page","userId":"v"}\n')
    assert event(mended, "batch", CAME).user_id == "v"


@pytest.mark.parametrize(
    "context", [b'"text"', b"null", b"[]", b'{"channel":null}', b'{"channel":{"a":1}}', b'{"channel":7}']
)
def test_any_context_names_a_channel_or_none(context):
    body = b'{"batch":[{"context":' + context + b'}],"context":{"channel":"tills"}}'
    assert isinstance(stated_channel(body, "batch", 0), str)
