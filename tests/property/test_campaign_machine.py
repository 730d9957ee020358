"""Any life of a campaign, moved by two callers at once: only legal steps, each contact planned once, none left over."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from core.db import Database
from core.domain.campaigns import PauseSource
from core.domain.errors import Conflict, WrongState
from core.domain.messages import MessageState
from core.domain.outcomes import Settlement
from core.domain.stats import DEPLOYMENT
from core.repositories.rooms import Store
from core.repositories.sending import BOTTOM, Claim
from tests.helpers.campaign_rows import add_campaign, add_category, add_contacts, add_sender, add_template
from tests.property.stage import MISCOUNTED, START, pace

# From where each verb leads, and whereto; else it is refused. STOPPED is what an error paused; a user may take it over.
VERBS = {
    "schedule": ({"DRAFT", "SCHEDULED"}, "SCHEDULED"),
    "start": ({"DRAFT", "SCHEDULED"}, "RUNNING"),
    "pause": ({"RUNNING", "STOPPED"}, "PAUSED"),
    "resume": ({"PAUSED", "STOPPED"}, "RUNNING"),
    "cancel": ({"DRAFT", "SCHEDULED", "RUNNING", "PAUSED", "STOPPED"}, "CANCELLED"),
}
LIVE = {"RUNNING", "PAUSED", "STOPPED"}
OPEN = ("PENDING", "SENDING", "UNCONFIRMED")
PEOPLE = 5
verb = st.sampled_from(sorted(VERBS))
_EMPTY = """
    TRUNCATE campaigns, messages, message_attempts, contacts, categories, category_contacts, templates, senders, pumps,
        counters, minute_counters CASCADE"""

_ROW = """
    SELECT CASE WHEN state = 'PAUSED' AND pause_source <> 'USER' THEN 'STOPPED' ELSE state END AS state,
        expand_complete_time, audience_count
    FROM campaigns"""


class WorkerDiedError(Exception):
    """Stands for a worker that is killed before its commit."""


class Callers:
    """A database several callers use at once; an event loop of its own; emptied for each example."""

    def __init__(self, database_url: str) -> None:
        self._runner = asyncio.Runner()
        self._database = Database(url=database_url, pool_size=3)

    def __enter__(self) -> "Callers":
        self.run(self._database.__aenter__())
        self.store = Store(self._database)
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._database.__aexit__(None, None, None))
        self._runner.close()

    def run(self, work: Any) -> Any:
        """Carries out one piece of work."""
        return self._runner.run(work)

    def fetch(self, statement: str, *arguments: object) -> list[Any]:
        """Returns the rows of a statement."""

        async def work() -> list[Any]:
            async with self._database.connection() as connection:
                return await connection.fetch(statement, *arguments)

        return list(self.run(work()))

    async def plan(self, *, listed: list[int], excluded: list[int], everyone: bool) -> tuple[UUID, list[UUID]]:
        """Makes a draft and its people."""
        async with self._database.connection() as connection:
            await connection.execute(_EMPTY)
            people = await add_contacts(connection, PEOPLE)
            wanted = [
                await add_category(connection, [people[n] for n in part], name=name)
                for name, part in (("all", listed), ("some of them too", listed[:2]))
            ]
            unwanted = [await add_category(connection, [people[n] for n in excluded], name="unwanted")]
            campaign_id = await add_campaign(
                connection,
                sender_id=await add_sender(connection),
                template_id=await add_template(connection),
                state="DRAFT",
                categories=None if everyone else wanted,
                excluded=unwanted,
            )
        return campaign_id, people


class CampaignMachine(RuleBasedStateMachine):
    """One campaign to five people, of whom some are listed twice and some are excluded."""

    def __init__(self, callers: Callers) -> None:
        super().__init__()
        self.callers = callers

    @initialize(
        listed=st.sets(st.integers(0, 4)), excluded=st.sets(st.integers(0, 4), max_size=2), everyone=st.booleans()
    )
    def begin(self, listed: set[int], excluded: set[int], everyone: bool) -> None:
        made = self.callers.plan(listed=sorted(listed), excluded=sorted(excluded), everyone=everyone)
        self.campaign_id, people = self.callers.run(made)
        self.audience = {people[n] for n in (range(PEOPLE) if everyone else listed) if n not in excluded}
        self.state, self.due, self.now, self.expanded = "DRAFT", START, START, False
        self.held: list[Claim] = []

    # People.

    @rule(verb=verb)
    def a_verb_is_called(self, verb: str) -> None:
        self._expect(verb, self.callers.run(self._call(verb)))

    @rule(one=verb, other=verb)
    def two_call_at_once(self, one: str, other: str) -> None:
        """They end as if one had come after the other, in either order."""

        async def both() -> list[bool]:
            return list(await asyncio.gather(self._call(one), self._call(other)))

        done = self.callers.run(both())
        ends = [_outcome(self.state, one, other), _outcome(self.state, other, one)]
        ends[1] = (ends[1][0], ends[1][1][::-1])
        found = (self._row()["state"], done)
        assert found in ends, (self.state, one, other)
        self.state = found[0]

    async def _call(self, verb: str) -> bool:
        named: dict[str, Any] = {"at": self.now}
        if verb == "schedule":
            self.due = named["schedule_time"] = self.now + timedelta(seconds=30)
        if verb == "pause":
            named["source"] = PauseSource.USER
        try:
            async with self.callers.store.transaction() as rooms:
                await getattr(rooms.campaign_states, f"{verb}_campaign")(self.campaign_id, **named)
        except (WrongState, Conflict):  # the second: somebody else moved it in between
            return False
        return True

    def _expect(self, verb: str, done: bool) -> None:
        state, [legal] = _outcome(self.state, verb)
        assert done == legal, (self.state, verb)
        self.state = state

    # WhatsApp.

    @rule()
    def its_template_is_paused(self) -> None:
        stopped = self._do(
            lambda rooms: rooms.pauses.pause_template_campaigns(
                campaign_id=self.campaign_id, reason="", code=132015, fail_time=self.now
            )
        )
        assert bool(stopped) == (self.state == "RUNNING")
        self.state = "STOPPED" if stopped else self.state

    @rule()
    def its_template_is_approved_again(self) -> None:
        freed = self._do(
            lambda rooms: rooms.resumptions.resume_template_campaigns(["900"], codes=[132015], at=self.now)
        )
        assert bool(freed) == (self.state == "STOPPED")
        self.state = "RUNNING" if freed else self.state

    # Workers.

    @rule(size=st.integers(1, 3), dies=st.booleans())
    def a_page_is_planned(self, size: int, dies: bool) -> None:
        async def work() -> bool:
            async with self.callers.store.transaction() as rooms:
                page = await rooms.expansion.expand_page(self.campaign_id, size)
                if dies:
                    raise WorkerDiedError
                return page.is_complete

        before = self._planned()
        try:
            complete = self.callers.run(work())
        except WorkerDiedError:
            assert self._planned() == before
            return
        if self.state in LIVE:
            self.expanded = complete
        else:
            assert self._planned() == before

    @rule(size=st.integers(1, 3))
    def two_workers_plan(self, size: int) -> None:
        async def page() -> bool:
            async with self.callers.store.transaction() as rooms:
                return (await rooms.expansion.expand_page(self.campaign_id, size)).is_complete

        async def both() -> list[bool]:
            return list(await asyncio.gather(page(), page()))

        complete = any(self.callers.run(both()))
        if self.state in LIVE:
            self.expanded = complete

    @rule(limit=st.integers(1, 4))
    def a_worker_claims(self, limit: int) -> None:
        floors = {self.campaign_id: BOTTOM}
        claims = self._do(lambda rooms: rooms.sending.claim_messages(floors, limit=limit, lease_seconds=60))
        claim = claims[self.campaign_id]
        assert not claim.count or self.state == "RUNNING"
        self.held += [claim] if claim.messages else []

    @rule(state=st.sampled_from([MessageState.ACCEPTED, MessageState.FAILED, MessageState.PENDING]))
    def a_worker_settles(self, state: MessageState) -> None:
        if not self.held:  # no precondition: who of two callers came first differs when a life is played again
            return
        wamid = "wamid.1" if state is MessageState.ACCEPTED else None
        claim = self.held.pop()
        told = [Settlement(ref=one.ref, state=state, whatsapp_message_id=wamid) for one in claim.messages]
        self._do(lambda rooms: rooms.sending.settle_messages(told))

    @rule(seconds=st.sampled_from([1, 31]))
    def the_keeper_comes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        started = self._do(lambda rooms: rooms.campaign_states.start_due_campaigns(at=self.now))
        due = self.state == "SCHEDULED" and self.due <= self.now
        assert bool(started.started) == due
        self.state = "RUNNING" if due else self.state
        left = [state for state in self._states() if state in OPEN]
        done = self._do(lambda rooms: rooms.campaign_states.complete_finished_campaigns(at=self.now))
        assert bool(done) == (self.state == "RUNNING" and self.expanded and not left)
        self.state = "COMPLETED" if done else self.state
        self._do(lambda rooms: rooms.campaign_states.cancel_messages_page(self.campaign_id, limit=10))
        self._do(lambda rooms: rooms.shards.fold_state_counters(after=DEPLOYMENT, limit=10))
        assert self.state != "CANCELLED" or "PENDING" not in self._states()

    # What must hold.

    @invariant()
    def the_campaign_is_where_its_verbs_led(self) -> None:
        row = self._row()
        assert row["state"] == self.state
        assert (row["expand_complete_time"] is not None) == self.expanded
        assert row["audience_count"] == len(self._planned())

    @invariant()
    def each_is_planned_once_and_nobody_who_is_excluded(self) -> None:
        planned = self._planned()
        assert len(planned) == len(set(planned))
        assert set(planned) <= self.audience
        assert not self.expanded or set(planned) == self.audience

    @invariant()
    def the_counters_equal_the_rows(self) -> None:
        assert self.callers.fetch(MISCOUNTED) == []

    def _do(self, verb: Any) -> Any:
        async def work() -> Any:
            async with self.callers.store.transaction() as rooms:
                return await verb(rooms)

        return self.callers.run(work())

    def _row(self) -> Any:
        return self.callers.fetch(_ROW)[0]

    def _planned(self) -> list[UUID]:
        return [row["contact_id"] for row in self.callers.fetch("SELECT contact_id FROM messages ORDER BY contact_id")]

    def _states(self) -> list[str]:
        return [row["state"] for row in self.callers.fetch("SELECT state FROM messages")]


def _outcome(state: str, *verbs: str) -> tuple[str, list[bool]]:
    """Returns where verbs lead one after the other, and which of them are taken."""
    taken = []
    for each in verbs:
        sources, target = VERBS[each]
        taken.append(state in sources)
        state = target if taken[-1] else state
    return state, taken


@pytest.mark.timeout(3600)
def test_whatever_is_called_on_a_campaign_it_moves_as_the_design_says(fresh_database_url: str) -> None:
    with Callers(fresh_database_url) as callers:
        maker = partial(CampaignMachine, callers)
        run_state_machine_as_test(maker, settings=pace(examples=30, steps=25))  # type: ignore[arg-type]  # any maker will do
