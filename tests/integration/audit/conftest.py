"""Notes a figure for each row of the audit, and prints them all when the tests are over."""

from collections.abc import Callable

import pytest

_ROWS = pytest.StashKey[dict[str, str]]()

Note = Callable[[str, str], None]


@pytest.fixture(scope="session")
def note(pytestconfig: pytest.Config) -> Note:
    """Takes a row of the audit with its figure."""
    return pytestconfig.stash.setdefault(_ROWS, {}).__setitem__


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints the rows."""
    rows = config.stash.get(_ROWS, {})
    if rows:
        terminalreporter.section("the audit")
    for row, figure in rows.items():
        terminalreporter.write_line(f"{row:52} {figure}")
