"""Erasing a person: no trace is left in any column, every count stays, an opt-out stays known."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import grpc
import pytest
from chappe.v1 import contacts_pb2, contacts_service_pb2
from chappe_client import Chappe, v1
from google.protobuf.field_mask_pb2 import FieldMask

from core.db import Database
from core.domain.traces import trace
from tests.helpers import campaign_rows
from tests.helpers.contacts_api import ContactsApi, serving_contacts
from tests.helpers.doors import details
from tests.helpers.eventually import eventually
from tests.helpers.served import HASH_KEY

Contact = contacts_pb2.Contact
requests = contacts_service_pb2
# Every text that tells of the person, wherever it stands below.
TRACES = (
    "33612345678", "FR.secret", "Zoé Secret", "Secretville", "wamid.secret", "secret words", "secret proof",
    "secret-tap",
)  # fmt: skip


@pytest.fixture
async def api(fresh_database_url: str, cache_url: str, queue_url: str) -> AsyncIterator[ContactsApi]:
    async with serving_contacts(database_url=fresh_database_url, cache_url=cache_url, queue_url=queue_url) as api:
        yield api


async def make_person(api: ContactsApi, *, state: str = "PENDING") -> Any:
    """Makes a person with a trace in every table that may hold one."""
    person = await api.create(
        "+33612345678", whatsapp_user_id="FR.secret", display_name="Zoé Secret", attributes={"city": "Secretville"},
    )  # fmt: skip
    contact_id = UUID(person.name.removeprefix("contacts/"))
    await api.category("VIP", [person])
    async with api.database.connection() as connection:
        sender_id = await campaign_rows.add_sender(connection)
        template_id = await campaign_rows.add_template(connection)
        campaign_id = await connection.fetchval(
            "INSERT INTO campaigns (display_name, sender_id, template_id, state) VALUES ('x', $1, $2, 'RUNNING')"
            " RETURNING id", sender_id, template_id,
        )  # fmt: skip
        message_id = await connection.fetchval(
            """INSERT INTO messages (campaign_id, contact_id, sender_id, occurrence, state, parameters,
                whatsapp_message_id, lease_expire_time, doubt_time)
            VALUES ($1, $2, $3, 1, $4, '["Zoé Secret", "Secretville"]', 'wamid.secret1', now(), now()) RETURNING id""",
            campaign_id, contact_id, sender_id, state,
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO message_attempts (campaign_id, message_id, attempt, whatsapp_message_id)"
            " VALUES ($1, $2, 1, 'wamid.secret0')", campaign_id, message_id,
        )  # fmt: skip
        await connection.execute(
            """INSERT INTO interactions (whatsapp_message_id, sender_id, contact_id, campaign_id, message_id, kind,
                text, payload, interaction_time)
            VALUES ('wamid.secret2', $1, $2, $3, $4, 'TEXT', 'secret words', '{"payload": "secret-tap"}', now())""",
            sender_id, contact_id, campaign_id, message_id,
        )  # fmt: skip
        await connection.execute("INSERT INTO service_windows VALUES ($1, $2, now())", contact_id, sender_id)
        await connection.execute(
            """INSERT INTO parked_receipts (delivery_id, receipt, not_before_time, expire_time, traces) VALUES
            (uuidv7(), '{"whatsapp_message_id": "wamid.secret9"}', now(), now(), ARRAY[$1::bigint]),
            (uuidv7(), '{"whatsapp_message_id": "wamid.secret1"}', now(), now(), '{}'),
            (uuidv7(), '{"whatsapp_message_id": "wamid.other"}', now(), now(), '{}')""",
            trace(HASH_KEY.encode(), "33612345678"),
        )
    batch = requests.BatchUpsertContactsRequest(contacts=[Contact(phone_number="+33612345678")], request_id="b1")
    await api.call(api.contacts.BatchUpsertContacts, batch)
    said = requests.RecordConsentRequest(
        name=person.name, consent=Contact.MARKETING_CONSENT_OPTED_OUT, source="phone", evidence="secret proof",
        request_id="r1",
    )  # fmt: skip
    await api.call(api.contacts.RecordConsent, said)
    return person


async def traces(api: ContactsApi) -> list[tuple[str, str]]:
    """Looks for the person in every column of every table."""
    columns = await api.rows(
        "SELECT table_name, column_name, data_type FROM information_schema.columns JOIN information_schema.tables"
        " USING (table_schema, table_name) WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    found = []
    for column in columns:
        table, name = column["table_name"], column["column_name"]
        text = f"encode({name}, 'escape')" if column["data_type"] == "bytea" else f"{name}::text"
        for row in await api.rows(f"SELECT {text} AS value FROM {table} WHERE {name} IS NOT NULL"):  # noqa: S608  # names of our own
            value = row["value"].encode().decode("unicode_escape", errors="ignore") + row["value"]
            found += [(table, name) for trace in TRACES if trace in value]
    return sorted(set(found))


async def erase(api: ContactsApi, person: Any) -> None:
    await api.call(api.contacts.DeleteContact, requests.DeleteContactRequest(name=person.name))


async def test_nothing_of_an_erased_person_is_left_in_any_column(api: ContactsApi) -> None:
    person = await make_person(api)
    before = {table for table, _ in await traces(api)}
    assert before == {
        "contacts", "messages", "message_attempts", "interactions", "parked_receipts", "consent_events",
        "idempotent_requests",
    }  # fmt: skip
    await erase(api, person)
    assert await traces(api) == []
    [parked] = await api.rows("SELECT receipt FROM parked_receipts")
    assert parked["receipt"] == {"whatsapp_message_id": "wamid.other"}
    assert [row["count"] for row in await api.rows("SELECT contact_count AS count FROM categories")] == [0]
    gone = requests.GetContactRequest(name=person.name)
    assert await api.refusal(api.contacts.GetContact, gone) == "CONTACT_NOT_FOUND"


async def test_what_waited_is_skipped_and_what_was_counted_stays_counted(api: ContactsApi) -> None:
    person = await make_person(api, state="DELIVERED")
    await erase(api, person)
    [message] = await api.rows("SELECT state, contact_id, parameters FROM messages")
    assert message == {"state": "DELIVERED", "contact_id": None, "parameters": None}
    [interactions] = await api.rows("SELECT count(*) FROM interactions WHERE campaign_id IS NOT NULL")
    assert interactions["count"] == 1


async def test_a_utility_message_that_waits_is_skipped_as_erased(api: ContactsApi) -> None:
    person = await make_person(api)
    await api.rows("UPDATE messages SET state = 'PENDING', reason = ''")
    await erase(api, person)
    assert await api.rows("SELECT state, reason FROM messages") == [{"state": "SKIPPED", "reason": "ERASED"}]


async def test_a_message_in_doubt_is_never_sent_again(api: ContactsApi) -> None:
    person = await make_person(api, state="UNCONFIRMED")
    await erase(api, person)
    assert await api.rows("SELECT state, reason FROM messages") == [{"state": "FAILED", "reason": "OUTCOME_UNKNOWN"}]


@pytest.mark.parametrize(
    ("left", "soonest", "latest"),
    [(59.9, 0.5, 5), (45, 15, 20), (20, 15, 20)],
    ids=["just begun", "slow", "its worker is gone"],
)
async def test_a_person_whose_message_is_on_its_way_out_has_to_wait_and_is_told_for_how_long(
    api: ContactsApi, left: float, soonest: float, latest: float
) -> None:
    person = await make_person(api, state="SENDING")
    await api.rows("UPDATE messages SET lease_expire_time = now() + make_interval(secs => $1)", left)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await erase(api, person)
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    told = details(refused.value)
    assert told["ErrorInfo"].reason == "CONTACT_BUSY"
    assert left - 5 < int(told["ErrorInfo"].metadata["seconds"]) <= left + 1
    assert soonest <= told["RetryInfo"].retry_delay.ToMilliseconds() / 1000 <= latest
    assert len(await api.matching()) == 1


async def test_a_message_claimed_in_the_same_moment_goes_to_nobody_who_is_erased(
    api: ContactsApi, fresh_database_url: str
) -> None:
    person = await make_person(api)
    claim = "UPDATE messages SET state = 'SENDING', lease_expire_time = now() + interval '1 minute'"
    waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%messages%'"
    async with Database(url=fresh_database_url) as database, database.transaction() as claiming:
        await claiming.execute(claim)
        erasing = asyncio.create_task(erase(api, person))
        await eventually(lambda: api.rows(waiting))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await erasing
    assert details(refused.value)["ErrorInfo"].reason == "CONTACT_BUSY"


async def test_a_message_nobody_sends_any_more_holds_up_no_erasure(api: ContactsApi) -> None:
    person = await make_person(api, state="SENDING")
    await erase(api, person)
    assert await api.rows("SELECT state, reason FROM messages") == [{"state": "FAILED", "reason": "OUTCOME_UNKNOWN"}]
    assert await traces(api) == []


async def test_the_client_waits_for_what_is_on_its_way(api: ContactsApi) -> None:
    person = await make_person(api, state="SENDING")
    await api.rows("UPDATE messages SET lease_expire_time = now() + interval '2 seconds'")
    key = dict(api.metadata)["authorization"].removeprefix("Bearer ")
    async with Chappe(api.address, key=key, timeout=30) as client:
        await client.contacts.delete_contact(v1.DeleteContactRequest(name=person.name))
    assert await api.matching() == []


@pytest.mark.parametrize(
    "again",
    [Contact(phone_number="+33612345678"), Contact(whatsapp_user_id="FR.secret")],
    ids=["by number", "by WhatsApp's id"],
)
@pytest.mark.parametrize("way", ["create", "batch", "import"])
async def test_an_erased_opt_out_is_known_again_however_the_person_comes_back(
    api: ContactsApi, again: Any, way: str
) -> None:
    await erase(api, await make_person(api))
    if way == "create":
        await api.call(api.contacts.CreateContact, requests.CreateContactRequest(contact=again))
    elif way == "batch":
        await api.call(api.contacts.BatchUpsertContacts, requests.BatchUpsertContactsRequest(contacts=[again]))
    else:
        data = f"phone,whatsapp_user_id\n{again.phone_number},{again.whatsapp_user_id}\n".encode()
        await api.import_file(data, marketing_consent=Contact.MARKETING_CONSENT_OPTED_IN)
    [contact] = await api.matching()
    assert (contact.marketing_consent, contact.consent_source) == (Contact.MARKETING_CONSENT_OPTED_OUT, "phone")


@pytest.mark.parametrize(
    "known", [{"phone_number": "+33612345678"}, {"whatsapp_user_id": "FR.secret"}], ids=["the number", "the id"]
)
async def test_an_erased_opt_out_is_known_again_when_another_contact_takes(
    api: ContactsApi, known: dict[str, Any]
) -> None:
    await erase(api, await make_person(api))
    other = await api.create("+33612345699")
    change = requests.UpdateContactRequest(
        contact=Contact(name=other.name, **known), update_mask=FieldMask(paths=list(known))
    )
    changed = await api.call(api.contacts.UpdateContact, change)
    assert (changed.marketing_consent, changed.consent_source) == (Contact.MARKETING_CONSENT_OPTED_OUT, "phone")
    [proof] = await api.rows("SELECT count(*) FROM consent_events WHERE contact_id IS NOT NULL")
    assert proof["count"] == 1
