"""Simulator, settings: every figure of the simulated world, grouped; all can be changed while it runs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any

Span = tuple[float, float]
_SPAN = 2


class SettingError(ValueError):
    """A setting's name or value is not one we know."""


@dataclass(slots=True)
class Timeline:
    """What happens to one message, in simulated seconds; the latency of the REST answer is in real seconds."""

    latency_median: float = 0.12
    latency_p99: float = 0.9
    slow_rate: float = 0.01
    slow_seconds: float = 10.0
    drop_rate: float = 0.001
    sent_before_answer_rate: float = 0.02
    sent_delay: Span = (0.2, 2.0)
    delivered_delay: Span = (1.0, 5.0)
    late_rate: float = 0.10
    late_delay: Span = (60.0, 600.0)
    undelivered_rate: float = 0.03
    read_rate: float = 0.60
    read_delay: Span = (5.0, 14_400.0)
    read_only_rate: float = 0.05
    failure_rate: float = 0.02
    failure_codes: list[int] = field(default_factory=lambda: [131026, 131049])
    failure_delay: Span = (1.0, 4.0)
    failure_after_sent_rate: float = 0.5
    held_delay: Span = (30.0, 300.0)
    repeat_delay: float = 30.0


@dataclass(slots=True)
class Limits:
    """What Meta allows; rates are per second, `*_http` is the HTTP status of the refusal."""

    throughput: bool = True
    throughput_http: int = 429
    inbound_counts: bool = True
    pair: bool = True
    pair_capacity: int = 45
    pair_seconds: float = 6.0
    pair_http: int = 400
    management_calls_per_hour: int = 5000
    reach: str = "async"
    reach_limits: dict[str, int] = field(
        default_factory=lambda: {
            "TIER_50": 50,
            "TIER_250": 250,
            "TIER_1K": 1000,
            "TIER_2K": 2000,
            "TIER_10K": 10_000,
            "TIER_100K": 100_000,
        }
    )
    window_seconds: float = 86_400.0
    marketing_per_day: int = 0
    upgrade_seconds: float = 60.0
    pacing_after: int = 0
    pacing_seconds: float = 3600.0
    pacing_verdict: str = "release"
    templates_per_hour: int = 100


@dataclass(slots=True)
class Webhooks:
    """How deliveries are made; `linger` and the timeouts are real seconds, the rest is simulated time."""

    batch_max: int = 50
    batch_random: bool = False
    statuses_per_change: int = 50
    linger: float = 0.02
    concurrency: int = 16
    reorder_rate: float = 0.03
    reorder_delay: Span = (0.5, 5.0)
    duplicate_rate: float = 0.02
    duplicate_delay: Span = (0.0, 5.0)
    timeout: float = 10.0
    connect_timeout: float = 5.0
    retry_delays: list[float] = field(default_factory=lambda: [0.0, 5.0, 30.0, 120.0, 600.0, 3600.0])
    give_up_after: float = 604_800.0
    backlog_limit: int = 2_000_000
    contacts: bool = True
    conversation: bool = False
    timestamps: str = "seconds"


@dataclass(slots=True)
class Templates:
    """How templates are reviewed, in simulated seconds."""

    review_delay: Span = (5.0, 30.0)
    page_size: int = 25


@dataclass(slots=True)
class Settings:
    """All of it; `suffixes` turns on the fates by last digits, `keep_accepted` bounds the list of accepted messages."""

    profile: str = "realistic"
    seed: int = 1
    suffixes: bool = True
    keep_accepted: int = 2_000_000
    media_bytes_limit: int = 256 * 1024 * 1024
    timeline: Timeline = field(default_factory=Timeline)
    limits: Limits = field(default_factory=Limits)
    webhooks: Webhooks = field(default_factory=Webhooks)
    templates: Templates = field(default_factory=Templates)


def patch(target: object, changes: dict[str, Any], *, where: str = "") -> None:
    """Changes settings in place from nested JSON; raises SettingError, and changes nothing, when one does not fit."""
    _walk(target, changes, where, apply=False)
    _walk(target, changes, where, apply=True)


def _walk(target: object, changes: dict[str, Any], where: str, *, apply: bool) -> None:
    known = {item.name for item in fields(target)}  # type: ignore[arg-type]  # it is one of the groups
    for name, value in changes.items():
        path = f"{where}.{name}" if where else name
        if name not in known:
            raise SettingError(f"there is no setting {path}")
        current = getattr(target, name)
        if is_dataclass(current):
            if not isinstance(value, dict):
                raise SettingError(f"{path} is a group of settings")
            _walk(current, value, path, apply=apply)
        elif apply:
            setattr(target, name, _fit(current, value, path))
        else:
            _fit(current, value, path)


def _fit(current: object, value: Any, path: str) -> object:  # noqa: ANN401  the value is JSON
    if isinstance(current, bool) or isinstance(value, bool):
        fits = isinstance(current, bool) and isinstance(value, bool)
    elif isinstance(current, float):
        fits = isinstance(value, int | float)
        value = float(value) if fits else value
    elif isinstance(current, tuple):
        fits = (
            isinstance(value, list | tuple) and len(value) == _SPAN and all(isinstance(v, int | float) for v in value)
        )
        value = (float(value[0]), float(value[1])) if fits else value
    else:
        fits = isinstance(value, type(current))
    if not fits:
        raise SettingError(f"{path} takes a value like {current!r}")
    return value


def as_json(settings: Settings) -> dict[str, Any]:
    """Returns the settings as plain JSON values; secrets are not among them."""
    return asdict(settings)
