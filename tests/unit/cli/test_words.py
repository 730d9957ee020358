"""What is counted and how long it takes is said as people say it."""

from datetime import timedelta

import pytest

from cli.words import counted, lasting


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 contacts"), (1, "1 contact"), (2, "2 contacts"), (1_234_567, "1,234,567 contacts")]
)
def test_one_is_one_and_all_else_are_several(count: int, said: str) -> None:
    assert counted(count, "contact") == said


def test_a_word_may_have_a_plural_of_its_own() -> None:
    assert [counted(count, "delivery matches", "deliveries match") for count in (1, 2)] == [
        "1 delivery matches",
        "2 deliveries match",
    ]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.04, "a second"), (1, "a second"), (1.2, "a second"), (2, "2 seconds"), (89, "89 seconds"),
        (90, "2 minutes"), (125, "2 minutes"), (3600, "60 minutes"), (5400, "2 hours"), (86_400, "24 hours"),
        (130_000, "2 days"), (864_000, "10 days"),
    ],
)  # fmt: skip
def test_a_duration_is_said_in_one_unit(seconds: float, said: str) -> None:
    assert lasting(timedelta(seconds=seconds)) == said
