"""Contacts as a caller sees them: real server, real database."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from chappe.v1 import contacts_pb2, contacts_service_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from tests.helpers import campaign_rows
from tests.helpers.contacts_api import ContactsApi, serving_contacts

Contact = contacts_pb2.Contact
requests = contacts_service_pb2


@pytest.fixture
async def api(fresh_database_url: str, cache_url: str, queue_url: str) -> AsyncIterator[ContactsApi]:
    async with serving_contacts(database_url=fresh_database_url, cache_url=cache_url, queue_url=queue_url) as api:
        yield api


async def update(api: ContactsApi, contact: Any, *paths: str) -> Any:
    mask = FieldMask(paths=paths)
    return await api.call(api.contacts.UpdateContact, requests.UpdateContactRequest(contact=contact, update_mask=mask))


async def consent(api: ContactsApi, contact: Any, verdict: str, **fields: Any) -> Any:
    said = Contact.MarketingConsent.Value(f"MARKETING_CONSENT_{verdict}")
    request = requests.RecordConsentRequest(name=contact.name, consent=said, source="form", **fields)
    return await api.call(api.contacts.RecordConsent, request)


async def test_a_contact_is_kept_as_it_was_made_with_its_number_in_e164(api: ContactsApi) -> None:
    made = await api.create(
        "+33 (0)6 12 34 56 78",
        display_name="Zoé",
        language_code="fr",
        time_zone="Europe/Paris",
        attributes={"city": "Lyon"},
    )
    read = await api.call(api.contacts.GetContact, requests.GetContactRequest(name=made.name))
    assert read == made
    assert (read.phone_number, read.display_name, dict(read.attributes)) == ("+33612345678", "Zoé", {"city": "Lyon"})
    assert read.whatsapp_state == Contact.WHATSAPP_STATE_UNKNOWN
    assert read.marketing_consent == Contact.MARKETING_CONSENT_UNKNOWN


async def test_what_cannot_be_a_contact_is_refused(api: ContactsApi) -> None:
    made = await api.create("+33612345678", whatsapp_user_id="FR.1")
    create = api.contacts.CreateContact
    for contact, reason in [
        (Contact(phone_number="+33 6 12 34 56 78"), "CONTACT_ALREADY_EXISTS"),
        (Contact(phone_number="+33612345679", whatsapp_user_id="FR.1"), "CONTACT_ALREADY_EXISTS"),
        (Contact(phone_number="0612345678"), "PHONE_NUMBER_INVALID"),
        (Contact(phone_number="+3361"), "PHONE_NUMBER_INVALID"),
    ]:
        assert await api.refusal(create, requests.CreateContactRequest(contact=contact)) == reason
    unknown = requests.GetContactRequest(name=f"contacts/{UUID(int=7)}")
    assert await api.refusal(api.contacts.GetContact, unknown) == "CONTACT_NOT_FOUND"
    assert [contact.name for contact in await api.matching()] == [made.name]


async def test_an_update_changes_the_named_fields_alone(api: ContactsApi) -> None:
    made = await api.create("+33612345678", display_name="Zoé", attributes={"city": "Lyon"})
    changed = await update(api, Contact(name=made.name, display_name="Zo", attributes={"a": "b"}), "display_name")
    assert (changed.display_name, dict(changed.attributes)) == ("Zo", {"city": "Lyon"})
    changed = await update(api, Contact(name=made.name, attributes={"a": "b"}))
    assert (changed.display_name, dict(changed.attributes)) == ("Zo", {"a": "b"})
    without_number = requests.UpdateContactRequest(
        contact=Contact(name=made.name), update_mask=FieldMask(paths=["phone_number"])
    )
    assert await api.refusal(api.contacts.UpdateContact, without_number) == "PHONE_NUMBER_MISSING"


async def test_a_list_walks_all_contacts_once_each_with_their_categories(api: ContactsApi) -> None:
    made = [await api.create(f"+3361234560{number}") for number in range(7)]
    category = await api.category("VIP", made[:3])
    seen: list[Any] = []
    token = ""
    while True:
        page = await api.call(api.contacts.ListContacts, requests.ListContactsRequest(page_size=2, page_token=token))
        assert len(page.contacts) <= 2
        seen += page.contacts
        token = page.next_page_token
        if not token:
            break
    assert [contact.name for contact in seen] == [contact.name for contact in made]
    assert [list(contact.categories) for contact in seen] == [[category.name]] * 3 + [[]] * 4


async def test_every_filter_selects_what_it_says_and_counts_the_same(api: ContactsApi) -> None:
    ann = await api.create("+33612345601", display_name="Ann")
    anna = await api.create("+33712345602", display_name="anna B")
    ben = await api.create("+4915112345603", display_name="Ben 100%")
    vip = await api.category("VIP", [ann, ben])
    await consent(api, anna, "OPTED_IN")
    await api.rows("UPDATE contacts SET whatsapp_state = 'VERIFIED' WHERE display_name = 'Ben 100%'")
    cases: list[tuple[dict[str, Any], list[Any]]] = [
        ({}, [ann, anna, ben]),
        ({"phone_number_prefix": "+336"}, [ann]),
        ({"phone_number_prefix": "+33"}, [ann, anna]),
        ({"display_name_prefix": "AN"}, [ann, anna]),
        ({"display_name_prefix": "ben 100%"}, [ben]),
        ({"display_name_prefix": "%"}, []),
        ({"category": vip.name}, [ann, ben]),
        ({"category": vip.name, "display_name_prefix": "a"}, [ann]),
        ({"marketing_consent": Contact.MARKETING_CONSENT_OPTED_IN}, [anna]),
        ({"whatsapp_state": Contact.WHATSAPP_STATE_VERIFIED}, [ben]),
        ({"whatsapp_state": Contact.WHATSAPP_STATE_UNKNOWN, "phone_number_prefix": "+33"}, [ann, anna]),
    ]
    for selected, wanted in cases:
        found = await api.matching(**selected)
        assert [contact.name for contact in found] == [contact.name for contact in wanted], selected
        request = requests.CountContactsRequest(filter=requests.ContactFilter(**selected))
        assert (await api.call(api.contacts.CountContacts, request)).contact_count == len(wanted)


async def test_contacts_come_by_name_in_the_order_asked_or_not_at_all(api: ContactsApi) -> None:
    names = [(await api.create(f"+3361234560{number}")).name for number in range(3)]
    asked = requests.BatchGetContactsRequest(names=reversed(names))
    reply = await api.call(api.contacts.BatchGetContacts, asked)
    assert [contact.name for contact in reply.contacts] == names[::-1]
    asked.names.append(f"contacts/{UUID(int=7)}")
    assert await api.refusal(api.contacts.BatchGetContacts, asked) == "CONTACT_NOT_FOUND"


async def test_a_batch_says_for_each_item_what_was_done(api: ContactsApi) -> None:
    known = await api.create("+33612345601", display_name="Ann", attributes={"city": "Lyon"})
    await api.create("+33612345609", whatsapp_user_id="FR.9")
    items = [
        Contact(phone_number="+33612345601", attributes={"size": "M"}),
        Contact(phone_number="+33612345602", display_name="first"),
        Contact(phone_number="+33612345602", display_name="last"),
        Contact(phone_number="+1"),
        Contact(whatsapp_user_id="FR.9"),
        Contact(phone_number="+33612345601", whatsapp_user_id="FR.9"),
        Contact(whatsapp_user_id="FR.10", display_name="Only an id"),
    ]
    request = requests.BatchUpsertContactsRequest(contacts=items)
    results = (await api.call(api.contacts.BatchUpsertContacts, request)).results
    outcome = requests.ContactOutcome.Name
    assert [outcome(result.outcome).removeprefix("CONTACT_OUTCOME_") for result in results[1:5]] == [
        "CREATED", "CREATED", "REJECTED", "UNCHANGED",
    ]  # fmt: skip
    assert results[2].contact.display_name == "last"
    assert (results[3].reason, results[5].reason) == ("PHONE_NUMBER_INVALID", "PERSON_CONFLICT")
    assert results[6].contact.whatsapp_user_id == "FR.10"
    read = await api.call(api.contacts.GetContact, requests.GetContactRequest(name=known.name))
    assert read.display_name == "Ann"


async def test_the_same_batch_again_writes_nothing(api: ContactsApi) -> None:
    items = [
        Contact(phone_number=f"+336123456{n:02d}", display_name=f"N {n}", attributes={"n": str(n)}) for n in range(50)
    ]
    request = requests.BatchUpsertContactsRequest(contacts=items)
    await api.call(api.contacts.BatchUpsertContacts, request)
    before = await api.rows("SELECT id, xmin::text, update_time FROM contacts ORDER BY id")
    results = (await api.call(api.contacts.BatchUpsertContacts, request)).results
    assert {result.outcome for result in results} == {requests.CONTACT_OUTCOME_UNCHANGED}
    assert await api.rows("SELECT id, xmin::text, update_time FROM contacts ORDER BY id") == before


async def test_an_export_ends_with_the_number_of_its_rows(api: ContactsApi) -> None:
    async with api.database.connection() as connection:
        await campaign_rows.add_contacts(connection, 1500)
    stream = api.contacts.ExportContacts(requests.ExportContactsRequest(), metadata=api.metadata)
    elements = [element async for element in stream]
    assert [len(element.contacts) for element in elements] == [1000, 500, 0]
    assert elements[-1].footer.row_count == 1500
    assert len({contact.name for element in elements for contact in element.contacts}) == 1500


async def test_an_older_consent_is_kept_as_proof_and_changes_nothing(api: ContactsApi) -> None:
    made = await api.create("+33612345678")
    assert (await consent(api, made, "OPTED_OUT")).marketing_consent == Contact.MARKETING_CONSENT_OPTED_OUT
    late = await consent(api, made, "OPTED_IN", event_time=Timestamp(seconds=1_600_000_000), evidence="form 7")
    assert (late.marketing_consent, late.consent_source) == (Contact.MARKETING_CONSENT_OPTED_OUT, "form")
    events = await api.rows("SELECT consent, evidence FROM consent_events ORDER BY event_time")
    assert events == [{"consent": "OPTED_IN", "evidence": "form 7"}, {"consent": "OPTED_OUT", "evidence": ""}]


async def test_a_consent_from_the_future_is_refused(api: ContactsApi) -> None:
    made = await api.create("+33612345678")
    request = requests.RecordConsentRequest(
        name=made.name, consent=Contact.MARKETING_CONSENT_OPTED_IN, source="form",
        event_time=Timestamp(seconds=4_000_000_000),
    )  # fmt: skip
    assert await api.refusal(api.contacts.RecordConsent, request) == "EVENT_TIME_INVALID"


@pytest.mark.parametrize(("category", "state"), [("MARKETING", "SKIPPED"), ("UTILITY", "PENDING")])
async def test_an_opt_out_skips_the_marketing_that_still_waits(api: ContactsApi, category: str, state: str) -> None:
    made = await api.create("+33612345678")
    await add_message(api, made, template_category=category)
    await consent(api, made, "OPTED_OUT")
    [message] = await api.rows("SELECT state, reason FROM messages")
    assert message == {"state": state, "reason": "OPTED_OUT" if state == "SKIPPED" else ""}


async def add_message(api: ContactsApi, contact: Any, *, template_category: str = "MARKETING", **columns: Any) -> None:
    """Adds a campaign with one PENDING message to the contact."""
    async with api.database.connection() as connection:
        sender_id = await campaign_rows.add_sender(connection)
        template_id = await campaign_rows.add_template(connection, category=template_category)
        campaign_id = await connection.fetchval(
            "INSERT INTO campaigns (display_name, sender_id, template_id, state) VALUES ('x', $1, $2, 'RUNNING')"
            " RETURNING id",
            sender_id,
            template_id,
        )
        await connection.execute(
            "INSERT INTO messages (campaign_id, contact_id, sender_id, occurrence) VALUES ($1, $2, $3, 1)",
            campaign_id,
            UUID(contact.name.removeprefix("contacts/")),
            sender_id,
        )
