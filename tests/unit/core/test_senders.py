"""The rules of senders: what a caller may leave out, and how WhatsApp's level changes the rate."""

import pytest

from core.domain.senders import SenderDraft, ThroughputLevel, refreshed_rate, with_defaults

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
    assert refreshed_rate(current=current, before=before, after=after) == expected


def test_what_a_caller_leaves_out_has_a_default_and_what_it_says_stays() -> None:
    assert with_defaults(SenderDraft()).messages_per_second == 80
    assert with_defaults(SenderDraft()).credential_reference == "CHAPPE_WHATSAPP_ACCESS_TOKEN"
    said = SenderDraft(messages_per_second=5, credential_reference="OTHER")
    assert with_defaults(said) == said
