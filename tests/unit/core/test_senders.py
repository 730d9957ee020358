"""The rules of senders: what a caller may leave out, and how WhatsApp's level changes the rate."""

import pytest

from core.domain.senders import Rate, SenderDraft, ThroughputLevel, with_defaults

STANDARD, HIGH = ThroughputLevel.STANDARD, ThroughputLevel.HIGH


@pytest.mark.parametrize(
    ("current", "before", "after", "expected"),
    [
        (80, STANDARD, HIGH, 1000),
        (1000, HIGH, STANDARD, 80),
        (80, STANDARD, STANDARD, 80),
        (20, STANDARD, HIGH, 20),
        (500, HIGH, STANDARD, 80),
        (80, STANDARD, ThroughputLevel.NOT_APPLICABLE, 80),
    ],
)
def test_a_rate_follows_whatsapps_level_unless_a_person_chose_a_slower_one(
    current: float, before: ThroughputLevel, after: ThroughputLevel, expected: float
) -> None:
    assert Rate(messages_per_second=current, level=before).refresh(after).messages_per_second == expected


def test_a_choice_is_kept_through_all_levels_until_it_is_taken_back() -> None:
    chosen = Rate().choose(80).refresh(HIGH)
    assert (chosen.messages_per_second, chosen.choose(0).messages_per_second) == (80, 1000)
    bounded = Rate().choose(200).refresh(STANDARD)
    assert (bounded.messages_per_second, bounded.refresh(HIGH).messages_per_second) == (80, 200)


def test_a_choice_made_through_an_older_version_is_not_undone() -> None:
    """It writes the rate alone: what another one had kept as chosen is not what was chosen last."""
    lowered = Rate(messages_per_second=20, chosen=500, level=HIGH)
    assert (lowered.refresh(HIGH).messages_per_second, lowered.refresh(STANDARD).messages_per_second) == (20, 20)


def test_what_a_caller_leaves_out_has_a_default_and_what_it_says_stays() -> None:
    assert Rate().choose(SenderDraft().messages_per_second).messages_per_second == 80
    assert with_defaults(SenderDraft()).credential_reference == "CHAPPE_WHATSAPP_ACCESS_TOKEN"
    said = SenderDraft(messages_per_second=5, credential_reference="OTHER")
    assert with_defaults(said) == said
