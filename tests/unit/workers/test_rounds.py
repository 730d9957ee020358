"""Sharing the slots of a batch out among campaigns."""

from uuid import UUID

from core.repositories.sending import RunningCampaign
from workers.rounds import grouped, in_turn, share


def _campaign(number: int, *, kind: str = "BULK", per_second: float | None = None) -> RunningCampaign:
    return RunningCampaign(
        id=UUID(int=number),
        kind=kind,
        bindings=(),
        messages_per_second=per_second,
        template_name="spring_sale",
        language_code="en",
        parameter_format="POSITIONAL",
        restricted_countries=frozenset(),
    )


SINGLE = _campaign(1, kind="DIRECT")
A, B, C = (_campaign(number) for number in (2, 3, 4))
SLOW = _campaign(5, per_second=1.0)


def test_each_batch_begins_with_another_campaign_and_all_with_single_messages() -> None:
    turns = [in_turn([SINGLE, A, B, C], turn) for turn in range(4)]
    assert turns == [[SINGLE, A, B, C], [SINGLE, B, C, A], [SINGLE, C, A, B], [SINGLE, A, B, C]]


def test_a_sender_with_single_messages_alone_has_its_turns_too() -> None:
    assert in_turn([SINGLE], 7) == [SINGLE]


def test_single_messages_and_campaigns_with_a_pace_of_their_own_are_claimed_one_by_one_and_first() -> None:
    assert grouped([SINGLE, A, SLOW, B]) == [[SINGLE], [SLOW], [A, B]]
    assert grouped([SLOW]) == [[SLOW]]


def test_slots_are_offered_evenly_and_what_one_leaves_is_shared_by_those_behind_it() -> None:
    assert share([A, B, C], room=10, sharers=3) == 3
    assert share([SLOW], room=10, sharers=3) == 3
    # It took one of its three.
    assert share([A, B], room=9, sharers=2) == 4


def test_single_messages_are_offered_all_there_is() -> None:
    assert share([SINGLE], room=10, sharers=4) == 10


def test_fewer_slots_than_campaigns_are_offered_one_by_one_and_none_when_none_is_left() -> None:
    assert share([A, B, C], room=2, sharers=3) == 1
    assert share([A, B, C], room=0, sharers=3) == 0
