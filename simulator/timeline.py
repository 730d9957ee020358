"""Simulator, timeline: from a fate and a few draws to the planned steps of one message."""

from __future__ import annotations

from typing import Final, NamedTuple

from simulator.draws import Draws
from simulator.outcomes import Outcome, Status
from simulator.settings import Timeline

# Where each decision takes its random number, so that none shifts another.
_SENT, _DELIVERED, _LATE, _LATE_BY, _READ_BY, _FATE, _READ, _FAIL_BY, _FAIL_CODE, _FAIL_SENT, _HELD = range(11)
_LATENCY: Final = 11  # and 12
_SLOW: Final = 13
DROP: Final = 14
_EARLY: Final = 15
_UNKNOWN: Final = 131000
# What only marketing outside the window meets.
_MARKETING_ONLY: Final = (130472, 131049, 131050)
_NATURAL: Final = {"sent": 0, "delivered": 1, "read": 2, "played": 3}


class Step(NamedTuple):
    """Something that is told `offset` simulated seconds after the accept: a status, or `effect.<name>`.

    It happened then, too, unless `time` says that it was earlier.
    """

    offset: float
    what: str
    code: int = 0
    time: float | None = None


def latency(draws: Draws, settings: Timeline) -> float:
    """Returns the real seconds an answer takes."""
    if settings.slow_rate and draws.chance(_SLOW, settings.slow_rate):
        return settings.slow_seconds
    return draws.log_normal(_LATENCY, median=settings.latency_median, p99=settings.latency_p99)


def plan(*, outcome: Outcome | None, draws: Draws, settings: Timeline, limited: bool = False) -> list[Step]:
    """Returns the steps of a message, the earliest first; only a `limited` one meets limits of marketing by chance."""
    if outcome is None:
        return _by_chance(draws, settings, limited=limited)
    if outcome.silent:
        return []
    if outcome.held:
        return _held(outcome, draws, settings, limited=limited)
    if outcome.statuses:
        steps = _in_order(outcome, draws, settings)
    elif outcome.fail:
        steps = _failing(outcome.fail, draws, settings, after_sent=outcome.after_sent)
    else:
        steps = _by_chance(draws, settings, limited=limited)
    steps.extend(Step(steps[-1].offset, "effect." + effect) for effect in outcome.effects if not outcome.refuse)
    return _repeated(steps, settings) if outcome.repeat else steps


def _by_chance(draws: Draws, settings: Timeline, *, limited: bool) -> list[Step]:
    fails = draws.chance(_FATE, settings.failure_rate)
    if fails and (codes := [code for code in settings.failure_codes if limited or code not in _MARKETING_ONLY]):
        code = codes[int(draws.unit(_FAIL_CODE) * len(codes))]
        after_sent = draws.chance(_FAIL_SENT, settings.failure_after_sent_rate)
        return _failing(code, draws, settings, after_sent=after_sent)
    sent = _sent(draws, settings)
    fate = 1.0 if fails else draws.unit(_FATE) - settings.failure_rate
    if fate < settings.undelivered_rate:
        return [Step(sent, "sent")]
    delivered = sent + _delivery(draws, settings)
    if fate < settings.undelivered_rate + settings.read_only_rate:
        return [Step(sent, "sent"), Step(delivered, "read")]
    steps = [Step(sent, "sent"), Step(delivered, "delivered")]
    if draws.chance(_READ, settings.read_rate):
        steps.append(Step(delivered + draws.log_between(_READ_BY, settings.read_delay), "read"))
    return steps


def _sent(draws: Draws, settings: Timeline) -> float:
    if draws.chance(_EARLY, settings.sent_before_answer_rate):
        return 0.0
    return draws.between(_SENT, settings.sent_delay)


def _delivery(draws: Draws, settings: Timeline) -> float:
    if draws.chance(_LATE, settings.late_rate):
        return draws.between(_LATE_BY, settings.late_delay)
    return draws.between(_DELIVERED, settings.delivered_delay)


def _failing(code: int, draws: Draws, settings: Timeline, *, after_sent: bool) -> list[Step]:
    failed = draws.between(_FAIL_BY, settings.failure_delay)
    if not after_sent:
        return [Step(failed, "failed", code)]
    sent = min(_sent(draws, settings), failed)
    return [Step(sent, "sent"), Step(failed, "failed", code)]


def _in_order(outcome: Outcome, draws: Draws, settings: Timeline) -> list[Step]:
    times = [_sent(draws, settings)]
    for number in range(1, len(outcome.statuses)):
        times.append(times[-1] + draws.between(_DELIVERED if number == 1 else _FAIL_BY, settings.delivered_delay))
    happened = _times_of(outcome.statuses, times)
    steps, offset = [], 0.0
    for number, (status, time) in enumerate(zip(outcome.statuses, happened, strict=True)):
        # What is told in disorder has still happened before it is told.
        offset = max(time, offset + times[number] - times[number - 1]) if number else time
        steps.append(Step(offset, status, (outcome.fail or _UNKNOWN) if status == "failed" else 0, time))
    return steps


def _times_of(statuses: tuple[Status, ...], times: list[float]) -> list[float]:
    """Returns when each status happened: in their natural order, whatever the one they are told in."""
    ranked = sorted(range(len(statuses)), key=lambda place: _NATURAL.get(statuses[place], len(_NATURAL)))
    return [times[ranked.index(place)] for place in range(len(statuses))]


def _held(outcome: Outcome, draws: Draws, settings: Timeline, *, limited: bool) -> list[Step]:
    held = draws.between(_HELD, settings.held_delay)
    if outcome.held == "drop":
        return [Step(held, "failed", 132015), Step(held, "effect.template_paused")]
    return [step._replace(offset=step.offset + held) for step in _by_chance(draws, settings, limited=limited)]


def _repeated(steps: list[Step], settings: Timeline) -> list[Step]:
    told = [step._replace(time=step.offset if step.time is None else step.time) for step in steps]
    again = [step._replace(offset=step.offset + settings.repeat_delay) for step in told]
    return sorted([*told, *told, *again], key=lambda step: step.offset)
