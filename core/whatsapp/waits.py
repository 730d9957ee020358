"""How long WhatsApp itself asks us to wait: said in an answer's headers, in seconds."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

import orjson

# Whatever is asked for, a message is not put off for longer: a header can be wrong.
LONGEST_WAIT: Final = 86_400.0
_USAGE: Final = "x-business-use-case-usage"
_MINUTE: Final = 60.0


def retry_after(headers: Mapping[str, str]) -> float:
    """Returns the wait `Retry-After` asks for, as seconds or as a date held against the answer's own; else 0."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return min(float(said), LONGEST_WAIT)
    try:
        wait = parsedate_to_datetime(said) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return 0.0
    return min(max(wait.total_seconds(), 0.0), LONGEST_WAIT)


def regain(headers: Mapping[str, str]) -> float:
    """Returns when calls are taken again, the longest of what the usage header tells in minutes; else 0."""
    try:
        usage = orjson.loads(headers.get(_USAGE, ""))
    except orjson.JSONDecodeError:
        return 0.0
    told = usage.values() if isinstance(usage, dict) else ()
    entries = [entry for part in told if isinstance(part, list) for entry in part if isinstance(entry, dict)]
    minutes = [entry.get("estimated_time_to_regain_access") for entry in entries]
    known = [float(one) for one in minutes if isinstance(one, int | float) and not isinstance(one, bool) and one > 0]
    return min(max(known, default=0.0) * _MINUTE, LONGEST_WAIT)
