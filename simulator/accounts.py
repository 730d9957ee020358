"""Simulator, the nouns of an account: portfolio, WABA, phone number, template."""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from simulator.buckets import PairBuckets, TokenBucket
from simulator.phone import wa_id_of

DAY: Final = 86_400.0


@dataclass(slots=True, eq=False)
class Portfolio:
    """A Meta business: the daily reach is counted here."""

    id: str
    tier: str = "TIER_UNLIMITED"
    # Person → the index and time of each message that was to reach them, the newest last.
    reached: dict[str, dict[int, float]] = field(default_factory=dict)

    def reach(self, person: str, index: int, *, now: float, most: int) -> bool:
        """Counts a message to a person; False where it would make more than `most` people within a day."""
        if not self._is_reached(person, now) and len(self.reached) >= most:
            self.reached = {each: times for each, times in self.reached.items() if self._is_reached(each, now)}
            if len(self.reached) >= most:
                return False
        self.reached.setdefault(person, {})[index] = now
        return True

    def give_back(self, person: str, index: int) -> None:
        """Counts a message no more, because it failed; nothing happens for one that was not counted."""
        times = self.reached.get(person)
        if times is not None and times.pop(index, None) is not None and not times:
            del self.reached[person]

    def _is_reached(self, person: str, now: float) -> bool:
        times = self.reached.get(person)
        if not times:
            return False
        return next(reversed(times.values())) > now - DAY


@dataclass(slots=True, eq=False)
class Template:
    """A message template of a WABA; `checks` is what was compiled from its components."""

    id: str
    name: str
    language: str
    status: str
    category: str
    components: list[dict[str, Any]]
    parameter_format: str = "POSITIONAL"
    sub_category: str = ""
    previous_category: str = ""
    correct_category: str = ""
    rejected_reason: str = "NONE"
    quality: str = "UNKNOWN"
    quality_time: float = 0.0
    message_send_ttl_seconds: int = 0
    library_template_name: str = ""
    pauses: int = 0
    accepted: int = 0
    # The marketing endpoint knows a new template only some minutes after its approval.
    synchronised_time: float = 0.0
    edit_times: deque[float] = field(default_factory=deque)
    # Manual pacing: "" not paced, "hold" every further send is held.
    pacing: str = ""
    checks: Any = None


@dataclass(slots=True, eq=False)
class Waba:
    """A WhatsApp Business Account: it owns numbers and templates, and may have a callback of its own."""

    id: str
    name: str
    portfolio: Portfolio
    numbers: dict[str, Number] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    by_name: dict[str, dict[str, Template]] = field(default_factory=dict)
    callback_url: str = ""
    subscribed: bool = True
    marketing_disabled: bool = False
    marketing_onboarded: bool = True
    restriction: int = 0
    # Until then it may begin no conversations.
    restricted_until: float = 0.0
    management_calls: deque[float] = field(default_factory=deque)
    creation_times: deque[float] = field(default_factory=deque)

    def add(self, template: Template) -> None:
        """Files a template under its id and under its name and language."""
        self.templates[template.id] = template
        self.by_name.setdefault(template.name, {})[template.language] = template

    def remove(self, template: Template) -> None:
        """Forgets a template."""
        self.templates.pop(template.id, None)
        languages = self.by_name.get(template.name, {})
        languages.pop(template.language, None)
        if not languages:
            self.by_name.pop(template.name, None)


@dataclass(slots=True, eq=False)
class Number:
    """A business phone number and what is counted per number."""

    id: str
    display_phone_number: str
    verified_name: str
    waba: Waba
    bucket: TokenBucket
    pairs: PairBuckets = field(default_factory=PairBuckets)
    throughput_level: str = "STANDARD"
    quality: str = "GREEN"
    tier: str = ""
    status: str = "CONNECTED"
    name_status: str = "APPROVED"
    code_verification_status: str = "VERIFIED"
    platform_type: str = "CLOUD_API"
    account_mode: str = "LIVE"
    allowed: frozenset[str] | None = None
    refuse_code: int = 0
    upgrade_until: float = 0.0
    # Real monotonic time of each accept: a test of pace must not depend on the simulated clock.
    accept_times: array[float] = field(default_factory=lambda: array("d"))
    windows: dict[str, float] = field(default_factory=dict)

    @property
    def digits(self) -> str:
        """The number as webhooks write it."""
        return "".join(filter(str.isdigit, self.display_phone_number))

    @property
    def wa_id(self) -> str:
        """The number as a person of WhatsApp."""
        return wa_id_of(self.digits)

    @property
    def limit(self) -> str:
        """How many people may be reached in a day: the number's own tier, else the portfolio's."""
        return self.tier or self.waba.portfolio.tier

    @property
    def is_flagged(self) -> bool:
        """Whether Meta holds it to be of low quality."""
        return self.status == "FLAGGED" or self.quality == "RED"
