"""The judge: compares what should have been sent with WhatsApp's own list, with the rows and with the counters."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from chappe_client import Chappe

from cli.truth import compare
from stack.stack import Stack
from tests.chaos import rows
from tests.chaos.campaign import Running
from tests.chaos.truth import Accepted, Truth

_OLDEST_STATISTICS_SECONDS = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a run came to; `problems` says in words why it failed."""

    contacts: int
    lost: int
    doubled: int
    in_doubt: int
    unsettled: int
    states: dict[str, int]
    counters: dict[str, int]
    resent: int
    untrue: int
    most_in_a_second: int
    limit: float
    judges_pace: bool
    throttled: int
    deadlocks: int
    accepted: Accepted
    differences: list[str] = field(default_factory=list)

    @property
    def is_too_fast(self) -> bool:
        """Whether some second saw more than the limit; a directed run is about other things."""
        return self.judges_pace and self.most_in_a_second > self.limit

    @property
    def problems(self) -> list[str]:
        """Returns every promise that was broken."""
        found = {
            f"{self.lost} contacts without a message": self.lost,
            f"{self.doubled} contacts with two": self.doubled,
            f"{self.in_doubt} messages in SENDING or UNCONFIRMED": self.in_doubt,
            f"{self.unsettled - self.in_doubt} messages still PENDING": self.unsettled - self.in_doubt,
            f"counters {self.counters} are not the rows {self.states}": self.counters != self.states,
            f"{self.untrue} differences between rows and truth": self.untrue,
            f"{self.most_in_a_second} in one second, allowed {self.limit:g}": self.is_too_fast,
            f"{self.throttled} times told to slow down": self.throttled,
            f"{self.deadlocks} deadlocks": self.deadlocks,
        }
        return [text for text, wrong in found.items() if wrong]


async def judge(stack: Stack, client: Chappe, truth: Truth, running: Running) -> Verdict:
    """Reads all sides and returns what they come to."""
    accepted = await truth.accepted()
    seen = await rows.read(stack.servers.postgres.url(), running.campaign_id)
    differences = await _differences(stack, client, running)
    got = accepted.times_by_contact
    return Verdict(
        contacts=len(running.contacts),
        lost=len(running.contacts - set(got)),
        doubled=sum(times > 1 for times in got.values()),
        in_doubt=seen.states["SENDING"] + seen.states["UNCONFIRMED"],
        unsettled=seen.unsettled,
        states=dict(sorted(seen.states.items())),
        counters=dict(sorted(seen.counters.items())),
        resent=seen.resent,
        untrue=len(differences),
        most_in_a_second=await truth.most_in_a_second(),
        limit=running.messages_per_second,
        judges_pace=running.judges_pace,
        throttled=await truth.throttled(),
        deadlocks=_deadlocks(stack.directory / "postgres.log"),
        accepted=accepted,
        differences=differences,
    )


async def is_settled(stack: Stack, truth: Truth, running: Running) -> bool:
    """Tells whether nothing is left to happen: nothing unsettled, every receipt applied."""
    if not await truth.is_quiet():
        return False
    seen = await rows.read(stack.servers.postgres.url(), running.campaign_id)
    return seen.states == {"READ": len(running.contacts)}


async def _differences(stack: Stack, client: Chappe, running: Running) -> list[str]:
    """Compares twice if need be: the statistics of a running campaign may be as old as the contract says."""
    first = await compare(client, running.campaign.name, stack.simulator_url)
    if not first.differences:
        return []
    await asyncio.sleep(_OLDEST_STATISTICS_SECONDS)
    return (await compare(client, running.campaign.name, stack.simulator_url)).differences


def _deadlocks(log_file: Path) -> int:
    return log_file.read_text(errors="replace").count("deadlock detected")
