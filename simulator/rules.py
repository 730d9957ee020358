"""Simulator, rules: faults by endpoint instead of by recipient; the first rule that matches wins."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

ENDPOINTS: Final = ("*", "messages", "marketing_messages", "media", "templates", "numbers", "wabas", "subscribed_apps")
ACTIONS: Final = (
    "refuse",
    "delay",
    "close",
    "reset",
    "silence",
    "accept_and_drop",
    "accept_and_reset",
    "accept_and_silence",
)
TRIGGERS: Final = ("always", "next", "every", "probability")


@dataclass(slots=True)
class Rule:
    """A fault: where, when (`next` n requests, `every` nth, with a `probability`, `always`), and what."""

    endpoint: str = "*"
    action: str = "refuse"
    trigger: str = "always"
    n: int = 1
    rate: float = 1.0
    code: int = 131000
    http: int = 0
    details: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    empty_body: bool = False
    phone_number_id: str = ""
    id: int = 0
    seen: int = 0
    matched: int = 0

    def fires(self, chance: random.Random) -> bool:
        """Counts one request the rule is about and says whether it strikes."""
        self.seen += 1
        if self.trigger == "next":
            struck = self.matched < self.n
        elif self.trigger == "every":
            struck = self.seen % self.n == 0
        elif self.trigger == "probability":
            struck = chance.random() < self.rate
        else:
            struck = True
        self.matched += struck
        return struck


_SETTABLE: Final = {item.name for item in fields(Rule)} - {"id", "seen", "matched"}


class Rules:
    """The rules in the order they were added."""

    def __init__(self, *, seed: int) -> None:
        self._chance = random.Random(seed)
        self._rules: list[Rule] = []
        self._last_id = 0

    def add(self, value: dict[str, Any]) -> Rule:
        """Adds a rule from JSON; raises ValueError when it is not one."""
        if unknown := set(value) - _SETTABLE:
            raise ValueError(f"a rule has no {min(unknown)}")
        rule = Rule(**value)
        for name, allowed in (("endpoint", ENDPOINTS), ("action", ACTIONS), ("trigger", TRIGGERS)):
            if getattr(rule, name) not in allowed:
                raise ValueError(f"{name} is one of {', '.join(allowed)}")
        if rule.n < 1:
            raise ValueError("n is at least 1")
        self._last_id += 1
        rule.id = self._last_id
        self._rules.append(rule)
        return rule

    def remove(self, rule_id: int) -> bool:
        """Removes one rule; False when there is none of this id."""
        before = len(self._rules)
        self._rules = [rule for rule in self._rules if rule.id != rule_id]
        return len(self._rules) < before

    def clear(self) -> None:
        """Removes every rule."""
        self._rules.clear()

    def as_json(self) -> list[dict[str, Any]]:
        """Returns the rules with how often each was met and struck."""
        return [asdict(rule) for rule in self._rules]

    def match(self, endpoint: str, object_id: str) -> Rule | None:
        """Returns the first rule that strikes this request."""
        for rule in self._rules:
            if rule.endpoint not in ("*", endpoint) or rule.phone_number_id not in ("", object_id):
                continue
            if rule.fires(self._chance):
                return rule
        return None
