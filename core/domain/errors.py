"""The refusals of Chappe: every way in which it says no, with a reason a program can read.

    Refusal                    carries reason, message, metadata
    ├─ InvalidArgument         the request breaks a rule of the contract; also violations by field
    ├─ NotFound                no such resource
    ├─ AlreadyExists           a resource with that key exists
    ├─ WrongState              the resource is not in a state that allows it; also retry_after, if that passes by itself
    ├─ Conflict                someone else changed it meanwhile; reading again and retrying may help
    ├─ LimitReached            a quota or a rate; also retry_after, in seconds
    ├─ NotAllowed              the caller's role does not allow it
    ├─ Unauthenticated         the caller is not known
    └─ Unavailable             something we stand on is away; also retry_after, in seconds

What is not a Refusal is a failure: callers learn of it only that it happened.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Names one field that breaks a rule, by its path in the request, and says which rule."""

    field: str
    description: str
    reason: str = ""


class Refusal(Exception):
    """Says no, with a reason.

    ``reason`` is UPPER_SNAKE and permanent; ``message`` is one or two plain sentences without personal data; whatever
    varies in the message also stands in ``metadata``.
    """

    def __init__(self, reason: str, message: str, /, **metadata: object) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = {key: str(value) for key, value in metadata.items()}


class InvalidArgument(Refusal):
    """Refuses a request that breaks a rule of the contract."""

    def __init__(
        self, reason: str, message: str, /, *, violations: Sequence[Violation] = (), **metadata: object
    ) -> None:
        super().__init__(reason, message, **metadata)
        self.violations = tuple(violations)


class NotFound(Refusal):
    """Refuses because there is no such resource."""


class AlreadyExists(Refusal):
    """Refuses because a resource with that key exists."""


class WrongState(Refusal):
    """Refuses because the resource is not in a state that allows it; ``retry_after`` is in seconds, if known."""

    def __init__(self, reason: str, message: str, /, *, retry_after: float = 0, **metadata: object) -> None:
        super().__init__(reason, message, **metadata)
        self.retry_after = retry_after


class Conflict(Refusal):
    """Refuses because someone else changed the resource meanwhile."""


class LimitReached(Refusal):
    """Refuses because a quota or a rate is used up; ``retry_after`` is in seconds."""

    def __init__(self, reason: str, message: str, /, *, retry_after: float = 0, **metadata: object) -> None:
        super().__init__(reason, message, **metadata)
        self.retry_after = retry_after


class NotAllowed(Refusal):
    """Refuses because the caller's role does not allow it."""


class Unauthenticated(Refusal):
    """Refuses because the caller is not known."""


class Unavailable(Refusal):
    """Refuses because something we stand on is away; ``retry_after`` is in seconds."""

    def __init__(self, reason: str, message: str, /, *, retry_after: float = 1, **metadata: object) -> None:
        super().__init__(reason, message, **metadata)
        self.retry_after = retry_after
