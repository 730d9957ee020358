"""The faults of `make mutants` still break what they name: each text stands once, and nothing newer replaces it."""

import re
from pathlib import Path

import pytest

from tests.house.sources import ROOT
from tests.mutants.faults import FAULTS, Fault

MIGRATIONS = ROOT / "sql/migrations"
_MADE = re.compile(r"CREATE (?:OR REPLACE )?(?:FUNCTION|VIEW) (\w+)")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_finds_its_text_exactly_once(fault: Fault) -> None:
    assert (ROOT / fault.path).read_text(encoding="utf-8").count(fault.old) == 1


@pytest.mark.parametrize(
    "fault", [one for one in FAULTS if one.path.startswith("sql/migrations/")], ids=lambda f: f.name
)
def test_a_fault_breaks_the_newest_making_of_its_function_or_view(fault: Fault) -> None:
    before, _, _ = (ROOT / fault.path).read_text(encoding="utf-8").partition(fault.old)
    made = _MADE.findall(before)[-1]
    later = [
        path.name for path in MIGRATIONS.glob("*.sql") if path.name > Path(fault.path).name and made in _makes(path)
    ]
    assert not later


def _makes(path: Path) -> list[str]:
    made, _, _ = path.read_text(encoding="utf-8").partition("-- migrate:down")
    return _MADE.findall(made)
