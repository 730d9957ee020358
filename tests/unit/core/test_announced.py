"""Of announcements the words we know are kept, whatever stands beside them."""

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.whatsapp.announced import kept_of, keys_nobody_knows

STRANGER = "+49 170 000-0001"


def test_known_words_are_kept_and_nobodys_number() -> None:
    told = {
        "display_phone_number": "15550001111",
        "alert_description": f"Call {STRANGER} or 491700000001.",
        "restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1760100000}],
        "max_phone_numbers_per_waba": 25,
        "message_template_id": 1234567890123456,
        "requester": "491700000001",
        "caller": {"wa_id": "491700000001"},
    }
    assert kept_of(told) == {
        "display_phone_number": "15550001111",
        "alert_description": "Call +… or ….",
        "restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": "1760100000"}],
        "max_phone_numbers_per_waba": 25,
        "message_template_id": "1234567890123456",
    }
    assert keys_nobody_knows(told) == ["caller"]


ALERT = {
    "alert_severity": "WARNING", "alert_status": "ACTIVE", "alert_type": "PROFILE_PICTURE_LOST",
    "alert_description": "The picture is gone.",
}  # fmt: skip


@pytest.mark.parametrize(
    "told",
    [
        {"entity_type": "PHONE_NUMBER", "entity_id": "100000000000002", "alert_info": ALERT},
        {
            "event": "PARTNER_REMOVED",
            "waba_info": {"waba_id": "200000000000001", "owner_business_id": "300000000000001"},
            "disconnection_info": {"reason": "DEVICE_GONE", "initiated_by": "SYSTEM"},
        },
        {
            "event": "PARTNER_APP_INSTALLED",
            "waba_info": {
                "waba_id": "200000000000001",
                "partner_app_id": "400000000000001",
                "solution_id": "500000000000001",
                "solution_partner_business_ids": ["300000000000002", "300000000000003"],
            },
        },
        {"event": "AD_ACCOUNT_LINKED", "waba_info": {"ad_account_linked": "600000000000001"}},
        {
            "event": "VOLUME_BASED_PRICING_TIER_UPDATE",
            "volume_tier_info": {
                "tier_update_time": "1760000000", "pricing_category": "UTILITY", "tier": "10000001:20000000",
                "effective_month": "2026-03", "region": "Germany",
            },
        },
        {
            "event": "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE",
            "auth_international_rate_eligibility": {
                "start_time": "1760000000",
                "exception_countries": [{"country_code": "DE", "start_time": "1770000000"}],
            },
        },
        {"event": "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE", "country": "DE"},
    ],
    ids=lambda told: str(next(reversed(told))),
)  # fmt: skip
def test_what_announcements_nest_is_kept_whole(told: dict[str, object]) -> None:
    assert kept_of(told) == told
    assert not keys_nobody_knows(told)


@pytest.mark.parametrize("key", ["alert_info", "waba_info", "disconnection_info", "volume_tier_info"])
def test_a_number_in_nested_words_is_not_kept(key: str) -> None:
    kept = orjson.dumps(kept_of({key: {"alert_description": STRANGER, "reason": STRANGER, "region": STRANGER}}))
    assert not sum(map(str.isdigit, kept.decode()))


@pytest.mark.parametrize("value", ["491700000001", 491700000001, "49 (170) 000 0001", ["491700000001"], 491700000001.0])
@pytest.mark.parametrize("key", ["event", "reason", "description", "ban_info", "restriction_info"])
def test_a_number_under_another_key_is_not_kept(key: str, value: object) -> None:
    kept = orjson.dumps(kept_of({key: value, "other_info": {key: value}})).decode()
    assert not sum(map(str.isdigit, kept))


words = st.sampled_from(["event", "reason", "ban_info", "waba_ban_state", "restriction_info", "title", "unknown"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=20,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(words, values))
def test_rubbish_is_no_error(told: dict[str, object]) -> None:
    orjson.dumps(kept_of(told))
