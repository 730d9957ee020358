"""Meta's codes in their two shapes."""

import pytest

from core.domain.outcomes import ErrorClass
from core.whatsapp.errors import TABLE
from simulator.errors import ERRORS, Refusal, rest_error, status_error
from simulator.outcomes import SUFFIXES


def test_a_refusal_has_the_shape_of_a_graph_error() -> None:
    error = rest_error(Refusal(130429))["error"]
    assert error["message"] == "(#130429) Rate limit hit"
    assert error["type"] == "OAuthException"
    assert error["error_data"]["messaging_product"] == "whatsapp"
    assert error["fbtrace_id"]


@pytest.mark.parametrize("code", [190, 100])
def test_some_codes_have_no_prefix(code: int) -> None:
    assert "(#" not in rest_error(Refusal(code))["error"]["message"]


def test_a_code_nobody_knows_still_has_a_shape() -> None:
    assert rest_error(Refusal(131999))["error"]["code"] == 131999
    assert status_error(131999)["error_data"]["details"]


def test_the_http_status_can_be_chosen() -> None:
    assert Refusal(130429).status == 429
    assert Refusal(130429, http=400).status == 400


def test_a_failed_status_has_code_title_details_and_a_link() -> None:
    assert set(status_error(131049)) == {"code", "title", "message", "error_data", "href"}


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_every_code_of_the_suffix_table_is_in_the_error_table(suffix: str) -> None:
    outcome = SUFFIXES[suffix]
    assert {outcome.refuse, outcome.fail} - {0} <= set(ERRORS)


def test_every_code_that_sending_may_meet_is_in_the_error_table() -> None:
    met = {code for code, found in TABLE.items() if found.error_class is not ErrorClass.IGNORED}
    assert met - set(ERRORS) == set()
