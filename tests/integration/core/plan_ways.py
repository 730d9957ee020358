"""Who runs a statement and how it is planned there; which tables grow, and which of them may be read whole."""

from enum import StrEnum
from typing import Final

from core.db import WALKS_INDEXES

LARGE: Final = frozenset(
    {
        "campaigns",
        "category_contacts",
        "consent_events",
        "contacts",
        "counters",
        "interactions",
        "message_attempts",
        "messages",
        "minute_counters",
        "replied_messages",
        "webhook_deliveries",
    }
)
# What may read a whole table. Of campaigns there are few beside what is in them, and most of these ask seldom, or for
# many of them; of attempts and minutes there may be too few for an index to be worth it.
WHOLE: Final[dict[str, set[str]]] = {
    "campaign_states.reopen_unfinished_campaigns": {"campaigns"},
    "categories.find_category_campaign": {"campaigns"},
    "consent.skip_marketing_messages": {"campaigns"},
    "doubts.resend_doubts": {"campaigns"},
    "erasure.forget_checkpoints": {"campaigns"},
    "pauses.pause_account_campaigns": {"campaigns"},
    "pauses.pause_sender_campaigns": {"campaigns"},
    "receipts.lock_messages": {"campaigns"},
    "recounts.take_next_scope": {"campaigns"},
    "sending.record_late_accepts": {"message_attempts"},
    "stats.fold_minutes": {"minute_counters"},
}


class Way(StrEnum):
    """Says on whose connection a statement runs, and so how it is planned."""

    API = "the API"
    WORKER = "a worker"
    BY_KEYS = "a worker that enters by keys"


# The planner's settings on these connections, and whether a plan for any values may be kept there.
SETTINGS: Final[dict[Way, tuple[dict[str, str], bool]]] = {
    Way.API: (dict(WALKS_INDEXES), True),
    Way.WORKER: ({}, False),
    Way.BY_KEYS: ({"enable_seqscan": "off"}, False),
}
# Who runs the statements of a noun, or a statement by its name; all others are the API's.
RUN_BY: Final[dict[str, set[Way]]] = {
    "backlogs.get_queue": {Way.WORKER},
    "campaign_states.cancel_messages_page": {Way.WORKER},
    "campaign_states.complete_finished_campaigns": {Way.WORKER},
    "campaign_states.list_final_campaigns": {Way.WORKER},
    "campaign_states.list_unexpanded_campaigns": {Way.WORKER},
    "campaign_states.list_unswept_campaigns": {Way.WORKER},
    "campaign_states.lock_finished_campaigns": {Way.WORKER},
    "campaign_states.reopen_unfinished_campaigns": {Way.WORKER},
    "campaign_states.start_due_campaigns": {Way.WORKER},
    "campaigns.get_campaign": {Way.API, Way.WORKER},
    "consent": {Way.API, Way.BY_KEYS},
    "deliveries": {Way.WORKER},
    "deliveries.append_deliveries": {Way.API},
    "deliveries.find_traced_deliveries": {Way.API},
    "deliveries.find_untraced_deliveries": {Way.API},
    "deliveries.mark_applied": {Way.BY_KEYS},
    "deliveries.mark_heard": {Way.BY_KEYS},
    "deliveries.redact_deliveries": {Way.API, Way.BY_KEYS},
    "doubts": {Way.WORKER},
    "erasure.delete_old_erasures": {Way.WORKER},
    "erasure.find_erasures": set(Way),
    "expansion": {Way.WORKER},
    "idempotency.purge": {Way.WORKER},
    "identities": {Way.API, Way.BY_KEYS},
    "inbound": {Way.BY_KEYS},
    "inbound.find_matches": {Way.API, Way.BY_KEYS},
    "pauses": {Way.WORKER, Way.BY_KEYS},
    "pumps": {Way.WORKER},
    "receipts": {Way.BY_KEYS},
    "recounts": {Way.WORKER},
    "replays": {Way.BY_KEYS},
    "resumptions": set(Way),
    "retries": {Way.WORKER},
    "retries.count_may_arrive": {Way.API},
    "retries.count_resting": {Way.API},
    "retries.count_retryable": {Way.API},
    "retries.find_page": {Way.API, Way.BY_KEYS},
    "retries.put_back": {Way.API, Way.BY_KEYS},
    "sending": {Way.WORKER},
    "sending.record_late_accepts": {Way.BY_KEYS},
    "sending.settle_by_late_accepts": {Way.BY_KEYS},
    "sending.settle_messages": {Way.WORKER, Way.BY_KEYS},
    "shards": {Way.BY_KEYS},
    "stats.fold_minutes": {Way.WORKER},
}
