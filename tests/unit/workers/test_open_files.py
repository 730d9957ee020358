"""Lines and the open files that the system allows, in a process whose limits are the test's own."""

import subprocess
import sys

_ASK = """
import resource
from workers.open_files import affordable
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
print(affordable({lines}, beside=100), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def _ask(lines: int, *, soft: int, hard: int) -> tuple[int, int, str]:
    """Returns how many lines fit, how many files may be open then, and what was said."""
    code = _ASK.format(lines=lines, soft=soft, hard=hard)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    fit, files = map(int, done.stdout.split())
    return fit, files, done.stderr


def test_the_limit_is_raised_as_far_as_the_lines_need() -> None:
    assert _ask(500, soft=256, hard=4096) == (500, 600, "")


def test_a_limit_that_is_high_enough_stays() -> None:
    assert _ask(500, soft=1024, hard=4096) == (500, 1024, "")


def test_where_the_system_allows_less_there_are_fewer_lines_and_it_is_said() -> None:
    fit, files, said = _ask(500, soft=256, hard=400)
    assert (fit, files) == (300, 400)
    assert "fewer lines than set" in said


def test_there_is_always_a_line() -> None:
    assert _ask(500, soft=64, hard=64)[0] == 1
