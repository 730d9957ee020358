"""The truth about what was accepted."""

from simulator.ledger import Ledger, Message
from simulator.seed import build, demo_seed

NUMBER = next(iter(build(demo_seed()).numbers.values()))


def _message(ledger: Ledger, to: str) -> Message:
    return Message(
        index=ledger.accepted,
        wamid=f"wamid.{ledger.accepted}",
        number=NUMBER,
        to=to,
        person=to,
        wa_id=to,
        user_id="",
        kind="text",
        category="service",
        callback_data="",
        accept_time=0.0,
    )


def _filled(people: list[str], *, keep: int = 1000) -> Ledger:
    ledger = Ledger()
    for person in people:
        ledger.add(_message(ledger, person), keep=keep)
    return ledger


def test_a_recipient_is_counted_as_doubled_once_however_often_it_was_accepted() -> None:
    ledger = _filled(["1", "2", "1", "1", "3"])
    assert (ledger.accepted, len(ledger.recipients), ledger.doubled) == (5, 3, 1)
    assert ledger.doubles() == ["1"]


def test_the_list_can_be_read_on_from_any_place() -> None:
    ledger = _filled(["1", "2", "3"])
    assert [row.to for row in ledger.since(1)] == ["2", "3"]


def test_beyond_the_bound_the_oldest_rows_go_and_the_counts_stay() -> None:
    ledger = _filled([str(n) for n in range(10_100)], keep=100)
    assert ledger.accepted == 10_100
    assert ledger.forgotten == 10_000
    assert len(ledger.recipients) == 10_100
    assert [row.index for row in ledger.since(0)] == list(range(10_000, 10_100))


def test_statuses_are_kept_in_the_order_they_were_announced() -> None:
    ledger = _filled(["1"])
    (message,) = ledger.since(0)
    ledger.note(message, "sent", 1.0)
    ledger.note(message, "read", 2.0)
    assert message.statuses() == [{"status": "sent", "time": 1.0}, {"status": "read", "time": 2.0}]
    assert ledger.counters["status.read"] == 1
