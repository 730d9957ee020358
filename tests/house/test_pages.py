"""What the pages name is there: the tests that hold a promise, the files behind links, the verbs of make."""

import re
from pathlib import Path

import pytest

from tests.house.sources import ROOT, relative

PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))]
_NAMED = re.compile(r"`((?:core|server|workers|cli|client|stack|simulator|sql|proto|tests)/[\w./]+)`")
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
_VERB = re.compile(r"\bmake ([a-z]+(?:-[a-z]+)*)\b(?=[`\s]*(?:#|`|$|;|,))", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_files_and_links_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = [ROOT / name for name in _NAMED.findall(text)]
    linked = [page.parent / link for link in _LINK.findall(text)]
    assert not [str(path) for path in (*named, *linked) if not path.exists()]


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_verbs_that_a_page_names_are_in_the_makefile(page: Path) -> None:
    verbs = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert not set(_VERB.findall(page.read_text(encoding="utf-8"))) - verbs


def test_each_commit_point_names_the_test_that_holds_it() -> None:
    table = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("## Commit points")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ") and "---" not in line][1:]
    assert len(rows) > 10
    assert not [row[:40] for row in rows if not re.search(r"`tests/[\w/]+\.py` \|$", row)]


def test_every_decision_stands_in_the_list_of_decisions() -> None:
    listed = (ROOT / "docs/adr/README.md").read_text(encoding="utf-8")
    assert not [path.name for path in (ROOT / "docs/adr").glob("0*.md") if f"({path.name})" not in listed]
