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
