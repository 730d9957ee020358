"""Simulator, settings: every figure of the simulated world, grouped; all can be changed while it runs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from simulator.shapes import Code, Count, Positive, Rate, RealSeconds, Seconds, ShapeError, Span, checked

HttpError = Annotated[int, Field(ge=400, le=599)]

_STRICT: Final = ConfigDict(extra="forbid")


@dataclass(slots=True)
class Timeline:
    """What happens to one message, in simulated seconds; the latency of the REST answer is in real seconds."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    latency_median: RealSeconds = 0.12
    latency_p99: RealSeconds = 0.9
    slow_rate: Rate = 0.01
    slow_seconds: RealSeconds = 10.0
    drop_rate: Rate = 0.001
    sent_before_answer_rate: Rate = 0.02
    sent_delay: Span = (0.2, 2.0)
    delivered_delay: Span = (1.0, 5.0)
    late_rate: Rate = 0.10
    late_delay: Span = (60.0, 600.0)
    undelivered_rate: Rate = 0.03
    read_rate: Rate = 0.60
    read_delay: Span = (5.0, 14_400.0)
    read_only_rate: Rate = 0.05
    failure_rate: Rate = 0.02
    failure_codes: list[Code] = field(default_factory=lambda: [131026, 131049])
    failure_delay: Span = (1.0, 4.0)
    failure_after_sent_rate: Rate = 0.5
    held_delay: Span = (30.0, 300.0)
    repeat_delay: Seconds = 30.0


@dataclass(slots=True)
class Limits:
    """What Meta allows; rates are per second, `*_http` is the HTTP status of the refusal."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    throughput: bool = True
    throughput_http: HttpError = 429
    inbound_counts: bool = True
    pair: bool = True
    pair_capacity: Positive = 45
    pair_seconds: Annotated[float, Field(gt=0, le=86_400)] = 6.0
    pair_http: HttpError = 400
    management_calls_per_hour: Count = 5000
    reach: Literal["async", "sync", "silent", "off"] = "async"
    reach_limits: dict[str, Count] = field(
        default_factory=lambda: {
            "TIER_50": 50,
            "TIER_250": 250,
            "TIER_1K": 1000,
            "TIER_2K": 2000,
            "TIER_10K": 10_000,
            "TIER_100K": 100_000,
        }
    )
    window_seconds: Seconds = 86_400.0
    marketing_per_day: Count = 0
    upgrade_seconds: Seconds = 60.0
    pacing_after: Count = 0
    pacing_seconds: Seconds = 3600.0
    pacing_verdict: Literal["release", "drop"] = "release"
    templates_per_hour: Count = 100


@dataclass(slots=True)
class Webhooks:
    """How deliveries are made; `linger` and the timeouts are real seconds, the rest is simulated time."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    batch_max: Annotated[int, Field(ge=1, le=1000)] = 50
    batch_random: bool = False
    statuses_per_change: Annotated[int, Field(ge=1, le=1000)] = 50
    linger: RealSeconds = 0.02
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 16
    reorder_rate: Rate = 0.03
    reorder_delay: Span = (0.5, 5.0)
    duplicate_rate: Rate = 0.02
    duplicate_delay: Span = (0.0, 5.0)
    timeout: Annotated[float, Field(gt=0, le=3600)] = 10.0
    connect_timeout: Annotated[float, Field(gt=0, le=3600)] = 5.0
    retry_delays: list[Seconds] = field(default_factory=lambda: [0.0, 5.0, 30.0, 120.0, 600.0, 3600.0])
    give_up_after: Seconds = 604_800.0
    backlog_limit: Positive = 2_000_000
    contacts: bool = True
    conversation: bool = False
    timestamps: Literal["seconds", "number", "milliseconds"] = "seconds"


@dataclass(slots=True)
class Templates:
    """How templates are reviewed and reach the marketing endpoint, in simulated seconds, and how they may be edited."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    review_delay: Span = (5.0, 30.0)
    synchronise_seconds: Seconds = 600.0
    edits_per_day: Count = 1
    edits_per_month: Count = 10
    page_size: Annotated[int, Field(ge=1, le=1000)] = 25


@dataclass(slots=True)
class Settings:
    """All of it; `suffixes` turns on the fates by last digits, `keep_accepted` bounds the list of accepted messages."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    profile: str = "realistic"
    seed: int = 1
    suffixes: bool = True
    keep_accepted: Positive = 2_000_000
    media_bytes_limit: Positive = 256 * 1024 * 1024
    timeline: Timeline = field(default_factory=Timeline)
    limits: Limits = field(default_factory=Limits)
    webhooks: Webhooks = field(default_factory=Webhooks)
    templates: Templates = field(default_factory=Templates)


def patch(target: Settings, changes: dict[str, Any]) -> None:
    """Changes settings in place from nested JSON; raises ShapeError, and changes nothing, when one does not fit."""
    fresh = checked(_ADAPTER, merged(asdict(target), changes))
    for name in changes:
        group = getattr(target, name)
        if is_dataclass(group):
            # In place, because the sender of webhooks and others hold their group.
            for item in fields(group):
                setattr(group, item.name, getattr(getattr(fresh, name), item.name))
        else:
            setattr(target, name, getattr(fresh, name))


def merged(current: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Returns settings as JSON with changes made; raises ShapeError where a group of them is none."""
    for name, value in changes.items():
        if name in _GROUPS and not isinstance(value, dict):
            raise ShapeError(f"{name} is a group of settings")
    grouped = {name: {**current[name], **value} if name in _GROUPS else value for name, value in changes.items()}
    return {**current, **grouped}


_GROUPS: Final = ("timeline", "limits", "webhooks", "templates")
_ADAPTER: Final = TypeAdapter(Settings)


def as_json(settings: Settings) -> dict[str, Any]:
    """Returns the settings as plain JSON values; secrets are not among them."""
    return asdict(settings)
