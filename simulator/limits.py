"""Simulator, limits: what Meta allows a number, a pair, an account and a person; refusals now, or a fate for later."""

from __future__ import annotations

from typing import Final

from simulator.accounts import DAY, Number, Template, Waba
from simulator.errors import Refusal
from simulator.outcomes import Outcome
from simulator.state import World

_HOUR: Final = 3600.0
# Statuses of a number that cannot send at all, and what it is refused with.
UNUSABLE: Final = {"DISCONNECTED": 133010, "PENDING": 133010, "BANNED": 131031, "RESTRICTED": 368, "DELETED": 33}
_TOO_MANY: Final = 100_000


def check_number(world: World, number: Number) -> None:
    """Refuses sends of a number or account that may not send now."""
    if number.refuse_code:
        raise Refusal(number.refuse_code)
    if number.waba.restriction:
        raise Refusal(number.waba.restriction)
    if number.status in UNUSABLE:
        raise Refusal(UNUSABLE[number.status])
    if number.upgrade_until > world.clock.now():
        raise Refusal(131057)


def check_restriction(world: World, number: Number) -> None:
    """Refuses what a restricted account would begin; answers inside the window it may still give."""
    if number.waba.restricted_until > world.clock.now():
        raise Refusal(131031)


def http_of(world: World, code: int) -> int | None:
    """Returns the HTTP status that is set for the refusal of a limit, None for any other code."""
    limits = world.settings.limits
    return {130429: limits.throughput_http, 131056: limits.pair_http}.get(code)


def take_throughput(world: World, number: Number) -> None:
    """Takes a token of the number's throughput, which runs in real time whatever the simulated clock does."""
    limits = world.settings.limits
    if limits.throughput and not number.bucket.take(world.clock.real()):
        raise Refusal(130429, http=limits.throughput_http)


def take_pair(world: World, number: Number, person: str) -> None:
    """Takes a token of this number and person."""
    limits = world.settings.limits
    if limits.pair and not number.pairs.take(
        person, now=world.clock.now(), capacity=limits.pair_capacity, seconds=limits.pair_seconds
    ):
        raise Refusal(131056, http=limits.pair_http)


def window_is_open(world: World, number: Number, person: str) -> bool:
    """Returns whether the person wrote to the number within the window."""
    return number.windows.get(person, 0.0) > world.clock.now()


def fate_by_limits(
    world: World, number: Number, person: str, template: Template | None, *, in_window: bool
) -> Outcome | None:
    """Returns the failure that waits for an accepted message because of a limit, None when nothing does; may refuse."""
    if in_window:
        if template is not None and template.category == "MARKETING" and _has_opted_out(world, number, person):
            return Outcome(fail=131050)
        return None
    if template is None:
        return Outcome(fail=131047)
    if template.category == "MARKETING":
        if _has_opted_out(world, number, person):
            return Outcome(fail=131050)
        if _too_much_marketing(world, number, person):
            return Outcome(fail=131049, after_sent=True)
    return _beyond_reach(world, number, person)


def _has_opted_out(world: World, number: Number, person: str) -> bool:
    return bool(world.opted_out) and (number.waba.portfolio.id, person) in world.opted_out


def _too_much_marketing(world: World, number: Number, person: str) -> bool:
    most = world.settings.limits.marketing_per_day
    if not most:
        return False
    now = world.clock.now()
    key = (number.waba.portfolio.id, person)
    if world.marketing_blocks.get(key, 0.0) > now:
        return True
    times = [time for time in world.marketing_times.get(key, ()) if time > now - DAY]
    world.marketing_times[key] = times
    if len(times) >= most:
        world.marketing_blocks[key] = now + DAY
        return True
    times.append(now)
    return False


def _beyond_reach(world: World, number: Number, person: str) -> Outcome | None:
    limits = world.settings.limits
    portfolio = number.waba.portfolio
    most = limits.reach_limits.get(number.limit)
    if most is None or limits.reach == "off":
        return None
    if portfolio.reach(person, world.ledger.accepted, now=world.clock.now(), most=most):
        return None
    if limits.reach == "sync":
        raise Refusal(131048)
    return Outcome(silent=True) if limits.reach == "silent" else Outcome(fail=131048)


def hold_by_pacing(world: World, template: Template) -> bool:
    """Counts a send of the template and says whether it is held for quality assessment."""
    template.accepted += 1
    if template.pacing == "hold":
        return True
    after = world.settings.limits.pacing_after
    return (
        bool(after) and template.accepted > after and template.category == "MARKETING" and template.quality != "GREEN"
    )


def count_management_call(world: World, waba: Waba) -> tuple[int, int]:
    """Counts a management call of a WABA; returns (percent used, minutes to wait), and refuses beyond the limit."""
    most = world.settings.limits.management_calls_per_hour
    if not most:
        return 0, 0
    now = world.clock.now()
    calls = waba.management_calls
    while calls and calls[0] <= now - _HOUR:
        calls.popleft()
    if len(calls) >= most:
        raise Refusal(80007)
    if len(calls) < _TOO_MANY:
        calls.append(now)
    return len(calls) * 100 // most, 0


def minutes_to_regain(world: World, waba: Waba) -> int:
    """Returns the minutes until a management call is possible again."""
    if not waba.management_calls:
        return 0
    return max(1, round((waba.management_calls[0] + _HOUR - world.clock.now()) / 60))
