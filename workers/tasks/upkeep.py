"""Chores of the keeper (CHORES in keeper.py), and two errands it sends for once a minute (scouts.py)."""

import logging
from datetime import timedelta
from functools import partial
from uuid import UUID

from core.cache import campaign_generation
from core.domain.receipts import TRIED_AGAIN_WITHIN
from core.domain.stats import DEPLOYMENT
from core.domain.traces import ERASURES_KEPT
from core.repositories.doubts import Decided
from core.repositories.shards import Shards
from workers.engine import Engine

_log = logging.getLogger(__name__)

_PAGE = 2000
# So many campaigns' counters are folded at once, a few thousand rows: a writer that meets them waits for milliseconds.
_CAMPAIGNS_FOLDED = 50
_HEARTBEATS_KEPT = timedelta(days=1)
_DELIVERIES_KEPT = timedelta(days=7)
_REPLIES_KEPT = timedelta(hours=24)
_ANNOUNCEMENTS_KEPT = timedelta(days=90)
# A message is put back so long after it was accepted at the most, and its campaign was open then.
REOPENED_FOR = TRIED_AGAIN_WITHIN + timedelta(days=2)
_MINUTES_KEPT = timedelta(days=2)  # far longer than any grace: the evidence rule reads them


async def start_campaigns(engine: Engine) -> None:
    """Starts the campaigns whose time has come."""
    async with engine.store.connection() as rooms:
        done = await rooms.campaign_states.start_due_campaigns(at=engine.clock.now())
    for campaign_id in done.started:
        await engine.wakeups.expand_campaign(campaign_id)
    if done.failed:
        _log.warning("scheduled campaigns could not start", extra={"count": len(done.failed)})


async def resume_campaigns(engine: Engine) -> None:
    """Lets campaigns run on whose restriction was to end by now; a pump is rung for in the same round."""
    async with engine.store.connection() as rooms:
        count = await rooms.resumptions.resume_due_campaigns(at=engine.clock.now())
    if count:
        _log.info("campaigns run on: their restriction has ended", extra={"count": count})


async def complete_campaigns(engine: Engine) -> None:
    """Completes the campaigns that have nothing left to send, and reopens those that have something again."""
    now = engine.clock.now()
    async with engine.store.transaction() as rooms:
        await rooms.campaign_states.complete_finished_campaigns(at=now)
        reopened = await rooms.campaign_states.reopen_unfinished_campaigns(at=now, completed_since=now - REOPENED_FOR)
        rooms.outdate(*map(campaign_generation, reopened))
    if reopened:
        _log.info("campaigns run again: WhatsApp failed messages that are sent again", extra={"count": len(reopened)})


async def expire_leases(engine: Engine) -> None:
    """Puts messages into doubt whose worker is gone: they may have been sent, or not."""
    async with engine.store.connection() as rooms:
        count = await rooms.sending.expire_leases(_PAGE)
    if count:
        engine.metrics.leases_expired(count)
        _log.warning("messages are in doubt: their leases ended", extra={"count": count})


async def judge_doubts(engine: Engine) -> None:
    """Sends again what was, on evidence, not accepted; in a cancelled campaign that is cancelled."""
    settings, evidence = engine.settings, engine.safeguards.evidence
    grace = settings.unconfirmed_grace_seconds
    proven = Decided()
    async with engine.store.transaction() as rooms:
        if not evidence or await rooms.doubts.is_door_heard(grace_seconds=grace):
            proven = await rooms.doubts.resend_on_evidence(
                grace_seconds=grace,
                lease_seconds=settings.lease_seconds,
                limit=_PAGE,
                evidence=evidence,
                walk=engine.doubts_walk,
            )
    _tell_doubts(engine, RESENT_ON_EVIDENCE=proven.resent_count, CANCELLED_ON_EVIDENCE=proven.cancelled_count)


async def decide_doubts(engine: Engine) -> None:
    """Lets each campaign's policy decide over what has been in doubt until the deadline, evidence or none.

    A chore of its own: the deadline holds also where evidence cannot be looked for.
    """
    deadline = engine.settings.unconfirmed_deadline_seconds
    async with engine.store.connection() as rooms:
        decided = await rooms.doubts.decide_doubts(deadline_seconds=deadline, limit=_PAGE)
    _tell_doubts(engine, RESENT_BY_POLICY=decided.resent_count, FAILED=decided.failed_count)


def _tell_doubts(engine: Engine, **counts: int) -> None:
    """Counts what left doubt, by how; and says so when anything did."""
    for outcome, count in counts.items():
        engine.metrics.doubts_ended(outcome, count)
    if any(counts.values()):
        _log.warning("doubts were judged", extra={outcome.lower(): count for outcome, count in counts.items()})


async def delete_old_rows(engine: Engine) -> None:
    """Deletes what is too old to be evidence or to be asked for again, and folds old minutes into hours."""
    now = engine.clock.now()
    async with engine.store.connection() as rooms:
        await rooms.deliveries.delete_old_heartbeats(before=now - _HEARTBEATS_KEPT)
        await rooms.erasure.delete_old_erasures(before=now - ERASURES_KEPT)
        for page in (
            partial(rooms.deliveries.delete_old_deliveries, before=now - _DELIVERIES_KEPT, limit=_PAGE),
            partial(rooms.account_events.delete_old_events, before=now - _ANNOUNCEMENTS_KEPT, limit=_PAGE),
            partial(rooms.idempotency.purge, before=now - _REPLIES_KEPT, limit=_PAGE),
            partial(rooms.stats.fold_minutes, before=now - _MINUTES_KEPT, limit=_PAGE),
        ):
            # To the last page: what comes in faster than one page a time would grow for ever.
            while not engine.stopping.is_set() and await page() > 0:
                pass


async def fold_counters(engine: Engine) -> None:
    """Folds the counters of campaigns that are over, of each that has shards once, so that reading them stays short."""
    for fold in (Shards.fold_state_counters, Shards.fold_reply_counters):
        last: UUID | None = DEPLOYMENT
        while last is not None and not engine.stopping.is_set():
            async with engine.store.transaction() as rooms:
                await rooms.transactions.enter_by_keys()
                last = await fold(rooms.shards, after=last, limit=_CAMPAIGNS_FOLDED)
