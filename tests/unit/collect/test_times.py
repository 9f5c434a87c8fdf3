"""WIRE.md rule 6 as a table: what clients write as a time, and what their clocks are corrected to."""

import pytest

from patron.collect.limits import Limits
from patron.collect.segment_api import Origin, ReadRules
from patron.collect.times import to_ms
from patron.model.clock import DAY, HOUR
from tests.unit.collect.intake import NOW, one, read, refused

T = "2026-03-02T17:04:11.120Z"
T_MS = 1_772_471_051_120
IMPORT = Origin("crm", "crm", kind="import")


@pytest.mark.parametrize(
    ("written", "ms"),
    [
        (T, T_MS),
        ("2026-03-02T17:04:11.120+00:00", T_MS),
        ("2026-03-02T18:04:11.120+01:00", T_MS),
        ("2026-03-02T18:04:11,120+0100", T_MS),
        ("2026-03-02T18:04:11.12+01", T_MS),
        ("2026-03-02T11:34:11.120-05:30", T_MS),
        ("2026-03-02T17:04:11.1209999Z", T_MS),
        ("2026-03-02T17:04:11.120999999Z", T_MS),
        ("2026-03-02 17:04:11.120Z", T_MS),
        ("2026-03-02t17:04:11.120z", T_MS),
        ("  2026-03-02T17:04:11.120Z ", T_MS),
        ("20260302T170411.120Z", T_MS),
        ("2026-03-02T17:04:11.120", T_MS),
        ("2026-03-02T17:04:11Z", T_MS - 120),
        ("2026-03-02T17:04Z", T_MS - 11_120),
        ("2026-03-02", 1_772_409_600_000),
        ("20260302", 1_772_409_600_000),
        ("2016-12-31T23:59:60Z", 1_483_228_799_000),
        (1_772_471_051, T_MS - 120),
        (1_772_471_051.12, T_MS),
        (T_MS, T_MS),
        (float(T_MS), T_MS),
        ("1772471051", T_MS - 120),
        ("1772471051120", T_MS),
        (0, 0),
        (None, None),
        ("", None),
    ],
)
def test_every_way_to_write_a_time(written, ms):
    assert to_ms(written) == ms


@pytest.mark.parametrize(
    "written",
    ["yesterday", "Mon Mar 02 2026 17:04:11 GMT+0000", "2026-13-01T00:00:00Z", "2026-02-30", "2026-03-02T25:00:00Z",
     "٢٠٢٦-03-02T17:04:11Z", "17:04:11", "2026-03-02T17:04:11.120Zjunk", True, [], {}, 1e300],
)  # fmt: skip
def test_what_is_no_time_is_a_dead_letter(written):
    reject = refused({"type": "track", "event": "E", "messageId": "m", "userId": "u", "timestamp": written})
    assert (reject.code, reject.path) == ("bad_time", "$.timestamp")


@pytest.mark.parametrize(
    ("message", "batch_sent", "shift", "unknown"),
    [
        ({}, None, 0, False),
        ({}, NOW - 5_000, 5_000, False),  # the client's clock is 5 s behind
        ({}, NOW + 7_000, -7_000, False),
        ({"sentAt": NOW - 60_000}, NOW - 5_000, 60_000, False),  # the message's own sentAt wins
        ({"sentAt": None}, NOW - 5_000, 5_000, False),
        ({"sentAt": ""}, NOW - 5_000, 5_000, False),
        ({"sentAt": "soon"}, NOW - 5_000, 0, True),
        ({"sentAt": True}, NOW - 5_000, 0, True),
        ({"sentAt": {}}, NOW - 5_000, 0, True),
        ({}, "soon", 0, True),
        ({}, {"at": 1}, 0, True),
        ({}, NOW - DAY, DAY, False),  # exactly the limit still counts as skew
        ({}, NOW - DAY - 1, 0, True),
        ({}, NOW + DAY, -DAY, False),
        ({}, NOW + DAY + 1, 0, True),
        ({"sentAt": "1999-01-01T00:00:00Z"}, None, 0, True),
    ],
)
def test_live_clocks_are_corrected(message, batch_sent, shift, unknown):
    written = NOW - 3 * DAY
    body = {
        "batch": [
            {"type": "track", "event": "E", "messageId": "m", "userId": "u", "timestamp": written, **message}
        ]
    }
    if batch_sent is not None:
        body["sentAt"] = batch_sent
    (event,) = read(body).events
    assert (event.time, event.skew_unknown, event.original) == (written + shift, unknown, written)


def test_the_largest_skew_is_a_setting():
    event = one({"timestamp": NOW - DAY, "sentAt": NOW - 2 * HOUR}, rules=ReadRules(skew_max=HOUR))
    assert (event.time, event.skew_unknown) == (NOW - DAY, True)


@pytest.mark.parametrize(
    ("given", "time", "original"),
    [
        ({"timestamp": T}, T_MS, T_MS),
        ({"originalTimestamp": T}, T_MS, T_MS),
        ({"timestamp": T, "originalTimestamp": "2026-03-01T00:00:00Z"}, T_MS, 1_772_323_200_000),
        ({"timestamp": T, "originalTimestamp": "garbage"}, T_MS, T_MS),
        ({"timestamp": None, "originalTimestamp": T}, T_MS, T_MS),
        ({}, NOW, None),
        ({"timestamp": None}, NOW, None),
    ],
)
def test_the_base_and_the_original(given, time, original):
    event = one(given)
    assert (event.time, event.original, event.received) == (time, original, NOW)


def test_an_unreadable_original_without_timestamp_is_a_dead_letter():
    reject = refused({"type": "page", "userId": "u", "messageId": "m", "originalTimestamp": "garbage"})
    assert (reject.code, reject.path) == ("bad_time", "$.originalTimestamp")


@pytest.mark.parametrize(
    ("written", "outcome"),
    [
        (NOW, NOW),
        (NOW + 1, NOW),
        (NOW + DAY, NOW),
        (NOW + DAY + 1, "time_out_of_range"),
        (Limits().earliest, Limits().earliest),
        (Limits().earliest - 1, "time_out_of_range"),
        ("9999-12-31T23:59:59Z", "time_out_of_range"),
        ("0001-01-01T00:00:00+14:00", "time_out_of_range"),
        (-5, "time_out_of_range"),
    ],
)
def test_the_range_of_event_times(written, outcome):
    batch = read([{"type": "track", "event": "E", "messageId": "m", "userId": "u", "timestamp": written}])
    assert [e.time for e in batch.events] + [r.code for r in batch.rejects] == [outcome]


def test_the_range_holds_after_the_correction():
    late = {"type": "track", "event": "E", "userId": "u", "messageId": "m", "timestamp": NOW + 20 * HOUR}
    assert refused({**late, "sentAt": NOW - 10 * HOUR}).code == "time_out_of_range"
    assert one({"timestamp": NOW + 30 * HOUR, "sentAt": NOW + 20 * HOUR}).time == NOW


def test_imports_are_not_corrected_and_say_when_they_received():
    event = one({"timestamp": T, "sentAt": NOW - 5_000, "receivedAt": T_MS + 1_000}, origin=IMPORT)
    assert (event.time, event.received, event.skew_unknown) == (T_MS, T_MS + 1_000, False)
    event = one({"timestamp": T, "receivedAt": NOW + DAY}, origin=IMPORT)
    assert event.received == NOW, "never later than the real receipt"
    event = one({"timestamp": T_MS + 5, "receivedAt": T_MS}, origin=IMPORT)
    assert event.time == T_MS, "clamped to the receipt that is believed"
    assert one({"timestamp": T, "receivedAt": T_MS + 1}).received == NOW, "live sources are not believed"


def test_an_unreadable_receipt_time_of_an_import_is_a_dead_letter():
    reject = refused(
        {"type": "page", "userId": "u", "messageId": "m", "receivedAt": "next day"}, origin=IMPORT
    )
    assert (reject.code, reject.path) == ("bad_time", "$.receivedAt")
