"""Where receipts leave a message: any order, any repetition, any grouping ends in the same place."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.messages import MessageRef, MessageState, ReceiptState
from core.domain.receipts import PARKED_FOR, Receipt, Standing, apply, collapse, pause_before_try

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
REF = MessageRef(campaign_id=UUID(int=1), message_id=UUID(int=2), attempt=1)
BASES = [
    ("SENDING", ""),
    ("UNCONFIRMED", ""),
    ("PENDING", ""),
    ("ACCEPTED", ""),
    ("HELD", ""),
    ("FAILED", "OUTCOME_UNKNOWN"),
    ("FAILED", "REJECTED"),
]
ORDER = ["SENT", "FAILED", "DELIVERED", "READ"]


@st.composite
def receipts(draw: st.DrawFn) -> Receipt:
    state = draw(st.sampled_from(list(ReceiptState)))
    code = draw(st.sampled_from([131026, 131049, 131050])) if state is ReceiptState.FAILED else 0
    return Receipt(
        whatsapp_message_id="wamid.1",
        state=state,
        receipt_time=NOON + timedelta(seconds=draw(st.integers(0, 20))),
        error_code=code,
        error_title=f"title {code}" if code else "",
    )


def standing(state: str = "ACCEPTED", reason: str = "") -> Standing:
    accepted = NOON if state in {"ACCEPTED", "HELD"} else None
    return Standing(
        campaign_id=REF.campaign_id,
        message_id=REF.message_id,
        sender_id=UUID(int=3),
        contact_id=UUID(int=4),
        attempt=1,
        state=MessageState(state),
        reason=reason,
        accept_time=accepted,
        fail_time=NOON if state == "FAILED" else None,
    )


def applied(base: Standing, groups: list[list[Receipt]]) -> Standing:
    for group in groups:
        for told in collapse((REF, receipt) for receipt in group):
            base = apply(base, told)
    return base


@given(base=st.sampled_from(BASES), told=st.lists(receipts(), min_size=1, max_size=6), data=st.data())
def test_any_order_repetition_and_grouping_ends_the_same(
    base: tuple[str, str], told: list[Receipt], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told), max_size=3))))
    cut = data.draw(st.integers(0, len(shuffled)))
    one_by_one = applied(standing(*base), [[receipt] for receipt in told])
    assert applied(standing(*base), [told]) == one_by_one
    assert applied(standing(*base), [list(shuffled[:cut]), list(shuffled[cut:])]) == one_by_one


@given(base=st.sampled_from(BASES), told=st.lists(receipts(), min_size=1, max_size=6))
def test_the_highest_word_stands_and_only_a_failure_carries_a_code(base: tuple[str, str], told: list[Receipt]) -> None:
    final = applied(standing(*base), [told])
    heard = max(told, key=lambda receipt: ORDER.index(receipt.state)).state
    if base != ("FAILED", "REJECTED"):
        assert final.state.value == heard.value
        assert (final.error_code != 0) == (heard is ReceiptState.FAILED)
    assert (final.reason == "") == (final.state is not MessageState.FAILED)


@given(told=st.lists(receipts(), min_size=1, max_size=6))
def test_each_time_is_the_earliest_told(told: list[Receipt]) -> None:
    final = applied(standing("SENDING"), [told])
    for state, time in (
        ("SENT", final.send_time),
        ("DELIVERED", final.deliver_time),
        ("READ", final.read_time),
        ("FAILED", final.fail_time),
    ):
        assert time == min((receipt.receipt_time for receipt in told if receipt.state == state), default=None)
    assert final.accept_time == min(receipt.receipt_time for receipt in told)


def test_a_guess_that_proves_wrong_leaves_no_time_of_failure() -> None:
    sent = Receipt(whatsapp_message_id="wamid.1", state=ReceiptState.SENT, receipt_time=NOON)
    assert applied(standing("FAILED", "OUTCOME_UNKNOWN"), [[sent]]).fail_time is None


def test_what_is_applied_twice_changes_nothing() -> None:
    sent = Receipt(whatsapp_message_id="wamid.1", state=ReceiptState.SENT, receipt_time=NOON)
    once = applied(standing(), [[sent]])
    assert applied(once, [[sent]]) == once


@pytest.mark.parametrize(("tries", "seconds"), [(0, 1), (1, 2), (5, 32), (6, 60), (1000, 60)])
def test_a_parked_receipt_waits_longer_each_time_up_to_a_minute(tries: int, seconds: int) -> None:
    assert pause_before_try(tries) == timedelta(seconds=seconds)
    assert timedelta(seconds=seconds) < PARKED_FOR
