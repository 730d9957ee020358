"""Simulator, shapes of a seed: what the accounts of a seed file or a scenario may hold."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from simulator.shapes import Count, RateOfNumber

Identifier = Annotated[str, Field(pattern=r"^[0-9]{1,20}$")]
Text = Annotated[str, Field(max_length=512)]


class _Item(BaseModel):
    """An object of the seed: unknown names are refused, what is absent keeps its default."""

    model_config = ConfigDict(extra="forbid", strict=True)


class PortfolioItem(_Item):
    """A Meta business."""

    id: Identifier
    tier: Text = ""


class TemplateItem(_Item):
    """A template; `components` are written as the Graph API writes them."""

    id: Identifier = ""
    name: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,512}$")]
    language: Annotated[str, Field(min_length=1, max_length=16)]
    status: Text = ""
    category: Text
    components: list[dict[str, Any]] = []
    parameter_format: Text = ""
    sub_category: Text = ""
    previous_category: Text = ""
    correct_category: Text = ""
    rejected_reason: Text = ""
    quality: Text = ""
    message_send_ttl_seconds: Count = 0
    library_template_name: Text = ""


class NumberItem(_Item):
    """A business phone number; `throughput` is messages per second, `burst` the size of its bucket."""

    id: Identifier
    display_phone_number: Annotated[str, Field(min_length=5, max_length=40)]
    verified_name: Text = ""
    throughput: RateOfNumber = 80
    burst: RateOfNumber = 80
    quality: Text = ""
    tier: Text = ""
    status: Text = ""
    name_status: Text = ""
    code_verification_status: Text = ""
    platform_type: Text = ""
    account_mode: Text = ""
    allowed_recipients: list[Text] = []


class WabaItem(_Item):
    """A WhatsApp Business Account with its numbers and templates."""

    id: Identifier
    name: Text = ""
    portfolio_id: Identifier = ""
    callback_url: Annotated[str, Field(max_length=2000)] = ""
    disable_marketing_messages_on_cloud_api: bool = False
    marketing_onboarded: bool = True
    phone_numbers: list[NumberItem] = []
    templates: list[TemplateItem] = []


class SeedShape(_Item):
    """All accounts of one world."""

    portfolios: list[PortfolioItem] = []
    wabas: Annotated[list[WabaItem], Field(min_length=1)]
