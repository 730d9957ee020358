"""Simulator, timeline: from a fate and a few draws to the planned steps of one message."""

from __future__ import annotations

from typing import Final, NamedTuple

from simulator.draws import Draws
from simulator.outcomes import Outcome
from simulator.settings import Timeline

# Where each decision takes its random number, so that none shifts another.
_SENT, _DELIVERED, _LATE, _LATE_BY, _READ_BY, _FATE, _READ, _FAIL_BY, _FAIL_CODE, _FAIL_SENT, _HELD = range(11)
LATENCY: Final = 11  # and 12
SLOW: Final = 13
DROP: Final = 14
EARLY: Final = 15
_UNKNOWN: Final = 131000


class Step(NamedTuple):
    """Something that happens `offset` simulated seconds after the accept: a status, or `effect.<name>`."""

    offset: float
    what: str
    code: int = 0


def plan(*, outcome: Outcome | None, draws: Draws, settings: Timeline) -> list[Step]:
    """Returns the steps of a message, the earliest first."""
    if outcome is None:
        return _by_chance(draws, settings)
    if outcome.silent:
        return []
    if outcome.held:
        return _held(outcome, draws, settings)
    if outcome.statuses:
        steps = _in_order(outcome, draws, settings)
    elif outcome.fail:
        steps = _failing(outcome.fail, draws, settings, after_sent=outcome.after_sent)
    else:
        steps = _by_chance(draws, settings)
    steps.extend(Step(steps[-1].offset, "effect." + effect) for effect in outcome.effects if not outcome.refuse)
    return _repeated(steps, settings) if outcome.repeat else steps


def _by_chance(draws: Draws, settings: Timeline) -> list[Step]:
    if draws.chance(_FATE, settings.failure_rate) and settings.failure_codes:
        codes = settings.failure_codes
        code = codes[int(draws.unit(_FAIL_CODE) * len(codes))]
        after_sent = draws.chance(_FAIL_SENT, settings.failure_after_sent_rate)
        return _failing(code, draws, settings, after_sent=after_sent)
    sent = _sent(draws, settings)
    fate = draws.unit(_FATE) - settings.failure_rate
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
    if draws.chance(EARLY, settings.sent_before_answer_rate):
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
    offset = _sent(draws, settings)
    steps = []
    for number, status in enumerate(outcome.statuses):
        if number:
            offset += draws.between(_DELIVERED if number == 1 else _FAIL_BY, settings.delivered_delay)
        steps.append(Step(offset, status, (outcome.fail or _UNKNOWN) if status == "failed" else 0))
    return steps


def _held(outcome: Outcome, draws: Draws, settings: Timeline) -> list[Step]:
    held = draws.between(_HELD, settings.held_delay)
    if outcome.held == "drop":
        return [Step(held, "failed", 132015), Step(held, "effect.template_paused")]
    return [step._replace(offset=step.offset + held) for step in _by_chance(draws, settings)]


def _repeated(steps: list[Step], settings: Timeline) -> list[Step]:
    again = [step._replace(offset=step.offset + settings.repeat_delay) for step in steps]
    return sorted([*steps, *steps, *again], key=lambda step: step.offset)
