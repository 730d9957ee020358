"""Sharing the slots of a batch out among campaigns."""

from uuid import UUID

from core.repositories.sending import RunningCampaign
from workers.rounds import in_turn, next_group, share


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


def test_who_comes_behind_the_last_turn_begins_and_single_messages_before_all() -> None:
    turns = [in_turn([SINGLE, A, B, C], last) for last in (None, A.id, B.id, C.id)]
    assert turns == [[SINGLE, A, B, C], [SINGLE, B, C, A], [SINGLE, C, A, B], [SINGLE, A, B, C]]


def test_the_turn_goes_on_behind_a_campaign_that_is_gone() -> None:
    assert in_turn([A, C], B.id) == [C, A]


def test_a_sender_with_single_messages_alone_has_its_turns_too() -> None:
    assert in_turn([SINGLE], A.id) == [SINGLE]


def test_with_a_slot_for_each_those_with_a_pace_of_their_own_are_claimed_one_by_one_and_the_others_together() -> None:
    assert next_group([SINGLE, A, SLOW, B], room=9) == [SINGLE]
    assert next_group([A, SLOW, B], room=3) == [SLOW]
    assert next_group([A, B], room=2) == [A, B]


def test_with_fewer_slots_campaigns_are_claimed_from_in_their_order_as_many_as_there_are_slots() -> None:
    assert next_group([SINGLE, A, SLOW, B], room=1) == [SINGLE]
    assert next_group([A, B, SLOW, C], room=1) == [A]
    assert next_group([A, B, SLOW, C], room=3) == [A, B]
    assert next_group([SLOW, A, B], room=2) == [SLOW]
    assert next_group([A, B, C], room=2) == [A, B]


def test_slots_are_offered_evenly_and_what_one_leaves_is_shared_by_those_behind_it() -> None:
    assert share([A, B, C], room=10, sharers=3) == 3
    assert share([SLOW], room=10, sharers=3) == 3
    # It took one of its three.
    assert share([A, B], room=9, sharers=2) == 4


def test_single_messages_are_offered_all_there_is() -> None:
    assert share([SINGLE], room=10, sharers=4) == 10


def test_fewer_slots_than_campaigns_are_offered_one_by_one() -> None:
    assert share([A, B], room=2, sharers=3) == 1
