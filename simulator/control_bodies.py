"""Simulator, control bodies: what each control request takes; a name that is not here is refused by name."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulator.outcomes import Outcome
from simulator.shapes import Code, RateOfNumber, Seconds

Json = dict[str, Any]
Text = Annotated[str, Field(max_length=4096)]
Identifier = Annotated[str, Field(min_length=1, max_length=256)]
InboundKind = (
    Literal["text", "button", "interactive", "image", "video", "document", "audio", "sticker", "reaction", "location"]
    | Literal["contacts", "order", "system", "unsupported", "edit", "revoke"]
)
Quality = Literal["GREEN", "YELLOW", "RED", "UNKNOWN", "NA"]


class Body(BaseModel):
    """A JSON object with known names and strict types."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def given(self) -> Json:
        """Returns what was given, under the names of the JSON; null is as good as absent."""
        dumped = self.model_dump(by_alias=True, exclude_unset=True)
        return {name: value for name, value in dumped.items() if value is not None}


class Nothing(Body):
    """No body at all, or an empty object."""


class Reset(Body):
    """The seed of the next run; the same one when it is absent."""

    seed: int | None = None


class ClockChange(Body):
    """A new speed (0 stops the clock), a jump in simulated seconds, or both."""

    factor: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    advance: Seconds | None = None


class Fates(Body):
    """One fate for several recipients."""

    recipients: list[Identifier]
    outcome: Outcome


class Inbound(Body):
    """A message from a person; content under the name of its type replaces the default, `extra` adds whole fields."""

    model_config = ConfigDict(extra="allow", strict=True)

    person: Identifier = Field(alias="from")
    type: InboundKind = "text"
    phone_number_id: Identifier | None = None
    id: Identifier | None = None
    body: Text | None = None
    payload: Text | None = None
    emoji: Text | None = None
    context: Identifier | None = None
    profile_name: Text | None = None
    bsuid_only: bool = False
    extra: Json | None = None

    @model_validator(mode="after")
    def _only_its_own_content(self) -> Self:
        if strange := set(self.model_extra or ()) - {self.type}:
            raise ValueError(f"there is no {min(strange)} in a message of type {self.type}")
        return self


class Preference(Body):
    """A person stops marketing, or takes it back."""

    wa_id: Identifier
    value: Literal["stop", "resume"]
    phone_number_id: Identifier | None = None


class TemplateChange(Body):
    """What happens to a template; each part has a webhook of its own."""

    pause: bool = False
    status: Identifier | None = None
    reason: Identifier | None = None
    quality: Quality | None = None
    category: Literal["MARKETING", "UTILITY", "AUTHENTICATION"] | None = None
    pacing: Literal["hold", "release", "drop"] | None = None


class NumberChange(Body):
    """What happens to a number; `refuse_code` 0 lets it send again."""

    quality: Quality | None = None
    status: Identifier | None = None
    tier: Identifier | None = None
    verified_name: Text | None = None
    name_status: Identifier | None = None
    refuse_code: Code | None = None
    throughput: RateOfNumber | None = None
    upgrade: bool = False
    rate: RateOfNumber | None = None
    flag: bool = False
    event: Identifier | None = None


class AccountChange(Body):
    """What happens to a WABA; `value` is announced as it is under `field`."""

    refuse_code: Code | None = None
    marketing_disabled: bool | None = None
    marketing_onboarded: bool | None = None
    tier: Identifier | None = None
    restrict_seconds: Seconds | None = None
    field: Identifier | None = None
    value: Json | None = None


class Callback(Body):
    """Where webhooks go; only if the handshake succeeds, unless `verify` is false."""

    url: Annotated[str, Field(max_length=2000)] | None = None
    verify: bool = True


class BadDelivery(Body):
    """One delivery that is wrong in one way, about a message named by its id or its recipient."""

    mode: Identifier
    wamid: Identifier | None = None
    to: Identifier | None = None
    phone_number_id: Identifier | None = None
    age_seconds: Seconds | None = None
