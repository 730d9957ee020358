"""The rules of templates: what may be sent and to whom; their parts are in template_parts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from core.domain.template_parts import Component, Parameter, find_parameters


class TemplateState(StrEnum):
    """Says whether WhatsApp takes the template; only APPROVED may be sent."""

    APPROVED = "APPROVED"
    PENDING = "PENDING"
    REJECTED = "REJECTED"
    PAUSED = "PAUSED"
    DISABLED = "DISABLED"
    DELETED = "DELETED"
    OTHER = "OTHER"


class TemplateCategory(StrEnum):
    """Says what a template is for; consent rules depend on it."""

    MARKETING = "MARKETING"
    UTILITY = "UTILITY"
    AUTHENTICATION = "AUTHENTICATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """Is a message form as last synced; ``quality`` is UNKNOWN or a traffic light."""

    id: UUID
    whatsapp_account_id: str
    whatsapp_template_id: str
    template_name: str
    language_code: str
    template_category: TemplateCategory
    state: TemplateState
    parameter_format: str
    components: tuple[Component, ...]
    quality: str
    rejected_reason: str
    sync_time: datetime
    create_time: datetime
    update_time: datetime

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Returns what a campaign has to bind, in order of component, button and position."""
        return find_parameters(self.components)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTemplate:
    """Is a template as WhatsApp lists it, in our words; ``components`` stay as they came."""

    whatsapp_template_id: str
    template_name: str
    language_code: str
    template_category: TemplateCategory
    state: TemplateState
    parameter_format: str
    components: list[dict[str, Any]]
    quality: str
    rejected_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFilter:
    """Selects templates; what is empty selects any."""

    state: str = ""
    template_name: str = ""
    language_code: str = ""
    whatsapp_account_id: str = ""
    template_category: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncCounts:
    """Says what a sync changed."""

    created_count: int
    updated_count: int
    unchanged_count: int
    deleted_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtedTemplates:
    """Names templates of an account, by WhatsApp's ids, that it refused though it had approved them.

    `sender_id` is one of the account's; `pause_time` is when a campaign was last paused for such a refusal.
    """

    sender_id: UUID
    whatsapp_template_ids: list[str]
    pause_time: datetime
