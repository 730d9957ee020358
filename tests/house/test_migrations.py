"""No migration keeps people waiting for as long as an index of a table with millions of rows takes."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.house.sources import ROOT
from tests.integration.core.plan_ways import LARGE

MIGRATIONS: Final = sorted((ROOT / "sql/migrations").glob("*.sql"))
# They came when these tables were small, and are released.
RELEASED: Final = "0043"
_INDEX: Final = re.compile(r"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)(?:IF NOT EXISTS )?\w+\s+ON (?:ONLY )?(\w+)")
_TABLE: Final = re.compile(r"CREATE TABLE (\w+)")


def _indexed_while_others_wait(text: str) -> set[str]:
    """Returns the large tables of which a migration makes an index while nobody else may write them."""
    up = text.partition("-- migrate:down")[0]
    return (set(_INDEX.findall(up)) & LARGE) - set(_TABLE.findall(up))


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: path.stem)
def test_an_index_of_a_large_table_is_made_concurrently(path: Path) -> None:
    if path.name[:4] > RELEASED:
        waited_for = _indexed_while_others_wait(path.read_text(encoding="utf-8"))
        assert not waited_for, "CREATE INDEX CONCURRENTLY, alone in a file, up and down with transaction:false"


def test_what_keeps_writers_waiting_is_seen() -> None:
    altered = "-- migrate:up\nALTER TABLE messages ADD COLUMN a text;\nCREATE INDEX a_idx ON messages (a);"
    assert _indexed_while_others_wait(altered) == {"messages"}
    assert not _indexed_while_others_wait(altered.replace("INDEX", "INDEX CONCURRENTLY"))
    assert not _indexed_while_others_wait("CREATE TABLE messages (a text); CREATE INDEX a_idx ON messages (a);")
