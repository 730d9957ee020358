"""What is kept of an announcement, to be shown: words this version knows, of ourselves and of nobody else."""

import re
from collections.abc import Mapping
from typing import Any, Final

from core.whatsapp.webhook_fields import REDACTED

_KNOWN: Final = frozenset(
    {
        "event", "reason", "decision", "display_phone_number", "requested_verified_name", "rejection_reason",
        "current_limit", "old_limit", "max_daily_conversations_per_business", "max_daily_conversation_per_phone",
        "max_phone_numbers_per_waba", "max_phone_numbers_per_business", "entity_type", "entity_id", "alert_severity",
        "alert_status", "alert_type", "alert_description", "ban_info", "waba_ban_state", "waba_ban_date",
        "violation_info", "violation_type", "restriction_info", "restriction_type", "expiration", "remediation",
        "message_template_id", "message_template_name", "message_template_language", "message_template_category",
        "previous_quality_score", "new_quality_score", "previous_category", "new_category", "correct_category",
        "other_info", "title", "description", "disable_info", "disable_date", "rejection_info", "recommendation",
        "alert_info", "waba_info", "waba_id", "owner_business_id", "ad_account_linked", "partner_app_id", "solution_id",
        "solution_partner_business_ids", "disconnection_info", "initiated_by", "volume_tier_info", "tier_update_time",
        "pricing_category", "tier", "effective_month", "region", "auth_international_rate_eligibility", "start_time",
        "exception_countries", "country_code", "country",
    }
)  # fmt: skip
# Known, and nobody's business here: who among our own people did it, and the words of a template, which a sync brings.
_PASSED_OVER: Final = frozenset(
    {
        "requester", "message_template_title", "message_template_element", "message_template_footer",
        "message_template_buttons", REDACTED,
    }
)  # fmt: skip
# Ids of ours, times, and counts of messages. Anywhere else so many digits could be somebody's number.
_OURS: Final = frozenset(
    {
        "display_phone_number", "entity_id", "message_template_id", "expiration", "disable_date", "waba_ban_date",
        "waba_id", "owner_business_id", "ad_account_linked", "partner_app_id", "solution_id",
        "solution_partner_business_ids", "tier_update_time", "tier", "effective_month",
        "start_time",
    }
)  # fmt: skip
_LONG_NUMBER: Final = re.compile(r"\d[\d\s().-]{5,}\d")
_LONG_INTEGER: Final = 10**6
_LONGEST_WORDS: Final = 500
_MOST_ITEMS: Final = 20
_DEEPEST: Final = 4


def kept_of(value: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the known part of an announcement's value, without anything that may be a person's number."""
    kept = _kept("", value, _DEEPEST)
    return kept if isinstance(kept, dict) else {}


def without_numbers(words: str) -> str:
    """Returns words without what may be a person's number."""
    return _LONG_NUMBER.sub("…", words.replace("\x00", "")[:_LONGEST_WORDS])


def keys_nobody_knows(value: Mapping[str, Any]) -> list[str]:
    """Returns the keys of an announcement's value that this version does not know."""
    return sorted(value.keys() - _KNOWN - _PASSED_OVER)


def _kept(key: str, value: object, depth: int) -> object:
    match value:
        case str():
            return value.replace("\x00", "")[:_LONGEST_WORDS] if key in _OURS else without_numbers(value)
        case bool():
            return value
        case int():
            return value if abs(value) < _LONG_INTEGER else _kept(key, str(value), depth)
        case dict() if depth:
            told = {name: _kept(name, item, depth - 1) for name, item in value.items() if name in _KNOWN}
            return {name: item for name, item in told.items() if item is not None}
        case list() if depth:
            items = [_kept(key, item, depth - 1) for item in value[:_MOST_ITEMS]]
            return [item for item in items if item is not None]
    return None
