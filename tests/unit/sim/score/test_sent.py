"""What a world sent: each message once, with owner, record and wish; the truth where there is one."""

import pytest

from patron.sim.generation.folder import BadFolder
from patron.sim.score.consents import Consents, Sends
from patron.sim.score.ledger import Sums
from patron.sim.score.score import world_of
from patron.sim.score.sent import Sent
from tests.unit.sim.score.worlds import track, world

CARD = {"externalIds": [{"type": "card", "id": "29"}]}


@pytest.fixture
def made(tmp_path):
    order = {"order_id": "T-1", "revenue": 9.5, "currency": "EUR", "store_id": "S01"}
    return world(
        tmp_path / "w",
        {
            "web": [
                track("w1", anonymousId="c1"),
                track("w1", anonymousId="c1"),
                track(
                    "w2", anonymousId="c1", context={"consent": {"categoryPreferences": {"analytics": False}}}
                ),
            ],
            "pos": [
                track("p1", "Order Completed", context=CARD, **order),
                track("p2", "Order Completed", **order),
            ],
        },
        {"w1": 1, "w2": 2, "p1": 1, "p2": 3},
    )


def test_a_message_sent_twice_is_one(made):
    sent = Sent(made)
    assert sorted(sent.row) == ["p1", "p2", "w1", "w2"]
    assert sent.again == 1
    assert sent.sums == {(20_514, "pos", "S01", "EUR"): Sums(2, 1900)}


def test_a_record_that_two_people_share_is_one_of_each(made):
    sent = Sent(made)
    assert sent.records == {("anonymous_id:c1", 1): 0, ("anonymous_id:c1", 2): 1, ("card:29", 1): 2}
    assert [sent.record[sent.row[name]] for name in ("w1", "w2", "p1", "p2")] == [0, 1, 2, -1]
    assert sent.refusing == {sent.row["w2"]}


def test_truth_files_that_are_not_there_are_none(made):
    sent = Sent(made)
    assert sent.totals() is None
    assert sent.consents() is None
    assert world_of(made / "truth") == made == world_of(made)


def test_truth_files_are_read(tmp_path):
    line = {"day": 20_514, "source": "pos", "store": "S01", "currency": "EUR", "orders": 2, "gross_cents": 1900, "refund_cents": 0}  # fmt: skip
    consent = {"person": 1, "purpose": "email_marketing", "granted": False, "at": 5}
    sent = Sent(world(tmp_path / "w", {"web": []}, {}, totals=[line], consent=[consent]))
    assert sent.totals() == {(20_514, "pos", "S01", "EUR"): Sums(2, 1900)}
    assert sent.consents().granted(1, "email_marketing", 6) is False


@pytest.mark.parametrize("spoil", ["manifest.json", "events/web.ndjson", "truth/person_map.ndjson"])
def test_a_folder_that_is_no_world_says_what_to_give(made, spoil):
    (made / spoil).unlink()
    with pytest.raises(BadFolder, match="generate"):
        Sent(made)


def test_a_torn_line_names_its_file(made):
    with (made / "events" / "pos.ndjson").open("a") as lines:
        lines.write('{"type": "tr')
    with pytest.raises(BadFolder, match=r"pos\.ndjson"):
        Sent(made)


@pytest.mark.parametrize(
    ("truth", "named"),
    [
        (
            {"totals": [{"day": 1, "source": "pos", "store": "", "currency": "EUR", "orders": 2}]},
            r"totals.*gross_cents",
        ),
        ({"consent": [{"person": 1, "purpose": "x", "at": 5}]}, r"consent.*granted"),
        ({"person_map": [{"messageId": "w1"}]}, r"person_map.*person"),
        ({"person_map": [["w1", 1]]}, r"person_map.*object"),
    ],
)
def test_a_truth_line_without_a_field_names_file_and_field(tmp_path, truth, named):
    made = world(tmp_path / "w", {"web": []}, {}, **truth)
    with pytest.raises(BadFolder, match=named):
        [read() for read in (lambda: Sent(made), Sent(made).totals, Sent(made).consents)]


def said(*changes):
    return Consents(
        [{"person": 1, "purpose": "email_marketing", "granted": g, "at": at} for at, g in changes]
    )


def test_the_latest_word_before_a_moment_stands():
    known = said((300, True), (100, True), (200, False))
    asked = [known.granted(1, "email_marketing", at) for at in (99, 100, 199, 200, 299, 300)]
    assert asked == [None, True, True, False, False, True]
    assert known.granted(1, "sms_marketing", 300) is None


def test_sends_are_told_apart_by_whose_tool_sent_them():
    sends = Sends()
    for properties in ({"channel": "email", "decision_id": "d_1"}, {"channel": "email"}, {"channel": "sms"}):
        sends.take(said((0, False)), 1, 10, properties)
    sends.take(said((0, True)), 1, 10, {"channel": "email", "decision_id": "d_2"})
    assert sends == Sends(ours=2, own=2, ours_refused=1, own_refused=1, own_unasked=1)


def test_without_the_truth_only_messages_are_counted():
    sends = Sends()
    sends.take(None, 1, 10, {"channel": "email"})
    assert sends == Sends(own=1)
