"""Simulator, rules: faults by endpoint instead of by recipient; the first rule that matches wins."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from simulator.shapes import Code, Positive, Rate, RealSeconds, ShapeError, checked

Endpoint = Literal["*", "messages", "marketing_messages", "media", "templates", "numbers", "wabas", "subscribed_apps"]
Action = Literal[
    "refuse", "delay", "close", "reset", "silence", "accept_and_drop", "accept_and_reset", "accept_and_silence"
]
Trigger = Literal["always", "next", "every", "probability"]
# What would break the answer's head apart is no header.
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,100}$")]
HeaderValue = Annotated[str, Field(pattern=r"^[\x20-\x7e]{0,2000}$")]


@dataclass(slots=True)
class Rule:
    """A fault: where, when (`next` n requests, `every` nth, with a `probability`, `always`), and what."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    endpoint: Endpoint = "*"
    action: Action = "refuse"
    trigger: Trigger = "always"
    n: Positive = 1
    rate: Rate = 1.0
    code: Code = 131000
    http: Literal[0] | Annotated[int, Field(ge=200, le=599)] = 0
    details: str = ""
    headers: dict[HeaderName, HeaderValue] = field(default_factory=dict)
    seconds: RealSeconds = 0.0
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


_OURS: Final = {"id", "seen", "matched"}
_ADAPTER: Final = TypeAdapter(Rule)


class Rules:
    """The rules in the order they were added, each with a chance of its own, so that none shifts another's."""

    def __init__(self, *, seed: int) -> None:
        self._seed = seed
        self._rules: list[tuple[Rule, random.Random]] = []
        self._last_id = 0

    def add(self, value: dict[str, Any]) -> Rule:
        """Adds a rule from JSON; raises ShapeError when it is not one."""
        if ours := _OURS & set(value):
            raise ShapeError(f"{min(ours)} is not yours to give")
        rule = checked(_ADAPTER, value)
        self._last_id += 1
        rule.id = self._last_id
        self._rules.append((rule, random.Random(f"{self._seed}/{rule.id}")))
        return rule

    def remove(self, rule_id: int) -> bool:
        """Removes one rule; False when there is none of this id."""
        before = len(self._rules)
        self._rules = [pair for pair in self._rules if pair[0].id != rule_id]
        return len(self._rules) < before

    def clear(self) -> None:
        """Removes every rule."""
        self._rules.clear()

    def as_json(self) -> list[dict[str, Any]]:
        """Returns the rules with how often each was met and struck."""
        return [asdict(rule) for rule, _ in self._rules]

    def match(self, endpoint: str, object_id: str) -> Rule | None:
        """Returns the first rule that strikes this request."""
        for rule, chance in self._rules:
            if rule.endpoint not in ("*", endpoint) or rule.phone_number_id not in ("", object_id):
                continue
            if rule.fires(chance):
                return rule
        return None
