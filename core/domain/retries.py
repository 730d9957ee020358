"""Which failed messages another try is given when somebody asks for it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryChoice:
    """Says by their error codes what is tried again: the codes asked for, or with none given all but the hopeless ones.

    What failed with a code of `resting` after `rest_since` is left alone, whatever is asked for.
    """

    error_codes: tuple[int, ...]
    hopeless: tuple[int, ...]
    resting: tuple[int, ...]
    rest_since: datetime
