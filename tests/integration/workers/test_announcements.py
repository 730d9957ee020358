"""What WhatsApp announces: campaigns pause with a reason, and only those that it concerns run on when it is over."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from core.db import Database
from core.domain.errors import WrongState
from core.repositories.rooms import Store
from core.whatsapp.errors import verdict, words
from tests.helpers.eventually import eventually
from tests.helpers.receiving import NOW, Desk, desk
from tests.helpers.sending import ACCOUNT, numbers, planned
from tests.helpers.whatsapp import WhatsApp
from tests.helpers.workers import busy_worker
from workers.pauses import pause_at_fault

TEMPLATE = 900
# Of these tests' own time, years later than the database's.
_LONG = 20 * 365 * 86_400
STATE = "SELECT state || ' ' || pause_source FROM campaigns"


def announced(field: str, value: dict[str, Any], *, account: str = ACCOUNT, seconds: int = 0) -> bytes:
    change = {"field": field, "value": value}
    entry = {"id": account, "time": int(NOW.timestamp()) + seconds, "changes": [change]}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})


def template(event: str, *, template_id: int = TEMPLATE) -> bytes:
    told = {"event": event, "message_template_id": template_id, "reason": "NONE"}
    return announced("message_template_status_update", told)


def restricted(*kinds: str, seconds: float = 3600, at: int = 0) -> bytes:
    end = int((NOW + timedelta(seconds=seconds)).timestamp())
    told = [{"restriction_type": kind, "expiration": end} for kind in kinds]
    return announced("account_update", {"event": "ACCOUNT_RESTRICTION", "restriction_info": told}, seconds=at)


def banned(state: str, *, seconds: int = 0, account: str = ACCOUNT) -> bytes:
    told = {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state, "waba_ban_date": "today"}}
    return announced("account_update", told, seconds=seconds, account=account)


def number(event: str, *, digits: str = "15550001111", seconds: int = 0) -> bytes:
    return announced("phone_number_quality_update", {"display_phone_number": digits, "event": event}, seconds=seconds)


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, numbers(1)) as made:
        await made.value("UPDATE templates SET sync_time = $1", NOW - timedelta(days=1))
        await made.value("UPDATE senders SET phone_number = '+1 555-000-1111'")
        yield made


async def paused(at: Desk, source: str, code: int) -> None:
    await at.value("UPDATE campaigns SET state = 'PAUSED', pause_source = $1, pause_code = $2", source, code)


async def test_a_paused_template_pauses_its_campaigns_and_its_approval_lets_them_run_on(at: Desk) -> None:
    await at.deliver(template("PAUSED"))
    assert await at.value(STATE) == "PAUSED TEMPLATE"
    assert await at.value("SELECT pause_reason FROM campaigns") == words(132015)
    await at.deliver(template("APPROVED"))
    assert await at.value(STATE) == "RUNNING "
    assert await at.value("SELECT pause_reason FROM campaigns") == ""


@pytest.mark.parametrize(("event", "code"), [("DISABLED", 132016), ("REJECTED", 132001)])
async def test_what_becomes_of_a_paused_template_becomes_the_reason(at: Desk, event: str, code: int) -> None:
    await at.deliver(template("PAUSED"))
    await at.deliver(template(event))
    assert await at.value("SELECT pause_reason FROM campaigns") == words(code)
    await at.value("UPDATE campaigns SET pause_source = 'USER', pause_reason = 'Mine.'")
    await at.deliver(template("PAUSED"))
    assert await at.value("SELECT pause_reason FROM campaigns") == "Mine."


async def test_an_event_of_the_second_of_a_sync_is_news_and_an_older_one_is_not(at: Desk) -> None:
    await at.value("UPDATE templates SET sync_time = $1", NOW + timedelta(seconds=1))
    await at.deliver(template("PAUSED"))
    assert await at.value(STATE) == "RUNNING "
    await at.value("UPDATE templates SET sync_time = $1", NOW + timedelta(seconds=0.9))
    await at.deliver(template("PAUSED"))
    assert await at.value(STATE) == "PAUSED TEMPLATE"


async def test_of_a_ban_and_its_end_that_arrive_together_the_later_one_counts(at: Desk) -> None:
    await at.deliver(banned("REINSTATE", seconds=5), banned("DISABLE"))
    assert await at.value(STATE) == "RUNNING "


@pytest.mark.parametrize("seconds", [0, 5])
async def test_a_ban_that_is_told_after_its_end_pauses_nothing(at: Desk, seconds: int) -> None:
    await at.deliver(banned("REINSTATE", seconds=seconds))
    await at.deliver(banned("DISABLE", seconds=9, account="another"), banned("DISABLE"))
    assert await at.value(STATE) == "RUNNING "
    await at.deliver(banned("DISABLE", seconds=6))
    assert await at.value(STATE) == "PAUSED ACCOUNT"


async def test_an_end_that_is_told_after_the_next_ban_lets_nothing_run_on(at: Desk) -> None:
    await at.deliver(banned("DISABLE", seconds=9))
    await at.deliver(banned("REINSTATE", seconds=5))
    assert await at.value(STATE) == "PAUSED ACCOUNT"


async def test_a_ban_that_is_told_again_pauses_nothing_that_was_resumed_since(at: Desk) -> None:
    await at.deliver(banned("DISABLE"))
    await at.value("UPDATE campaigns SET state = 'RUNNING', pause_source = ''")
    await at.deliver(banned("DISABLE"))
    assert await at.value(STATE) == "RUNNING "


async def test_the_end_of_an_older_flag_of_a_number_lets_nothing_run_on(at: Desk) -> None:
    await at.deliver(number("FLAGGED", seconds=5))
    await paused(at, "SENDER", 131048)
    await at.deliver(number("UNFLAGGED"), number("FLAGGED", seconds=9, digits="15550009999"))
    assert await at.value(STATE) == "PAUSED SENDER"
    await at.deliver(number("UNFLAGGED", seconds=6))
    assert await at.value(STATE) == "RUNNING "


@pytest.mark.parametrize(
    ("source", "code", "told"),
    [
        ("TEMPLATE", 132015, template("APPROVED")),
        ("TEMPLATE", 132015, template("REINSTATED")),
        ("TEMPLATE", 132015, template("unpause")),
        ("ACCOUNT", 368, banned("REINSTATE")),
        ("ACCOUNT", 131031, restricted()),
        ("SENDER", 131048, number("UNFLAGGED")),
    ],
)
async def test_the_end_of_what_paused_a_campaign_lets_it_run_on(at: Desk, source: str, code: int, told: bytes) -> None:
    await paused(at, source, code)
    await at.deliver(told)
    assert await at.value(STATE) == "RUNNING "


@pytest.mark.parametrize(
    ("source", "code", "told"),
    [
        ("USER", 0, template("APPROVED")),
        ("BREAKER", 131000, template("APPROVED")),
        ("CREDENTIAL", 190, banned("REINSTATE")),
        ("TEMPLATE", 132000, template("APPROVED")),
        ("TEMPLATE", 132015, template("APPROVED", template_id=901)),
        ("TEMPLATE", 132015, banned("REINSTATE")),
        ("ACCOUNT", 131042, banned("REINSTATE")),
        ("USER", 0, banned("REINSTATE")),
        ("SENDER", 131048, number("UNFLAGGED", digits="15550009999")),
        ("SENDER", 133010, number("UNFLAGGED")),
        ("USER", 0, number("UNFLAGGED")),
    ],
)
async def test_nothing_else_runs_on(at: Desk, source: str, code: int, told: bytes) -> None:
    await paused(at, source, code)
    await at.deliver(told)
    assert await at.value(STATE) == f"PAUSED {source}"


async def test_a_restricted_account_pauses_until_its_restriction_ends(at: Desk) -> None:
    await at.deliver(restricted("RESTRICTED_BIZ_INITIATED_MESSAGING"))
    assert await at.value(STATE) == "PAUSED ACCOUNT"
    assert "until 2026-03-01 13:00 UTC" in await at.value("SELECT pause_reason FROM campaigns")
    assert await _resume(at, minutes=59) == 0
    assert await _resume(at, minutes=61) == 1
    assert await at.value(STATE) == "RUNNING "


async def test_a_campaign_that_the_same_restriction_paused_before_learns_until_when(at: Desk) -> None:
    await paused(at, "ACCOUNT", 131031)
    await at.deliver(restricted("RESTRICTED_BIZ_INITIATED_MESSAGING"))
    assert await _resume(at, minutes=61) == 1


@pytest.mark.parametrize(("code", "waits"), [(368, True), (131031, True), (131042, False)])
async def test_a_campaign_refused_during_an_announced_restriction_waits_for_its_end(
    at: Desk, code: int, *, waits: bool
) -> None:
    await at.deliver(restricted("RESTRICTED_BIZ_INITIATED_MESSAGING", seconds=_LONG))
    assert await _refused(at, code) == (NOW + timedelta(seconds=_LONG) if waits else None)


async def test_a_campaign_refused_after_a_restriction_ended_or_was_lifted_waits_for_nothing_announced(at: Desk) -> None:
    await at.deliver(restricted("RESTRICTED_BIZ_INITIATED_MESSAGING"))
    assert await _refused(at, 368) is None
    await at.deliver(restricted("RESTRICTED_BIZ_INITIATED_MESSAGING", seconds=_LONG, at=1))
    assert await _refused(at, 368) is not None
    await at.deliver(banned("REINSTATE", seconds=2))
    assert await _refused(at, 368) is None


async def test_a_restriction_of_something_else_pauses_nothing(at: Desk) -> None:
    await at.deliver(restricted("RESTRICTED_ADD_PHONE_NUMBER_ACTION"))
    assert await at.value(STATE) == "RUNNING "


async def test_a_banned_account_pauses_until_it_is_reinstated(at: Desk) -> None:
    await at.deliver(banned("DISABLE"))
    assert await at.value(STATE) == "PAUSED ACCOUNT"
    assert await _resume(at, minutes=10**6) == 0
    await at.deliver(banned("REINSTATE"))
    assert await at.value(STATE) == "RUNNING "


async def test_what_a_user_paused_during_a_restriction_stays_paused_after_it(at: Desk) -> None:
    await at.deliver(restricted("RESTRICTED_BIZ_INITIATED_MESSAGING"))
    await at.value("UPDATE campaigns SET pause_source = 'USER'")
    assert await _resume(at, minutes=61) == 0


@pytest.mark.parametrize(
    ("source", "code", "told"),
    [
        ("TEMPLATE", 132015, template("APPROVED")),
        ("ACCOUNT", 368, banned("REINSTATE")),
        ("SENDER", 131048, number("UNFLAGGED")),
    ],
)
async def test_an_automatic_pause_that_a_user_takes_over_outlasts_its_cause(
    at: Desk, source: str, code: int, told: bytes
) -> None:
    await paused(at, source, code)
    await at.value("UPDATE campaigns SET resume_time = $1", NOW)
    async with at.store.transaction() as rooms:
        campaign_id = await at.value("SELECT id FROM campaigns")
        taken = await rooms.campaign_states.pause_campaign(campaign_id, at=NOW, reason="Mine.")
    assert (taken.pause_source, taken.pause_reason, taken.pause_time) == ("USER", "Mine.", NOW)
    await at.deliver(told)
    assert await _resume(at, minutes=1) == 0
    assert await at.value(STATE) == "PAUSED USER"
    with pytest.raises(WrongState):
        async with at.store.transaction() as rooms:
            await rooms.campaign_states.pause_campaign(campaign_id, at=NOW, reason="Mine, too.")


async def test_a_campaign_whose_template_was_paused_is_sent_to_the_end_after_its_approval(
    fresh_database_url: str, worker_settings: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    await whatsapp_and_url[0].add_rule(endpoint="messages", action="refuse", code=132015, trigger="next", n=1)
    async with (
        planned(fresh_database_url, numbers(20)) as plan,
        Database(url=fresh_database_url, pool_size=1) as database,
        busy_worker(worker_settings),
    ):
        await eventually(lambda: plan.connection.fetchval("SELECT pause_code = 132015 FROM campaigns"), 20)
        async with Store(database).connection() as rooms:
            await rooms.deliveries.append_deliveries([template("APPROVED")])
        await eventually(lambda: plan.all_are("ACCEPTED"), 20)


async def _resume(at: Desk, *, minutes: float) -> int:
    async with at.store.transaction() as rooms:
        return await rooms.resumptions.resume_due_campaigns(at=NOW + timedelta(minutes=minutes))


async def _refused(at: Desk, code: int) -> datetime | None:
    """Lets the campaign run on by hand, and WhatsApp refuse what it sends; returns when it would run on by itself."""
    await at.value("UPDATE campaigns SET state = 'RUNNING', pause_source = '', resume_time = NULL")
    campaign_id, sender_id = at.plan.campaign_id, at.plan.sender_id
    found = verdict(code)
    await pause_at_fault(
        at.store, found.scope, campaign_id=campaign_id, sender_id=sender_id, found=found, code=code, fail_time=NOW
    )
    assert await at.value(STATE) == "PAUSED ACCOUNT"
    end: datetime | None = await at.value("SELECT resume_time FROM campaigns")
    return end
