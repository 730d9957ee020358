"""What WhatsApp announces of templates, accounts, numbers: campaigns pause before they fail, and run on afterwards."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from core.domain.templates import TemplateState
from core.repositories.account_events import Announced
from core.repositories.rooms import Rooms
from core.whatsapp.account_events import AccountChange, account_changes, changed_numbers
from core.whatsapp.announced import kept_of, without_numbers
from core.whatsapp.errors import (
    ACCOUNT_RESTRICTED,
    ENDS_WITH_APPROVAL,
    ENDS_WITH_FLAG,
    ENDS_WITH_RESTRICTION,
    UNUSABLE_TEMPLATES,
    words,
)
from core.whatsapp.webhooks import AccountEvent, TemplateEvent
from workers.tasks.choices import STATE_TOPIC, TEMPLATE_STATES

_log = logging.getLogger(__name__)

_LONGEST: Final = 100


async def follow_announcements(
    rooms: Rooms,
    *,
    templates: Sequence[TemplateEvent],
    accounts: Sequence[AccountEvent],
    now: datetime,
    is_last: bool,
) -> None:
    """Pauses and resumes campaigns in the caller's transaction, which must not have locked a message yet.

    Call it after `keep_account_events` and `move_templates`: the rows of the templates say by then what the events
    told. Whoever announces something locks templates, then what was announced before, then campaigns. `is_last`: little
    else follows, and the transaction is ended once it does nothing for half a second. Thousands of receipts may need
    longer than that between two statements.
    """
    paused = resumed = 0
    changes = await _news(rooms, account_changes(accounts, now=now))
    told = sorted({event.whatsapp_template_id for event in templates})
    if is_last:
        await rooms.transactions.bound_standstill()
    await rooms.pauses.lock_announced_campaigns(told, sorted({change.whatsapp_account_id for change in changes}))
    over = [change for change in changes if not change.is_blocked]
    approvals = _approvals(templates, now=now)
    if approvals or over:
        ends = [(change.whatsapp_account_id, change.digits, change.event_time) for change in over]
        await rooms.resumptions.date_runs(approvals, ends)
    if told:
        paused += await pause_unusable(rooms, told)
        approved = await rooms.resumptions.resume_template_campaigns(told, codes=sorted(ENDS_WITH_APPROVAL), at=now)
        resumed += len(approved)
    for change in changes:
        paused += await _restrict(rooms, change) if change.is_blocked and not change.digits else 0
    resumed += await _free(rooms, over, now=now)
    if numbers := changed_numbers(accounts):
        # The keeper asks WhatsApp how good they are and what they may send now.
        await rooms.senders.forget_refresh(numbers)
        rooms.outdate("senders")
    if paused or resumed:
        _log.warning("WhatsApp's announcements moved campaigns", extra={"paused": paused, "resumed": resumed})


async def keep_account_events(
    rooms: Rooms, *, templates: Sequence[TemplateEvent], accounts: Sequence[AccountEvent], now: datetime
) -> None:
    """Keeps what was announced, to be shown.

    First of all: whoever tells the same at the same time waits here, with nothing locked.
    """
    events: list[TemplateEvent | AccountEvent] = [*templates, *accounts]
    await rooms.account_events.keep_events([_announced(event, now=now) for event in events])


def _announced(event: TemplateEvent | AccountEvent, *, now: datetime) -> Announced:
    return Announced(
        whatsapp_account_id=event.whatsapp_account_id[:_LONGEST],
        topic=event.topic,
        event=without_numbers(event.event)[:_LONGEST],
        value=kept_of(event.details),
        event_time=event.event_time or now,
    )


async def pause_unusable(rooms: Rooms, told: Sequence[str]) -> int:
    """Pauses the campaigns of those among these templates that cannot be sent; the caller has locked them."""
    count = 0
    for code, states in UNUSABLE_TEMPLATES.items():
        count += await rooms.pauses.pause_unusable_campaigns(
            told, states=states, reason=words(code), code=code, known_codes=sorted(ENDS_WITH_APPROVAL)
        )
    return count


def _approvals(events: Sequence[TemplateEvent], *, now: datetime) -> list[tuple[str, datetime]]:
    """Returns which templates may be sent again, by what these events tell, and since when."""
    return [
        (event.whatsapp_template_id, event.event_time or now)
        for event in events
        if event.topic == STATE_TOPIC and TEMPLATE_STATES.get(event.event) == TemplateState.APPROVED
    ]


async def _news(rooms: Rooms, changes: Sequence[AccountChange]) -> list[AccountChange]:
    """Returns those of the changes that nothing announced before overtook, and keeps them for what comes later."""
    if not changes:
        return []
    told = [
        (change.whatsapp_account_id, change.digits, change.is_blocked, change.event_time, change.until)
        for change in changes
    ]
    news = await rooms.inbound.keep_announcements(told)
    return [change for change in changes if (change.whatsapp_account_id, change.digits) in news]


async def _free(rooms: Rooms, over: Sequence[AccountChange], *, now: datetime) -> int:
    """Lets run on what accounts and numbers had stopped that may send again; returns how many campaigns."""
    count = 0
    if freed := sorted(change.whatsapp_account_id for change in over if not change.digits):
        count += await rooms.resumptions.resume_account_campaigns(freed, codes=sorted(ENDS_WITH_RESTRICTION), at=now)
    if numbers := [(change.whatsapp_account_id, change.digits) for change in over if change.digits]:
        count += await rooms.resumptions.resume_sender_campaigns(numbers, codes=sorted(ENDS_WITH_FLAG), at=now)
    return count


async def _restrict(rooms: Rooms, change: AccountChange) -> int:
    end = f" until {change.until:%Y-%m-%d %H:%M} UTC" if change.until else ""
    return await rooms.pauses.pause_restricted_campaigns(
        change.whatsapp_account_id,
        reason=f"{words(ACCOUNT_RESTRICTED).rstrip('.')}{end}.",
        code=ACCOUNT_RESTRICTED,
        until=change.until,
        known_codes=sorted(ENDS_WITH_RESTRICTION),
    )
