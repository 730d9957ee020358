"""How many files a worker may open: each of its lines is a connection, and many systems begin at 1,024 files."""

import logging
import resource

_log = logging.getLogger(__name__)


def affordable(lines: int, *, beside: int) -> int:
    """Lets this process open a file for each line and so many beside; returns how many lines fit, one at the least."""
    wanted = lines + beside
    allowed = _raised(wanted)
    if allowed >= wanted:
        return lines
    fit = max(1, allowed - beside)
    _log.warning(
        "there are fewer lines than set: the system allows too few open files (ulimit -Hn)",
        extra={"lines": fit, "set": lines, "open_files": allowed, "needed": wanted},
    )
    return fit


def _raised(wanted: int) -> int:
    """Raises the limit to what is wanted, or as far as the system lets it; returns how many files may be open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (OSError, ValueError):
        # Some systems keep a limit of their own below the one they tell.
        return soft
    return most
