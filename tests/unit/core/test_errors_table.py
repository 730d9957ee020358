"""The error table of the Cloud API: what each code means is data, and these are its promises."""

from itertools import pairwise

import pytest

from core.domain.outcomes import Effect, ErrorClass, Scope
from core.whatsapp.errors import RANGES, TABLE, verdict, verdict_without_code

RETRIED = ErrorClass.RETRY_LATER
FAILED = ErrorClass.PERMANENT_RECIPIENT


@pytest.mark.parametrize(
    ("code", "error_class", "scope"),
    [
        (0, ErrorClass.AUTH, Scope.CREDENTIAL),
        (190, ErrorClass.AUTH, Scope.CREDENTIAL),
        (200, ErrorClass.AUTH, Scope.CREDENTIAL),
        (299, ErrorClass.AUTH, Scope.CREDENTIAL),
        (1, RETRIED, Scope.NONE),
        (2, RETRIED, Scope.NONE),
        (4, ErrorClass.THROTTLE, Scope.APP),
        (80007, ErrorClass.THROTTLE, Scope.ACCOUNT),
        (130429, ErrorClass.THROTTLE, Scope.SENDER),
        (131056, ErrorClass.THROTTLE_PAIR, Scope.PAIR),
        (131048, ErrorClass.ACCOUNT, Scope.SENDER),
        (131031, ErrorClass.ACCOUNT, Scope.ACCOUNT),
        (131042, ErrorClass.ACCOUNT, Scope.ACCOUNT),
        (135000, ErrorClass.PERMANENT_TEMPLATE, Scope.TEMPLATE),
        (132001, ErrorClass.PERMANENT_TEMPLATE, Scope.TEMPLATE),
        (132015, ErrorClass.PERMANENT_TEMPLATE, Scope.TEMPLATE),
        (131026, FAILED, Scope.CONTACT),
        (131050, FAILED, Scope.CONTACT),
        (131009, FAILED, Scope.MESSAGE),
        (131999, FAILED, Scope.MESSAGE),
        (2388001, ErrorClass.IGNORED, Scope.NONE),
    ],
)
def test_a_code_has_its_class_and_its_culprit(code: int, error_class: ErrorClass, scope: Scope) -> None:
    assert (verdict(code).error_class, verdict(code).scope) == (error_class, scope)


def test_a_code_nobody_has_seen_fails_its_message_and_counts_for_the_breaker() -> None:
    unknown = verdict(132999)
    assert (unknown.error_class, unknown.systematic) == (FAILED, True)


@pytest.mark.parametrize("code", [131000, 135000])
def test_some_codes_mean_something_else_in_a_receipt(code: int) -> None:
    assert verdict(code) != verdict(code, in_receipt=True)
    assert verdict(131026) == verdict(131026, in_receipt=True)


@pytest.mark.parametrize("code", sorted(TABLE))
def test_what_is_tried_again_says_when_and_how_often(code: int) -> None:
    row = verdict(code)
    if row.error_class in {ErrorClass.THROTTLE, ErrorClass.THROTTLE_PAIR}:
        assert row.delays
        assert not row.counts
    elif row.error_class is RETRIED:
        assert row.delays
        assert row.max_tries >= 2
        assert row.counts
    else:
        assert not row.delays
    assert row.words.endswith(".")


@pytest.mark.parametrize("code", sorted(TABLE))
def test_what_is_nobodys_fault_in_particular_pauses_more_than_a_message(code: int) -> None:
    row = verdict(code)
    pausing = row.error_class in {ErrorClass.AUTH, ErrorClass.ACCOUNT, ErrorClass.PERMANENT_TEMPLATE}
    assert (row.effect is Effect.PAUSE) == pausing


def test_ranges_do_not_overlap() -> None:
    ordered = sorted((first, last) for first, last, _ in RANGES)
    assert all(first <= last for first, last in ordered)
    assert all(before[1] < after[0] for before, after in pairwise(ordered))


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (429, ErrorClass.THROTTLE),
        (500, ErrorClass.UNKNOWN),
        (504, ErrorClass.UNKNOWN),
        (200, ErrorClass.UNKNOWN),
        (404, RETRIED),
    ],
)
def test_an_answer_without_a_code_is_read_by_its_http_status(status: int, error_class: ErrorClass) -> None:
    assert verdict_without_code(status).error_class is error_class
