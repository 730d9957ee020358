"""Simulator, the truth: every accepted message, how often each recipient was accepted, and the counters."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from simulator.accounts import Number

_TRIM: Final = 10_000
_TWICE: Final = 2


def key_of(number: Number, person: str, earlier: int) -> str:
    """Returns the subject of the random numbers of one message."""
    return f"{number.id}:{person}:{earlier}"


@dataclass(slots=True, eq=False)
class Message:
    """One accepted message; `history` alternates status and simulated time, flat because there may be a million.

    `to` is how the person was addressed, `person` what they are counted by (`phone.person_of`), and `wa_id` is empty
    where they were addressed by user id.
    """

    index: int
    wamid: str
    number: Number
    to: str
    person: str
    wa_id: str
    user_id: str
    kind: str
    category: str
    callback_data: str
    accept_time: float
    template_id: str = ""
    held: bool = False
    # Whether the person had written within the window when it was accepted.
    in_window: bool = False
    # How many messages this person was accepted before.
    earlier: int = 0
    history: list[str | float] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The subject of its random numbers, which depends neither on time nor on the order among people."""
        return key_of(self.number, self.person, self.earlier)

    @property
    def is_free(self) -> bool:
        """Whether nothing is charged for it."""
        return self.category == "service" or (self.category == "utility" and self.in_window)

    @property
    def is_limited(self) -> bool:
        """Whether it counts for the limits of marketing."""
        return self.category.startswith("marketing") and not self.in_window

    def statuses(self) -> list[dict[str, Any]]:
        """Returns what was announced of it so far, in the order it was."""
        pairs = zip(self.history[::2], self.history[1::2], strict=True)
        return [{"status": status, "time": time} for status, time in pairs]

    def as_json(self) -> dict[str, Any]:
        """Returns the message as the control API shows it."""
        return {
            "index": self.index,
            "wamid": self.wamid,
            "phone_number_id": self.number.id,
            "to": self.to,
            "person": self.person,
            "wa_id": self.wa_id,
            "user_id": self.user_id,
            "type": self.kind,
            "category": self.category,
            "template_id": self.template_id,
            "biz_opaque_callback_data": self.callback_data,
            "accept_time": self.accept_time,
            "held": self.held,
            "statuses": self.statuses(),
        }


class Ledger:
    """Keeps accepted messages in the order of their accept; beyond `keep` the oldest rows go, the counts stay."""

    def __init__(self) -> None:
        self._rows: list[Message] = []
        self._first = 0
        self.recipients: dict[str, int] = {}
        self.doubled = 0
        self.counters: Counter[str] = Counter()

    @property
    def accepted(self) -> int:
        """The number of messages ever accepted."""
        return self._first + len(self._rows)

    @property
    def forgotten(self) -> int:
        """The number of rows that were trimmed."""
        return self._first

    def times_accepted(self, person: str) -> int:
        """Returns how many messages to this person were accepted so far."""
        return self.recipients.get(person, 0)

    def add(self, message: Message, *, keep: int) -> None:
        """Files an accepted message and counts its recipient."""
        self._rows.append(message)
        times = self.recipients.get(message.person, 0) + 1
        self.recipients[message.person] = times
        self.doubled += times == _TWICE
        self.counters["accepted"] += 1
        if len(self._rows) >= keep + _TRIM:
            del self._rows[:_TRIM]
            self._first += _TRIM

    def note(self, message: Message, status: str, time: float) -> None:
        """Writes down that a status of this message was announced."""
        message.history.append(sys.intern(status))
        message.history.append(time)
        self.counters["status." + status] += 1

    def since(self, index: int) -> Iterator[Message]:
        """Yields messages from an index on, oldest first; it may be read while messages are added."""
        position = max(index, self._first)
        while position < self._first + len(self._rows):
            yield self._rows[position - self._first]
            position = max(position + 1, self._first)

    def last_to(self, person: str) -> Message | None:
        """Returns the newest message to a person."""
        return next((row for row in reversed(self._rows) if row.person == person), None)

    def find(self, wamid: str) -> Message | None:
        """Returns a message by its id."""
        return next((row for row in reversed(self._rows) if row.wamid == wamid), None)

    def doubles(self) -> list[str]:
        """Returns the people to whom more than one message was accepted."""
        return [person for person, times in self.recipients.items() if times > 1]
