"""Keys and roles."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from core.domain.access import ApiKey, Role, key_hash, key_prefix, make_key

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def api_key(*, expire_time: datetime | None = None, revoke_time: datetime | None = None) -> ApiKey:
    return ApiKey(
        id=UUID(int=1),
        display_name="",
        role=Role.VIEWER,
        key_prefix="chappe_v_",
        create_time=NOW,
        expire_time=expire_time,
        revoke_time=revoke_time,
    )


@pytest.mark.parametrize(("role", "initial"), [(Role.VIEWER, "v"), (Role.OPERATOR, "o"), (Role.ADMIN, "a")])
def test_a_key_shows_its_role_and_nothing_else(role: Role, initial: str) -> None:
    key = make_key(role, bytes(range(32)))
    assert re.fullmatch(f"chappe_{initial}_[A-Za-z0-9_-]{{43}}", key)
    assert key.startswith(key_prefix(key))
    assert len(key_prefix(key)) == 17
    assert len(key_hash(key)) == 32


def test_a_key_of_too_little_randomness_is_not_made() -> None:
    with pytest.raises(ValueError, match="32"):
        make_key(Role.ADMIN, b"short")


def test_a_key_ends_when_it_expires_or_is_revoked() -> None:
    assert api_key().is_valid(NOW)
    assert api_key(expire_time=NOW + timedelta(seconds=1)).is_valid(NOW)
    assert not api_key(expire_time=NOW).is_valid(NOW)
    assert not api_key(revoke_time=NOW).is_valid(NOW)


def test_roles_are_ordered() -> None:
    allowed = {(role, needed) for role in Role for needed in Role if role.may_act_as(needed)}
    assert allowed == {
        (Role.VIEWER, Role.VIEWER),
        (Role.OPERATOR, Role.VIEWER),
        (Role.OPERATOR, Role.OPERATOR),
        (Role.ADMIN, Role.VIEWER),
        (Role.ADMIN, Role.OPERATOR),
        (Role.ADMIN, Role.ADMIN),
    }
