"""Fates by recipient."""

import pytest
from pydantic import TypeAdapter

from simulator.http import RESET
from simulator.outcomes import Outcome, Outcomes
from simulator.shapes import checked


def _outcome(value: dict[str, object]) -> Outcome:
    return checked(TypeAdapter(Outcome), value)


def test_a_fate_set_by_hand_goes_before_the_suffix() -> None:
    outcomes = Outcomes()
    outcomes.by_recipient["15550109126"] = Outcome(statuses=("sent",))
    chosen = outcomes.of("15550109126", suffixes=True)
    assert chosen is not None
    assert chosen.fail == 0


def test_the_suffix_table_can_be_switched_off() -> None:
    assert Outcomes().of("15550109126", suffixes=True) is not None
    assert Outcomes().of("15550109126", suffixes=False) is None


def test_a_refusal_with_a_number_of_times_ends() -> None:
    outcomes = Outcomes()
    fate = Outcome(refuse=131056, times=3)
    assert [outcomes.refuses(fate, "1", "2") for _ in range(5)] == [True, True, True, False, False]


def test_a_refusal_is_counted_for_each_person() -> None:
    outcomes = Outcomes()
    fate = Outcome(refuse=130429, times=1)
    assert [outcomes.refuses(fate, "1", person) for person in ("a", "b", "a")] == [True, True, False]


def test_json_becomes_an_outcome() -> None:
    assert _outcome({"accepted": False, "ending": "reset"}) == Outcome(accepted=False, ending=RESET)
    assert _outcome({"statuses": ["sent", "failed"], "fail": 131026}).statuses == ("sent", "failed")


@pytest.mark.parametrize(
    "value", [{"x": 1}, {"ending": "bang"}, {"held": "maybe"}, {"statuses": ["flown"]}, {"accepted": False}]
)
def test_what_is_no_outcome_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        _outcome(value)
