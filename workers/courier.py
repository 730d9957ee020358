"""One attempt on the wire: the last check of the lease, the POST, and what its answer makes of the message."""

import asyncio
import logging
from dataclasses import dataclass
from uuid import UUID

from core.domain.direct import Directed
from core.domain.outcomes import Accepted, Claimed, NotSent, Outcome, Refused, Unknown, settle
from core.repositories.pumps import PumpedSender
from core.repositories.sending import RunningCampaign
from core.whatsapp.errors import verdict
from core.whatsapp.payloads import TemplateForm, template_payload, text_payload
from workers.aftermath import Aftermath
from workers.engine import Engine
from workers.lease import Lease
from workers.settler import Settler
from workers.tellings import telling

_log = logging.getLogger(__name__)

_NO_TOKEN = 190
_INVALID = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A claimed message on its way out; all times are monotonic seconds.

    It may leave at `slot`. From `stale_time` on it is claimed anew instead, since its campaign may have been paused;
    from `deadline` on others may have claimed it.
    """

    claimed: Claimed
    campaign: RunningCampaign
    slot: float
    stale_time: float
    deadline: float


class Courier:
    """Carries one sender's messages to WhatsApp."""

    def __init__(
        self, *, engine: Engine, sender: PumpedSender, token: str, settler: Settler, aftermath: Aftermath, lease: Lease
    ) -> None:
        self._engine = engine
        self._lease = lease
        self._sender = sender
        self._token = token
        self._settler = settler
        self._aftermath = aftermath
        self._forms: dict[UUID, TemplateForm] = {}

    async def deliver(self, parcel: Parcel) -> Outcome:
        """Makes one attempt and returns what became of it."""
        try:
            return await self._attempt(parcel)
        except asyncio.CancelledError:
            # A stop that could not wait any longer: said now, the doubt need not wait for the lease's end.
            return Unknown(reason="the worker stopped before the answer came")

    async def conclude(self, parcel: Parcel, outcome: Outcome) -> None:
        """Hands an outcome to the settler and draws its consequences."""
        self.settle(parcel, outcome)
        try:
            await self._aftermath.consider(parcel.campaign, outcome)
        except Exception:
            # Of this message all is settled, and the next one that ends like it calls for the same.
            _log.exception("the consequences of an outcome could not be drawn")

    def settle(self, parcel: Parcel, outcome: Outcome) -> None:
        """Hands an outcome to the settler."""
        self._engine.metrics.sent(_result(outcome))
        direct, luck = parcel.campaign.direct, self._engine.luck()
        told = telling(parcel.claimed.contact_id, outcome, sender_id=self._sender.id, at=self._engine.clock.now())
        self._settler.add(settle(parcel.claimed, outcome, direct=direct, luck=luck), told)
        if not isinstance(outcome, Accepted):
            _log.info("a message was not accepted", extra=_described(parcel, outcome))

    async def _attempt(self, parcel: Parcel) -> Outcome:
        if not self._token:
            return Refused(verdict=verdict(_NO_TOKEN), code=_NO_TOKEN, title="There is no access token.")
        try:
            payload = self._payload(parcel)
        except (ValueError, KeyError):
            return Refused(verdict=verdict(_INVALID), code=_INVALID, title="The values do not fit the bindings.")
        return await self._post(parcel, payload)

    async def _post(self, parcel: Parcel, payload: dict[str, object]) -> Outcome:
        # A process may be frozen for any time up to this line; from here on the answer decides.
        start = self._engine.clock.monotonic()
        if self._engine.safeguards.lease_check and (start >= parcel.deadline or not self._lease.holds(start)):
            return NotSent(reason="the lease has ended")
        outcome = await self._engine.client.send(
            phone_number_id=self._sender.phone_number_id, token=self._token, payload=payload
        )
        self._engine.metrics.observe_answer(self._engine.clock.monotonic() - start)
        return outcome

    def _payload(self, parcel: Parcel) -> dict[str, object]:
        claimed = parcel.claimed
        if claimed.directed is not None and claimed.directed.content.text:
            return text_payload(
                claimed.directed.content.text,
                ref=claimed.ref,
                phone_number=claimed.phone_number,
                whatsapp_user_id=claimed.whatsapp_user_id,
            )
        return template_payload(
            self._form(parcel),
            ref=claimed.ref,
            parameters=claimed.parameters,
            phone_number=claimed.phone_number,
            whatsapp_user_id=claimed.whatsapp_user_id,
        )

    def _form(self, parcel: Parcel) -> TemplateForm:
        """Returns the template of the message itself where it has one, else its campaign's, read once a run."""
        campaign, directed = parcel.campaign, parcel.claimed.directed
        if directed is not None:
            return _form(campaign, directed)
        if campaign.id not in self._forms:
            self._forms[campaign.id] = _form(campaign, None)
        return self._forms[campaign.id]


def _form(campaign: RunningCampaign, directed: Directed | None) -> TemplateForm:
    source = campaign if directed is None else directed
    return TemplateForm(
        template_name=source.template_name or "",
        language_code=source.language_code or "",
        named=source.parameter_format == "NAMED",
        bindings=campaign.bindings if directed is None else directed.content.bindings,
    )


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
