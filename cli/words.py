"""Numbers and times as people say them."""

from datetime import timedelta

_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
_LEAST = 1.5


def counted(count: int, one: str, many: str = "") -> str:
    """Returns a number with what it counts: `1 contact`, `2,000 contacts`; ``many`` is its plural if not with an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def lasting(duration: timedelta) -> str:
    """Returns about how long something takes, in one unit: `30 seconds`, `2 minutes`, `3 hours`, `4 days`.

    A unit is used from one and a half of it on; what takes less is `a second`.
    """
    for seconds, word in _UNITS:
        count = duration.total_seconds() / seconds
        if count >= _LEAST:
            return counted(round(count), word)
    return "a second"
