"""A message as people are shown it, and what may be asked of a list of messages."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from core.domain.campaigns import CampaignState
from core.domain.messages import MessageState
from core.domain.stats import is_quiet
from core.domain.time_ranges import ANY_TIME, TimeRange


class Message(NamedTuple):
    """Is one template (or text) to one contact and what became of it; no contact: the person was erased.

    A page holds a thousand, and a tuple is made of a row in a tenth of the time that a dataclass takes.
    """

    campaign_id: UUID
    id: UUID
    contact_id: UUID | None
    sender_id: UUID
    template_id: UUID | None
    state: MessageState
    reason: str
    error_code: int
    error_title: str
    attempt: int
    retry_count: int
    whatsapp_message_id: str | None
    not_before_time: datetime
    doubt_time: datetime | None
    create_time: datetime
    accept_time: datetime | None
    send_time: datetime | None
    deliver_time: datetime | None
    read_time: datetime | None
    fail_time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFilter:
    """Selects messages: every part that is set must match."""

    state: MessageState | None = None
    contact_id: UUID | None = None
    planned: TimeRange = ANY_TIME


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignMessages:
    """Holds some messages of one campaign, and what tells whether the campaign's messages still move."""

    messages: tuple[Message, ...]
    campaign_state: CampaignState
    campaign_end_time: datetime

    def is_quiet(self, *, at: datetime) -> bool:
        """Tells whether the campaign is over for so long that hardly a receipt will come."""
        return is_quiet(self.campaign_state, end_time=self.campaign_end_time, at=at)
