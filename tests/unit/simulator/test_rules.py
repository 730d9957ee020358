"""Faults by rule."""

import pytest

from simulator.rules import Rules


def _struck(rules: Rules, times: int, endpoint: str = "messages") -> list[bool]:
    return [rules.match(endpoint, "1") is not None for _ in range(times)]


def test_next_strikes_so_many_times_and_then_never() -> None:
    rules = Rules(seed=1)
    rules.add({"trigger": "next", "n": 2})
    assert _struck(rules, 4) == [True, True, False, False]


def test_every_strikes_each_nth_request() -> None:
    rules = Rules(seed=1)
    rules.add({"trigger": "every", "n": 3})
    assert _struck(rules, 6) == [False, False, True, False, False, True]


def test_a_probability_strikes_its_share_and_the_same_ones_for_the_same_seed() -> None:
    runs = []
    for _ in range(2):
        rules = Rules(seed=7)
        rules.add({"trigger": "probability", "rate": 0.1})
        runs.append(_struck(rules, 2000))
    assert runs[0] == runs[1]
    assert 140 < sum(runs[0]) < 260


def test_a_rule_strikes_its_endpoint_and_number_only() -> None:
    rules = Rules(seed=1)
    rules.add({"endpoint": "messages", "phone_number_id": "1"})
    assert rules.match("templates", "1") is None
    assert rules.match("messages", "2") is None
    assert rules.match("messages", "1") is not None


def test_the_first_rule_that_matches_wins() -> None:
    rules = Rules(seed=1)
    first = rules.add({"code": 2})
    rules.add({"code": 4})
    match = rules.match("messages", "1")
    assert match is not None
    assert match.id == first.id


@pytest.mark.parametrize(
    "value", [{"action": "explode"}, {"endpoint": "moon"}, {"trigger": "sometimes"}, {"n": 0}, {"id": 5}, {"x": 1}]
)
def test_what_is_no_rule_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Rules(seed=1).add(value)


def test_a_removed_rule_strikes_no_more() -> None:
    rules = Rules(seed=1)
    rule = rules.add({})
    assert rules.remove(rule.id)
    assert not rules.remove(rule.id)
    assert rules.match("messages", "1") is None
