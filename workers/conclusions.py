"""What follows from an attempt: its message's settlement, what it told of the contact, and the aftermath."""

import logging
from uuid import UUID

from core.domain.outcomes import Accepted, NotSent, Outcome, Refused, Unknown, settlement
from workers.aftermath import Aftermath
from workers.engine import Engine
from workers.parcels import Parcel
from workers.settler import Settler
from workers.tellings import telling

_log = logging.getLogger(__name__)


class Conclusions:
    """Draws what follows from the outcomes of one sender's attempts, and of parcels that make none."""

    def __init__(self, *, engine: Engine, sender_id: UUID, settler: Settler, aftermath: Aftermath) -> None:
        self._engine = engine
        self._sender_id = sender_id
        self._settler = settler
        self._aftermath = aftermath

    async def draw(self, parcel: Parcel, outcome: Outcome) -> None:
        """Has an outcome settled, and slows the sender or pauses campaigns where it calls for that."""
        self._have_settled(parcel, outcome)
        try:
            await self._aftermath.consider(parcel.campaign, outcome)
        except Exception:
            # Of this message all is in the settler's hands, and the next one that ends like it calls for the same.
            _log.exception("the consequences of an outcome could not be drawn")

    def put_back(self, parcel: Parcel, reason: str) -> None:
        """Has a parcel settled that did not leave: its message is due again at once."""
        self._have_settled(parcel, NotSent(reason=reason))

    def _have_settled(self, parcel: Parcel, outcome: Outcome) -> None:
        """Hands the settler what an outcome makes of its message, and what it tells of the contact."""
        engine, claimed = self._engine, parcel.claimed
        engine.metrics.sent(_result(outcome))
        told = telling(claimed.contact_id, outcome, sender_id=self._sender_id, at=engine.clock.now())
        made = settlement(claimed, outcome, direct=parcel.campaign.direct, luck=engine.luck())
        self._settler.add(made, told)
        if isinstance(outcome, Refused):
            engine.unknown_codes.heed(outcome.code, outcome.verdict)
        if not isinstance(outcome, Accepted):
            _log.info("a message was not accepted", extra=_described(parcel, outcome))


def _result(outcome: Outcome) -> str:
    """Names what came of an attempt, as it is counted: WhatsApp's refusals by their class."""
    match outcome:
        case Accepted():
            return "HELD" if outcome.held else "ACCEPTED"
        case Refused():
            return outcome.verdict.error_class.value
        case NotSent():
            return "NOT_SENT"
        case Unknown():
            return "LOST"


def _described(parcel: Parcel, outcome: Outcome) -> dict[str, object]:
    ref = parcel.claimed.ref
    said = (
        {"code": outcome.code, "error_class": outcome.verdict.error_class.value} if isinstance(outcome, Refused) else {}
    )
    return {
        "campaign_id": str(ref.campaign_id),
        "message_id": str(ref.message_id),
        "attempt": ref.attempt,
        "outcome": type(outcome).__name__,
        "reason": getattr(outcome, "reason", ""),
        **said,
    }
