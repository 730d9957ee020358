"""Settling: what an attempt makes of its message."""

from dataclasses import replace
from uuid import UUID

import pytest

from core.domain.messages import RANKS, MessageRef, MessageState, Reason, ReceiptState, after_receipt
from core.domain.outcomes import Accepted, Claimed, NotSent, Outcome, Refused, Settlement, Unknown, settlement
from core.whatsapp.errors import verdict


def claimed(*, attempt: int = 1, retry_count: int = 0) -> Claimed:
    return Claimed(
        ref=MessageRef(campaign_id=UUID(int=1), message_id=UUID(int=2), attempt=attempt),
        contact_id=UUID(int=3),
        retry_count=retry_count,
        phone_number="+4917012345678",
        whatsapp_user_id=None,
        parameters=(),
    )


def decide(outcome: Outcome, *, attempt: int = 1, retry_count: int = 0, direct: bool = False) -> Settlement:
    return settlement(claimed(attempt=attempt, retry_count=retry_count), outcome, direct=direct, luck=1.0)


def refused(code: int) -> Refused:
    return Refused(verdict=verdict(code), code=code)


def test_an_accepted_message_is_accepted_or_held() -> None:
    assert decide(Accepted(whatsapp_message_id="w")).state is MessageState.ACCEPTED
    assert decide(Accepted(whatsapp_message_id="w", held=True)).state is MessageState.HELD


def test_a_lost_answer_is_never_a_retry() -> None:
    assert decide(Unknown(reason="timeout")).state is MessageState.UNCONFIRMED


def test_what_never_left_goes_back_without_charge() -> None:
    again = decide(NotSent(reason="refused", delay=5.0))
    assert (again.state, again.counts, again.delay) == (MessageState.PENDING, False, 5.0)


def test_throttling_never_exhausts_a_message() -> None:
    for attempt in (1, 50, 1000):
        assert decide(refused(130429), attempt=attempt).state is MessageState.PENDING


def test_a_throttled_pair_waits_four_times_longer_each_time() -> None:
    waits = [decide(refused(131056), attempt=attempt).delay for attempt in (1, 2, 3, 4, 5, 6)]
    assert waits == [1, 4, 16, 64, 256, 256]


def test_a_message_waits_as_long_as_whatsapp_asks_if_that_is_longer() -> None:
    asked = [replace(refused(130429), wait=wait) for wait in (0.5, 1800.0)]
    assert [decide(one, attempt=1).delay for one in asked] == [1.0, 1800.0]


def test_a_retry_that_has_used_up_its_tries_fails_with_that_reason() -> None:
    assert decide(refused(131000), retry_count=1).state is MessageState.PENDING
    last = decide(refused(131000), retry_count=2)
    assert (last.state, last.reason, last.error_code) == (MessageState.FAILED, Reason.RETRIES_EXHAUSTED, 131000)


@pytest.mark.parametrize("code", [190, 132001, 131042])
def test_the_fault_of_a_campaign_fails_no_message_but_a_single_one(code: int) -> None:
    assert decide(refused(code)).state is MessageState.PENDING
    assert decide(refused(code), direct=True).state is MessageState.FAILED


def test_a_refused_recipient_fails_with_code_and_title() -> None:
    failed = decide(refused(131009))
    assert (failed.state, failed.reason, failed.error_code) == (MessageState.FAILED, Reason.REJECTED, 131009)
    assert failed.error_title


def test_nothing_shows_the_persons_number() -> None:
    assert "4917012345678" not in repr(claimed())


@pytest.mark.parametrize("receipt", list(ReceiptState))
@pytest.mark.parametrize("state", list(MessageState))
def test_a_receipt_never_moves_a_message_back(state: MessageState, receipt: ReceiptState) -> None:
    assert RANKS[after_receipt(state, "", receipt)] >= RANKS[state]


def test_delivered_lifts_failed_and_failed_does_not_undo_delivered() -> None:
    assert after_receipt(MessageState.FAILED, "UNDELIVERED", ReceiptState.DELIVERED) is MessageState.DELIVERED
    assert after_receipt(MessageState.DELIVERED, "", ReceiptState.FAILED) is MessageState.DELIVERED


def test_any_receipt_lifts_a_failure_that_was_only_presumed() -> None:
    assert after_receipt(MessageState.FAILED, "OUTCOME_UNKNOWN", ReceiptState.SENT) is MessageState.SENT
    assert after_receipt(MessageState.FAILED, "REJECTED", ReceiptState.SENT) is MessageState.FAILED
