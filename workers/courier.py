"""One attempt on the wire: the payload, the last look at the lease, the POST, and what its answer says."""

import asyncio
import logging
from uuid import UUID

from core.domain.direct import Directed
from core.domain.outcomes import NotSent, Outcome, Refused, Unknown
from core.repositories.pumps import PumpedSender
from core.repositories.sending import RunningCampaign
from core.whatsapp.errors import verdict
from core.whatsapp.payloads import TemplateForm, template_payload, text_payload
from workers.engine import Engine
from workers.lease import Lease
from workers.parcels import Parcel

_log = logging.getLogger(__name__)

_NO_TOKEN = 190
_INVALID = 100


class Courier:
    """Carries one sender's messages to WhatsApp; what an attempt makes of its message is not its concern."""

    def __init__(self, *, engine: Engine, sender: PumpedSender, token: str, lease: Lease) -> None:
        self._engine = engine
        self._sender = sender
        self._token = token
        self._lease = lease
        self._forms: dict[UUID, TemplateForm] = {}

    async def deliver(self, parcel: Parcel) -> Outcome:
        """Makes one attempt and returns what came of it; never raises."""
        try:
            return await self._attempt(parcel)
        except asyncio.CancelledError:
            # A call that outlived its own timeout: said now, the doubt need not wait for the lease's end.
            return Unknown(reason="the worker stopped before the answer came")
        except Exception as error:
            # Nobody foresaw it, so it may have left. The error's text may quote what it was given; its type does not.
            _log.error("an attempt failed", extra={"error": type(error).__name__})
            return Unknown(reason=f"{type(error).__name__} of our own")

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
        if self._engine.safeguards.lease_check:
            if start >= parcel.deadline or not self._lease.holds(start):
                return NotSent(reason="the lease has ended")
            if start >= parcel.stale_time:
                return NotSent(reason="its moment has passed")
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
