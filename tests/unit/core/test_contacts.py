"""The rules of contacts: what may go to whom, who is known again, what an update keeps; and SQL says the same."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.domain.contacts import (
    ContactDraft,
    ContactFilter,
    MarketingConsent,
    WhatsappState,
    check_event_time,
    check_reachable,
    may_receive,
    person_hash,
    person_hashes,
)
from core.domain.errors import InvalidArgument
from core.repositories import filters
from core.repositories.filters import Composed, conditions

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MIGRATION = (Path(__file__).parents[3] / "sql/migrations/0001_pre_create_contacts.sql").read_text()


@pytest.mark.parametrize("consent", list(MarketingConsent))
def test_only_marketing_stops_at_an_opt_out(consent: MarketingConsent) -> None:
    assert may_receive("MARKETING", consent) is (consent is not MarketingConsent.OPTED_OUT)
    assert may_receive("UTILITY", consent)
    assert may_receive("AUTHENTICATION", consent)


def test_a_person_is_known_by_key_and_identity_alone() -> None:
    assert person_hash(b"k", "+33612345678") == person_hash(b"k", "+33612345678")
    assert person_hash(b"k", "+33612345678") != person_hash(b"other", "+33612345678")
    assert person_hashes(b"k", "+33612345678", None) == (person_hash(b"k", "+33612345678"),)
    assert len(set(person_hashes(b"k", "+33612345678", "FR.1"))) == 2


def test_a_consent_cannot_come_from_the_future() -> None:
    check_event_time(NOW, now=NOW)
    with pytest.raises(InvalidArgument, match="future"):
        check_event_time(NOW + timedelta(seconds=1), now=NOW)


def test_a_contact_needs_a_number_or_an_id() -> None:
    check_reachable(ContactDraft(whatsapp_user_id="FR.1"))
    with pytest.raises(InvalidArgument) as refused:
        check_reachable(ContactDraft(display_name="Nobody"))
    assert refused.value.violations[0].field == "contact.phone_number"


@pytest.mark.parametrize("states", [WhatsappState, MarketingConsent])
def test_states_in_sql_are_those_of_the_domain(states: type[WhatsappState] | type[MarketingConsent]) -> None:
    assert f"IN ({', '.join(repr(str(state)) for state in states)})" in MIGRATION


def test_conditions_number_their_parameters_after_those_there_are() -> None:
    selected = ContactFilter(
        whatsapp_state=WhatsappState.ABSENT, phone_number_prefix="+33", display_name_prefix="' OR 1"
    )
    composed = Composed("SELECT $1 /* filters */ AND true /* filters */", ["first"])
    composed.fill("filters", conditions(selected, filters.states, filters.phone_number, filters.display_name))
    assert composed.arguments == ["first", "+33", "+33\U0010ffff", "' OR 1", "' OR 1\U0010ffff"]
    assert composed.statement.count("$2 AND") == 2
    assert "lower($4)" in composed.statement
    assert "OR 1" not in composed.statement


@pytest.mark.parametrize("state", list(WhatsappState))
def test_every_state_and_consent_has_its_literal(state: WhatsappState) -> None:
    found = list(filters.states(ContactFilter(whatsapp_state=state)))
    assert found == [(f"contacts.whatsapp_state = '{state}'", ())]


@pytest.mark.parametrize("consent", list(MarketingConsent))
def test_every_consent_has_its_literal(consent: MarketingConsent) -> None:
    found = list(filters.states(ContactFilter(marketing_consent=consent)))
    assert found == [(f"contacts.marketing_consent = '{consent}'", ())]
