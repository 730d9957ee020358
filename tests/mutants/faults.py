"""The faults as data: which text becomes which, and the tests that must turn red."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Names one way to break a safety mechanism; `old` stands exactly once in the file."""

    name: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]


FAULTS = (
    Fault(
        name="rank-guard-off",
        path="core/domain/messages.py",
        old="return heard if presumed or RANKS[heard] > RANKS[state] else state",
        new="return heard",
        tests=("tests/integration/workers/test_receipts.py",),
    ),
    Fault(
        name="lease-check-off",
        path="workers/courier.py",
        old="if start >= parcel.deadline or not self._lease.holds(start):",
        new="if False:",
        tests=("tests/integration/workers/test_pump.py",),
    ),
    Fault(
        name="sent-when-stale",
        path="workers/courier.py",
        old="if start >= parcel.stale_time:",
        new="if False:",
        tests=("tests/integration/workers/test_courier.py",),
    ),
    Fault(
        name="lease-taken-back",
        path="sql/queries/pumps.sql",
        old="WHERE sender_id = $1 AND slot = $2 AND holder = $3\nRETURNING lease_expire_time",
        new="WHERE sender_id = $1 AND slot = $2 AND $3::text <> ''\nRETURNING lease_expire_time",
        tests=("tests/integration/workers/test_lease.py",),
    ),
    Fault(
        name="arrival-guard-off",
        path="workers/departures.py",
        old="if opening <= now or now >= parcel.stale_time:",
        new="if True:",
        tests=("tests/integration/workers/test_arrivals.py",),
    ),
    Fault(
        name="later-ones-taken-for-arrived",
        path="core/domain/underway.py",
        old="lambda one: one[0] < by",
        new="lambda one: True",
        tests=("tests/unit/core/test_arrivals.py",),
    ),
    Fault(
        name="still-ways-trusted",
        path="core/domain/trusted.py",
        old="return max(0, self._count - self._most(per_second))",
        new="return 0",
        tests=("tests/unit/core/test_arrivals.py",),
    ),
    Fault(
        name="signature-check-off",
        path="server/webhooks/signature.py",
        old="return any(matches)",
        new="return True",
        tests=("tests/integration/server/test_webhook_door.py",),
    ),
    Fault(
        name="role-check-off",
        path="server/interceptors/auth.py",
        old="if not call.caller.role.may_act_as(role):",
        new="if False:",
        tests=("tests/integration/server/test_auth.py",),
    ),
    Fault(
        name="lock-order-off",
        path="sql/queries/receipts.sql",
        old="ORDER BY messages.campaign_id, messages.id\nFOR UPDATE OF messages;",
        new="FOR UPDATE OF messages;",
        tests=("tests/integration/workers/test_lock_order.py",),
    ),
    Fault(
        name="attempt-fence-off",
        path="sql/queries/sending.sql",
        old=" AND locked.attempt = input.attempt",
        new="",
        tests=("tests/integration/core/test_sending.py",),
    ),
    Fault(
        name="opt-out-ignored-at-claim",
        path="sql/queries/sending.sql",
        old="WHEN contacts.marketing_consent = 'OPTED_OUT' AND templates",
        new="WHEN false AND templates",
        tests=("tests/integration/core/test_sending.py",),
    ),
    Fault(
        name="opt-out-ignored-at-expansion",
        path="sql/migrations/0010_pre_create_recipients.sql",
        old="AND contacts.marketing_consent = 'OPTED_OUT' THEN 'OPTED_OUT'",
        new="AND false THEN 'OPTED_OUT'",
        tests=("tests/integration/core/test_expansion.py",),
    ),
    Fault(
        name="lost-checkpoint-not-looked-for",
        path="sql/queries/expansion.sql",
        old="AND (NOT $3 OR (",
        new="AND (NOT $3 OR true OR (",
        tests=("tests/integration/core/test_expansion.py",),
    ),
    Fault(
        name="counter-keeps-the-old-state",
        path="sql/migrations/0024_pre_count_skips_and_replies.sql",
        old="-count(*) AS count\n        FROM old_rows GROUP BY 1, 2, 3, 4",
        new="0 AS count\n        FROM old_rows GROUP BY 1, 2, 3, 4",
        tests=("tests/integration/sql/test_counters.py",),
    ),
    Fault(
        name="fold-forgets-what-was-folded",
        path="sql/queries/shards.sql",
        old="SET count = counters.count + excluded.count",
        new="SET count = excluded.count",
        tests=("tests/integration/workers/test_folded.py",),
    ),
    Fault(
        name="start-from-any-state",
        path="sql/queries/campaign_states.sql",
        old="SET state = 'RUNNING', schedule_time = NULL, start_time = $2, run_time = $2, revision = revision + 1, "
        "update_time = $2\n"
        "WHERE id = $1\n    AND kind = 'BULK'\n    AND state IN ('DRAFT', 'SCHEDULED')",
        new="SET state = 'RUNNING', schedule_time = NULL, start_time = $2, run_time = $2, revision = revision + 1, "
        "update_time = $2\n"
        "WHERE id = $1\n    AND kind = 'BULK'",
        tests=("tests/integration/core/test_campaign_states.py",),
    ),
    Fault(
        name="answered-before-stored",
        path="server/webhooks/intake.py",
        old="        self._arrived.set()\n        try:",
        new="        self._arrived.set()\n        done.set_result(None)\n        try:",
        tests=("tests/integration/server/test_webhook_door.py",),
    ),
    Fault(
        name="page-token-of-another-request",
        path="server/wire/page_token.py",
        old="if raw[:_DIGEST_BYTES] != digest or not _is_key(key):",
        new="if not _is_key(key):",
        tests=("tests/unit/server/wire",),
    ),
    Fault(
        name="request-id-forgotten",
        path="server/mutations.py",
        old="            if key is None:\n",
        new="            if True:\n",
        tests=("tests/integration/server/test_mutations.py",),
    ),
    Fault(
        name="generation-not-raised",
        path="core/cache/scripts.py",
        old="return redis.call('INCR', key)",
        new="return redis.call('GET', key)",
        tests=("tests/integration/server/test_cache.py",),
    ),
    Fault(
        name="import-rewrites-unchanged-rows",
        path="sql/queries/contact_imports.sql",
        old="WHERE excluded.whatsapp_user_id <> coalesce(contacts.whatsapp_user_id, '')\n",
        new="WHERE true\n",
        tests=("tests/integration/server/test_contact_imports.py",),
    ),
    Fault(
        name="erased-words-kept",
        path="server/services/erasure.py",
        old="    await _redact_traced(rooms, told, known)\n",
        new="",
        tests=("tests/integration/workers/test_forgotten.py",),
    ),
    Fault(
        name="erased-people-in-what-waited-kept",
        path="workers/tasks/tracing.py",
        old="return {delivery_id: erased.intersection(words) for delivery_id, words in named.items()}",
        new="return {delivery_id: set() for delivery_id in named}",
        tests=("tests/integration/workers/test_waited.py",),
    ),
    Fault(
        name="erasure-beside-what-is-applied",
        path="core/repositories/erasure.py",
        old="            await self.take_turn()\n",
        new="",
        tests=("tests/integration/workers/test_erasures_turn.py",),
    ),
    Fault(
        name="erasure-waits-as-long-as-it-likes",
        path="server/services/erasure.py",
        old="    await rooms.transactions.bound_waits(_LONGEST_WAIT)\n",
        new="",
        tests=("tests/integration/workers/test_erasures_turn.py",),
    ),
    Fault(
        name="stop-waits-its-turn",
        path="server/webhooks/intake.py",
        old="urgent = [may_say_stop(body) for body in bodies]",
        new="urgent = [False for _ in bodies]",
        tests=("tests/integration/workers/test_stop_in_time.py",),
    ),
    Fault(
        name="stop-waits-for-held-messages",
        path="workers/tasks/urgent.py",
        old="                await rooms.transactions.bound_waits(_PATIENCE)\n",
        new="",
        tests=("tests/integration/workers/test_stops_beside_held_rows.py",),
    ),
    Fault(
        name="opt-out-waits-for-what-it-skips",
        path="sql/queries/consent.sql",
        old="FOR UPDATE OF messages SKIP LOCKED",
        new="FOR UPDATE OF messages",
        tests=("tests/integration/workers/test_stops_beside_held_rows.py",),
    ),
    Fault(
        name="single-messages-last",
        path="workers/rounds.py",
        old="if campaigns[0].direct or room >= len(campaigns):\n        return alone[:1]\n",
        new="if room >= len(campaigns):\n        return [one for one in campaigns if not one.direct] or campaigns\n",
        tests=("tests/integration/workers/test_direct.py",),
    ),
    Fault(
        name="turns-begin-anew",
        path="workers/claimer.py",
        old="in_turn(campaigns, self._engine.turns.get(self._sender_id))",
        new="in_turn(campaigns, None)",
        tests=("tests/integration/workers/test_slow_numbers.py",),
    ),
    Fault(
        name="dead-bell-never-rests",
        path="core/queue/wakeups.py",
        old="self._breaker.failed(asked_at=asked_at)",
        new="self._breaker.worked()",
        tests=("tests/integration/workers/test_without_a_bell.py",),
    ),
    Fault(
        name="calls-not-shared",
        path="workers/lines.py",
        old="return self._held[sender_id] < self._free * _TIMES_FREE",
        new="return self._free > 0",
        tests=("tests/integration/workers/test_fairness.py",),
    ),
    Fault(
        name="time-left-during-a-pause",
        path="core/domain/waiting.py",
        old="if backlog.campaign_state is not CampaignState.RUNNING or backlog.is_expanding or reason not in _MOVING:",
        new="if backlog.is_expanding:",
        tests=("tests/unit/core/test_waiting.py",),
    ),
    Fault(
        name="older-announcement-followed",
        path="sql/queries/inbound.sql",
        old="WHERE (announcements.event_time, NOT announcements.is_blocked) < ",
        new="WHERE true OR (announcements.event_time, NOT announcements.is_blocked) < ",
        tests=("tests/integration/workers/test_announcements.py",),
    ),
    Fault(
        name="automatic-pause-not-taken-over",
        path="sql/queries/campaign_states.sql",
        old="pause_time = $2, pause_source = $3, ",
        new="pause_time = $2, pause_source = coalesce(nullif(pause_source, ''), $3), ",
        tests=("tests/integration/workers/test_announcements.py",),
    ),
    Fault(
        name="outcomes-not-bounded",
        path="workers/unwritten.py",
        old="return self.count >= self.most",
        new="return False",
        tests=("tests/integration/workers/test_settler.py",),
    ),
    Fault(
        name="silence-behind-the-front-counts",
        path="sql/queries/doubts.sql",
        old="WHERE counted.unheard_count <= counted.count * 0.5",
        new="WHERE true",
        tests=("tests/integration/workers/test_late_receipts.py",),
    ),
    Fault(
        name="closed-country-called",
        path="workers/claimer.py",
        old="closed = campaign.restricted_countries",
        new="closed: frozenset[str] = frozenset()",
        tests=("tests/integration/workers/test_countries.py",),
    ),
)
