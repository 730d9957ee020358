"""Simulator, events: changes of templates, numbers, accounts and preferences, each with its webhook."""

from __future__ import annotations

import math
from typing import Any, Final

from simulator import phone
from simulator.accounts import Number, Template, Waba
from simulator.state import Held, World
from simulator.webhook_bodies import Update, contact_of

# First pause 3 h, second 6 h, the third disables.
PAUSE_SECONDS: Final = (3 * 3600, 6 * 3600)
_BACK_AGAIN: Final = ("REINSTATED", "UNARCHIVED")


def announce(
    world: World, *, waba: Waba, field: str, value: dict[str, Any], time: float, number: Number | None = None
) -> None:
    """Hands any webhook field to the sender."""
    world.counters[f"event.{field}"] += 1
    world.webhooks.offer(Update(waba=waba, number=number, time=time, field=field, value=value))


# templates


def announce_template(
    world: World,
    *,
    waba: Waba,
    template: Template,
    event: str,
    time: float,
    reason: str = "NONE",
    more: dict[str, Any] | None = None,
) -> None:
    """Announces that a template's status has changed."""
    value: dict[str, Any] = {
        "event": event,
        "message_template_id": int(template.id),
        "message_template_name": template.name,
        "message_template_language": template.language,
        "reason": reason,
        "message_template_category": template.category,
    }
    announce(world, waba=waba, field="message_template_status_update", value={**value, **(more or {})}, time=time)


def set_template_status(
    world: World, *, waba: Waba, template: Template, status: str, time: float, reason: str = "NONE", title: str = ""
) -> None:
    """Changes a template's status and announces it."""
    template.status = "APPROVED" if status in _BACK_AGAIN else status
    template.rejected_reason = reason
    more: dict[str, Any] = {}
    if title:
        more["other_info"] = {"title": title, "description": "The status of the template has changed."}
    if status == "DISABLED":
        more["disable_info"] = {"disable_date": int(time)}
    if reason == "INVALID_FORMAT":
        more["rejection_info"] = {"reason": "The format is not valid.", "recommendation": "Correct the format."}
    announce_template(world, waba=waba, template=template, event=status, time=time, reason=reason, more=more)


def pause_template(world: World, *, waba: Waba, template: Template, time: float, by_pacing: bool = False) -> None:
    """Pauses a template for 3 h, then 6 h, then disables it; a pause by pacing ends only when somebody ends it."""
    template.pauses += 1
    set_template_quality(world, waba=waba, template=template, quality="RED", time=time)
    if template.pauses > len(PAUSE_SECONDS):
        set_template_status(world, waba=waba, template=template, status="DISABLED", time=time, title="DISABLED")
        return
    title = ("FIRST_PAUSE", "SECOND_PAUSE")[template.pauses - 1]
    set_template_status(world, waba=waba, template=template, status="PAUSED", time=time, title=title)
    if not by_pacing:
        _plan_end_of_pause(world, waba, template, time)


def _plan_end_of_pause(world: World, waba: Waba, template: Template, time: float) -> None:
    pauses = template.pauses

    def end(due_time: float) -> None:
        if template.status == "PAUSED" and template.pauses == pauses:
            unpause_template(world, waba=waba, template=template, time=due_time)

    world.agenda.at(time + PAUSE_SECONDS[pauses - 1], end)


def unpause_template(world: World, *, waba: Waba, template: Template, time: float) -> None:
    """Lets a paused template be sent again."""
    set_template_status(world, waba=waba, template=template, status="APPROVED", time=time, title="UNPAUSE")


def set_template_quality(world: World, *, waba: Waba, template: Template, quality: str, time: float) -> None:
    """Changes a template's quality score and announces it."""
    value = {
        "previous_quality_score": template.quality,
        "new_quality_score": quality,
        "message_template_id": int(template.id),
        "message_template_name": template.name,
        "message_template_language": template.language,
    }
    template.quality, template.quality_time = quality, time
    announce(world, waba=waba, field="message_template_quality_update", value=value, time=time)


def set_template_category(world: World, *, waba: Waba, template: Template, category: str, time: float) -> None:
    """Changes a template's category, as Meta does on its own, and announces it."""
    value = {
        "message_template_id": int(template.id),
        "message_template_name": template.name,
        "message_template_language": template.language,
        "new_category": category,
        "previous_category": template.category,
    }
    template.previous_category, template.category = template.category, category
    announce(world, waba=waba, field="template_category_update", value=value, time=time)


# numbers and accounts


def announce_number(world: World, *, number: Number, event: str, time: float, old_limit: str = "") -> None:
    """Announces a change of a number's quality or throughput; it is named by its display number only."""
    value = {
        "display_phone_number": number.digits,
        "event": event,
        "current_limit": number.limit,
        "max_daily_conversations_per_business": number.limit,
    }
    if old_limit:
        value["old_limit"] = old_limit
    announce(world, waba=number.waba, field="phone_number_quality_update", value=value, time=time)


def announce_changes(world: World, *, before: Number, number: Number, time: float) -> None:
    """Announces what of a number has changed, as far as Meta announces it."""
    limits = world.settings.limits.reach_limits
    if before.is_flagged != number.is_flagged:
        announce_number(world, number=number, event="FLAGGED" if number.is_flagged else "UNFLAGGED", time=time)
    if before.limit != number.limit:
        falls = limits.get(number.limit, math.inf) < limits.get(before.limit, math.inf)
        event = "DOWNGRADE" if falls else "UPGRADE"
        announce_number(world, number=number, event=event, time=time, old_limit=before.limit)
    if (before.throughput_level, number.throughput_level) == ("STANDARD", "HIGH"):
        announce_number(world, number=number, event="THROUGHPUT_UPGRADE", time=time)
    if (before.verified_name, before.name_status) != (number.verified_name, number.name_status):
        value = {
            "display_phone_number": number.digits,
            "decision": number.name_status,
            "requested_verified_name": number.verified_name,
            "rejection_reason": None,
        }
        announce(world, waba=number.waba, field="phone_number_name_update", value=value, time=time)


def begin_upgrade(world: World, *, number: Number, rate: float) -> None:
    """Makes a number unusable for the time of an upgrade, then raises its throughput and announces it."""
    number.upgrade_until = world.clock.now() + world.settings.limits.upgrade_seconds

    def end(due_time: float) -> None:
        number.bucket.resize(rate)
        number.throughput_level = "HIGH"
        announce_number(world, number=number, event="THROUGHPUT_UPGRADE", time=due_time)

    world.agenda.at(number.upgrade_until, end)


def announce_restriction(world: World, *, waba: Waba, time: float, seconds: float = 86_400.0) -> None:
    """Keeps a WABA from starting conversations for a while, and says so; both end at the same whole second."""
    expiration = int(time + seconds)
    waba.restricted_until = float(expiration)
    value = {
        "event": "ACCOUNT_RESTRICTION",
        "restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": expiration}],
    }
    announce(world, waba=waba, field="account_update", value=value, time=time)


# people


def set_preference(world: World, *, number: Number, person: str, value: str, time: float) -> None:
    """Stops or resumes marketing to a person, as they do in WhatsApp itself, and announces it."""
    key = (number.waba.portfolio.id, person)
    if value == "stop":
        world.opted_out.add(key)
    else:
        world.opted_out.discard(key)
    detail = (
        "User requested to stop marketing messages"
        if value == "stop"
        else "User requested to resume marketing messages"
    )
    # Of a person known by user id only, no number can be told.
    wa_id = "" if phone.is_user_id(person) else person
    user_id = phone.user_id_of(wa_id) if wa_id else person
    preference = {
        **({"wa_id": wa_id} if wa_id else {}),
        "user_id": user_id,
        "detail": detail,
        "category": "marketing_messages",
        "value": value,
        "timestamp": int(time),
    }
    body = {"contacts": [contact_of(wa_id, user_id)], "user_preferences": [preference]}
    announce(world, waba=number.waba, field="user_preferences", value=body, time=time, number=number)


# held messages


def release_held(world: World, *, waba: Waba, template: Template, drop: bool, time: float) -> list[Held]:
    """Ends the pacing of a template: dropped messages fail with 132015, others are returned to be sent on their way."""
    held = world.held.pop(template.id, [])
    template.pacing = ""
    if not drop:
        if template.quality != "GREEN":
            set_template_quality(world, waba=waba, template=template, quality="GREEN", time=time)
        return held
    for message, _ in held:
        world.announce(message, "failed", time, 132015)
    pause_template(world, waba=waba, template=template, time=time, by_pacing=True)
    return []
