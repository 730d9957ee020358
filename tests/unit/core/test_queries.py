"""How files of named statements are read."""

import pytest

from core.queries import parse

FILE = """-- part: late
-- What came too late, as its remarks say.
come_time > due_time
AND NOT forgiven

-- name: count_late
-- Counts.
SELECT count(*) FROM letters WHERE
    -- insert: late
    AND read;

-- name: count_all
-- Counts.
SELECT count(*) FROM letters;
"""


def test_a_part_stands_in_each_statement_that_asks_for_it_and_nowhere_else() -> None:
    assert parse(FILE) == {
        "count_late": """-- name: count_late
-- Counts.
SELECT count(*) FROM letters WHERE
    come_time > due_time
    AND NOT forgiven
    AND read""",
        "count_all": "-- name: count_all\n-- Counts.\nSELECT count(*) FROM letters",
    }


@pytest.mark.parametrize("name", ["part: late", "name: count_all"])
def test_what_stands_twice_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="stands twice"):
        parse(f"{FILE}\n-- {name}\n-- Again.\nSELECT 1;\n")


def test_a_part_that_does_not_exist_is_refused() -> None:
    with pytest.raises(KeyError, match="early"):
        parse(FILE.replace("insert: late", "insert: early"))


def test_a_part_that_inserts_another_is_refused() -> None:
    with pytest.raises(ValueError, match="inserts another"):
        parse(f"-- part: later\nNOT read\n-- insert: late\n\n{FILE}")
