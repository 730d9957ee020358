"""The safety mechanisms, each with a way to do without it that no setting reaches, and the run that shows its worth."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

QUICK = "everything"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A text to be replaced, exactly once, in a copy of a file."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism:
    """A mechanism; without it, workers get another safeguard, or run from a copy with changed texts."""

    run: str
    safeguard: str = ""
    changes: tuple[Change, ...] = ()


MECHANISMS: Mapping[str, Mechanism] = MappingProxyType(
    {
        "reconciliation": Mechanism(
            run=QUICK,
            changes=(
                Change(
                    path="core/whatsapp/payloads.py",
                    old="match = _CALLBACK.fullmatch(text)",
                    new="match = None",
                ),
            ),
        ),
        "lease_check": Mechanism(run="frozen workers", safeguard="lease_check"),
        "rank_guard": Mechanism(
            run=QUICK,
            changes=(
                Change(
                    path="core/domain/messages.py",
                    old="return heard if presumed or RANKS[heard] > RANKS[state] else state",
                    new="return heard",
                ),
            ),
        ),
        "lock_order": Mechanism(
            run="crowded rows",
            changes=(
                Change(
                    path="core/domain/receipts.py",
                    old="return [merged[key] for key in sorted(merged)]",
                    new="return list(merged.values())",
                ),
                Change(
                    path="sql/queries/receipts.sql",
                    old="ORDER BY messages.campaign_id, messages.id\nFOR UPDATE OF messages;",
                    new="FOR UPDATE OF messages;",
                ),
                Change(
                    path="sql/queries/sending.sql",
                    old="ORDER BY messages.campaign_id, messages.id\n    FOR UPDATE OF messages\n), decided",
                    new="FOR UPDATE OF messages\n), decided",
                ),
            ),
        ),
        "evidence": Mechanism(run="door down", safeguard="evidence"),
    }
)
