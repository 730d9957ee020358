"""Error codes that are new to Chappe: of each the log warns once, so that somebody can find out what it means."""

import logging

from core.domain.outcomes import Verdict
from core.whatsapp.errors import UNKNOWN_CODE

_log = logging.getLogger(__name__)

# WhatsApp has about a hundred codes; what invents more than these is not worth a line each.
_MOST = 1000


class UnknownCodes:
    """Remembers which codes a process has warned of."""

    def __init__(self) -> None:
        """Has warned of none yet."""
        self._told: set[int] = set()

    def heed(self, code: int, found: Verdict) -> None:
        """Warns of a code if the table does not have it and no one was warned of it yet."""
        if found is not UNKNOWN_CODE or code in self._told or len(self._told) >= _MOST:
            return
        self._told.add(code)
        _log.warning("WhatsApp refused a message with a code that is new to Chappe", extra={"code": code})
