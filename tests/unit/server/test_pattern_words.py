"""Each pattern of the contract is told in words."""

import re

import pytest

from server.interceptors.pattern_words import WORDS, pattern_words
from tests.house.sources import ROOT

_WRITTEN = re.compile(r'pattern(?: =|:) "((?:[^"\\]|\\.)*)"')
PATTERNS = {
    pattern.replace(r"\\", "\\")
    for file in (ROOT / "proto/chappe/v1").glob("*.proto")
    for pattern in _WRITTEN.findall(file.read_text())
}


def test_each_pattern_that_is_no_name_has_words_of_its_own() -> None:
    assert {pattern for pattern in PATTERNS if "36}" not in pattern} == set(WORDS)


@pytest.mark.parametrize("pattern", sorted(PATTERNS))
def test_no_words_hold_an_expression(pattern: str) -> None:
    assert not set("^$[]*?()\\") & set(pattern_words(pattern))


def test_what_may_be_left_out_of_a_name_is_told() -> None:
    words = pattern_words("^campaigns/[0-9a-f-]{36}(/messages/[0-9a-f-]{36})?$")
    assert words == "must be a name like campaigns/{id} or campaigns/{id}/messages/{id}, each id a UUID in lower case"
