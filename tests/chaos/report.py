"""What a run came to, as Markdown for the README."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from statistics import median

from tests.chaos.killer import Injection
from tests.chaos.run import Outcome

# What was on the wire when the fault struck may still be accepted for so long.
_IN_FLIGHT_SECONDS = 0.5
_LOOK_BACK_SECONDS = 12.0


def table(outcome: Outcome) -> str:
    """Returns a row for each fault and one for the whole run."""
    verdict, plan = outcome.verdict, outcome.plan
    lines = [
        "| fault | times injected | lost | doubled | back, median / worst | sending again, median / worst |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for fault in plan.faults:
        found = [injection for injection in outcome.injections if injection.fault == fault]
        lines.append(_row(fault, found, outcome))
    share = f"{_share(verdict.lost)} | {_share(verdict.doubled)} | – | –"
    lines += [
        f"| answer lost after the accept | {outcome.lost_answers:,} | {share} |",
        f"| status delivered twice | {outcome.doubled_webhooks:,} | {share} |",
        f"| status up to {plan.late:g} s late, shuffled | {outcome.late_webhooks:,} | {share} |",
        f"| **all of it together** | **{len(outcome.injections) + outcome.lost_answers:,}** "
        f"| **{verdict.lost}** | **{verdict.doubled}** | – | {_settled(outcome)} |",
    ]
    return "\n".join(lines)


def summary(outcome: Outcome) -> str:
    """Returns the figures that stand under the table."""
    verdict, plan = outcome.verdict, outcome.plan
    return "\n".join(
        (
            f"{verdict.contacts:,} contacts, seed {outcome.seed}, grace {plan.grace:g} s, lease {plan.lease:g} s, "
            f"{plan.workers} workers, faults for {outcome.fault_seconds:.0f} s, {outcome.restarts} restarts.",
            f"In SENDING or UNCONFIRMED at the end: {verdict.in_doubt}. Sent again on evidence: {verdict.resent}.",
            f"Rows {verdict.states}; counters {verdict.counters}; differences from the truth: {verdict.untrue}.",
            f"Most in any one second: {verdict.most_in_a_second} (limit {verdict.limit:g}). "
            f"Told to slow down: {verdict.throttled}. Deadlocks: {verdict.deadlocks}.",
            f"Before the fastest second: {_before_fastest(outcome)}.",
            f"Calls through the SDK meanwhile: {outcome.calls}, failed for good: {_failed(outcome)}.",
        )
    )


def _failed(outcome: Outcome) -> str:
    failed = outcome.failed_calls
    return f"{len(failed)} ({'; '.join(failed)})" if failed else "0"


def _row(fault: str, found: Sequence[Injection], outcome: Outcome) -> str:
    verdict = outcome.verdict
    back = [injection.seconds for injection in found if injection.seconds is not None]
    again = [wait for injection in found if (wait := _until_sending(injection.time, outcome)) is not None]
    lost, doubled = _share(verdict.lost), _share(verdict.doubled)
    return f"| {fault} | {len(found)} | {lost} | {doubled} | {_spread(back)} | {_spread(again)} |"


def _share(total: int) -> str:
    """A total of none is none of each fault; more cannot be told apart when faults overlap."""
    return "0" if total == 0 else "?"


def _until_sending(time: float, outcome: Outcome) -> float | None:
    """Seconds from the fault until the next message that cannot have been on the wire; None when none was left.

    Further faults meanwhile count in, and so does the wait for evidence when nothing but doubts is left to send.
    """
    times = outcome.verdict.accepted.accept_times
    position = bisect_right(times, time + _IN_FLIGHT_SECONDS)
    return times[position] - time if position < len(times) else None


def _before_fastest(outcome: Outcome) -> str:
    """The latest faults before the second in which most was accepted: where to look when that was too much."""
    times = outcome.verdict.accepted.accept_times
    first = max(times, key=lambda time: bisect_left(times, time + 1.0) - bisect_left(times, time), default=0.0)
    earlier = [injection for injection in outcome.injections if first - _LOOK_BACK_SECONDS < injection.time < first]
    return ", ".join(f"{injection.fault} {first - injection.time:.1f} s" for injection in earlier) or "no fault"


def _spread(seconds: Sequence[float]) -> str:
    return f"{median(seconds):.1f} s / {max(seconds):.1f} s" if seconds else "–"


def _settled(outcome: Outcome) -> str:
    if outcome.settle_seconds is None:
        return f"**not within {2 * outcome.plan.grace:g} s**"
    return f"**all settled {outcome.settle_seconds:.1f} s after the last**"
