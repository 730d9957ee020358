"""Imports as a caller sees them: real server, real database, files cut anywhere."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from chappe.v1 import contacts_import_pb2, contacts_pb2, contacts_service_pb2
from google.api.httpbody_pb2 import HttpBody

from core.clock import SystemClock
from core.domain.contacts import MarketingConsent
from core.domain.imports import ImportedRow
from core.repositories.rooms import Store
from server.services.contact_chunks import ChunkWriter
from server.services.contact_imports import CHUNK_ROWS
from tests.helpers.contacts_api import ContactsApi, ImportRequest, serving_contacts
from tests.helpers.doors import details
from tests.helpers.statements import CountingDatabase

Contact = contacts_pb2.Contact
SNAPSHOT = "SELECT id, xmin::text, update_time FROM contacts ORDER BY id"


@pytest.fixture
async def api(fresh_database_url: str, cache_url: str, queue_url: str) -> AsyncIterator[ContactsApi]:
    async with serving_contacts(
        database_url=fresh_database_url, cache_url=cache_url, queue_url=queue_url, default_region="FR"
    ) as api:
        yield api


def counted(summary: Any) -> tuple[int, int, int, int, int]:
    totals = summary.totals
    return (
        totals.row_count, totals.created_count, totals.updated_count, totals.unchanged_count, totals.rejected_count,
    )  # fmt: skip


def people(count: int, *, first: int = 0, more: str = "") -> bytes:
    return "".join(f"+336{number:08d},Somebody {number}{more}\n" for number in range(first, first + count)).encode()


async def test_a_file_becomes_contacts_in_categories_and_its_bad_rows_come_back(api: ContactsApi) -> None:
    data = (
        "Téléphone;Nom complet;Ville;Groupe\r\n06 12 34 56 78;Zoé;Évry;VIP\r\n123;Bad;x;VIP\r\n07.12.34.56.78;Ed;;\r\n"
    )
    summary, [reject] = await api.import_file(data.encode("cp1252"), categories=["Spring"])
    assert counted(summary) == (3, 2, 0, 0, 1)
    assert (summary.encoding, summary.delimiter) == ("windows-1252", ";")
    assert list(summary.header) == ["Téléphone", "Nom complet", "Ville", "Groupe"]
    assert list(summary.attribute_columns) == ["Ville"]
    assert summary.totals.byte_count == len(data.encode("cp1252"))
    assert (reject.line, reject.column, reject.reason) == (3, "Téléphone", "PHONE_NUMBER_INVALID")
    assert list(reject.cells) == ["123", "Bad", "x", "VIP"]
    zoe, ed = await api.matching()
    assert (zoe.phone_number, zoe.display_name, dict(zoe.attributes)) == ("+33612345678", "Zoé", {"ville": "Évry"})
    counts = await api.rows("SELECT display_name, contact_count FROM categories ORDER BY display_name")
    assert counts == [{"display_name": "Spring", "contact_count": 2}, {"display_name": "VIP", "contact_count": 1}]
    assert sorted(summary.categories) == sorted(zoe.categories)
    assert len(ed.categories) == 1


async def test_the_same_file_again_changes_nothing_and_writes_nothing(api: ContactsApi) -> None:
    repeats = b"+33600000003,Another name\n" + people(3, more=" again")
    data = b"phone,name\n" + people(CHUNK_ROWS + 10) + repeats
    first, _ = await api.import_file(data, categories=["All"])
    assert counted(first) == (CHUNK_ROWS + 14, CHUNK_ROWS + 10, 0, 4, 0)
    before = await api.rows(SNAPSHOT)
    again, _ = await api.import_file(data, categories=["ALL"])
    assert counted(again) == (CHUNK_ROWS + 14, 0, 0, CHUNK_ROWS + 14, 0)
    assert await api.rows(SNAPSHOT) == before
    assert first.categories == again.categories
    [category] = await api.rows("SELECT contact_count FROM categories")
    assert category["contact_count"] == CHUNK_ROWS + 10


async def test_of_two_rows_of_a_person_the_first_wins_however_far_apart(api: ContactsApi) -> None:
    near = b"+33799999999,First,Lyon,\n+33799999999,Second,Paris,fr\n"
    filler = "".join(f"+336{number:08d},x,,\n" for number in range(CHUNK_ROWS)).encode()
    far = b"+33788888888,First,Lyon,\n" + filler + b"+33788888888,Second,Paris,fr\n"
    await api.import_file(b"phone,name,city,language\n" + near + far)
    for contact in await api.matching(phone_number_prefix="+337"):
        assert (contact.display_name, contact.language_code, dict(contact.attributes)) == (
            "First",
            "fr",
            {"city": "Lyon"},
        )


async def test_an_import_adds_to_what_is_known_and_erases_nothing(api: ContactsApi) -> None:
    await api.create("+33612345678", display_name="Zoé", language_code="fr", attributes={"city": "Lyon", "size": "M"})
    summary, _ = await api.import_file(b"phone,name,language,city,shoe\n+33612345678,,,Paris,42\n")
    assert counted(summary) == (1, 0, 1, 0, 0)
    [contact] = await api.matching()
    assert (contact.display_name, contact.language_code) == ("Zoé", "fr")
    assert dict(contact.attributes) == {"city": "Paris", "size": "M", "shoe": "42"}


async def test_joining_a_category_counts_as_a_change(api: ContactsApi) -> None:
    await api.import_file(b"phone\n+33612345678\n")
    summary, _ = await api.import_file(b"phone,category\n+33612345678,VIP\n")
    assert counted(summary) == (1, 0, 1, 0, 0)


async def test_a_dry_run_tells_what_would_happen_and_changes_nothing(api: ContactsApi) -> None:
    await api.import_file(b"phone\n+33612345678\n")
    summary, rejects = await api.import_file(
        b"phone,category\n+33612345678,VIP\n+33612345679,VIP\nbad,VIP\n", dry_run=True, categories=["New"]
    )
    assert (counted(summary), summary.dry_run, len(rejects)) == ((3, 1, 1, 0, 1), True, 1)
    assert list(summary.categories) == []
    assert len(await api.matching()) == 1
    assert await api.rows("SELECT id FROM categories") == []


async def test_rows_that_a_caller_took_apart_are_imported_too(api: ContactsApi) -> None:
    row = contacts_import_pb2.ImportRow
    rows = [
        row(phone_number="06 12 34 56 78", display_name="Zoé", attributes={"city": "Lyon"}, categories=["VIP"]),
        row(phone_number="nobody"),
    ]
    summary, [reject] = await api.send_import([ImportRequest(rows=rows), ImportRequest(rows=rows[:1])])
    assert counted(summary) == (3, 1, 0, 1, 1)
    assert (reject.line, reject.column, reject.reason) == (2, "phone_number", "PHONE_NUMBER_INVALID")


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([ImportRequest(body=HttpBody(data=b""))], "HEADER_UNREADABLE"),
        ([ImportRequest(body=HttpBody(data=b"name\nZo\n"))], "PHONE_COLUMN_MISSING"),
        ([ImportRequest(body=HttpBody(data=b"PK\x03\x04" + b"x" * 99))], "ENCODING_UNKNOWN"),
        ([], "HEADER_UNREADABLE"),
        (
            [
                ImportRequest(body=HttpBody(data=b"phone\n")),
                ImportRequest(rows=[contacts_import_pb2.ImportRow(phone_number="+33612345678")]),
            ],
            "IMPORT_MIXED",
        ),
        (
            [ImportRequest(categories=["categories/00000000-0000-0000-0000-000000000007"])],
            "CATEGORY_NOT_FOUND",
        ),
    ],
)
async def test_an_import_that_cannot_be_is_refused(api: ContactsApi, messages: list[Any], reason: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await api.send_import(messages)
    assert details(refused.value)["ErrorInfo"].reason == reason


@pytest.fixture
async def cached(fresh_database_url: str, cache_url: str, queue_url: str) -> AsyncIterator[ContactsApi]:
    async with serving_contacts(
        database_url=fresh_database_url, cache_url=cache_url, queue_url=queue_url, cache_enabled=True
    ) as api:
        yield api


async def test_what_an_import_wrote_before_it_was_refused_is_seen_by_the_next_read(cached: ContactsApi) -> None:
    assert not await cached.matching()  # which is kept
    data = b"phone,name\n" + people(CHUNK_ROWS + 10)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await cached.send_import(
            [
                ImportRequest(body=HttpBody(data=data)),
                ImportRequest(rows=[contacts_import_pb2.ImportRow(phone_number="+33612345678")]),
            ]
        )
    assert details(refused.value)["ErrorInfo"].reason == "IMPORT_MIXED"
    assert (await cached.rows("SELECT count(*) FROM contacts"))[0]["count"] == CHUNK_ROWS
    assert len(await cached.matching()) == 1000


async def test_an_import_records_a_consent_once_and_an_opt_out_stays(api: ContactsApi) -> None:
    refused = await api.create("+33612345601")
    said = contacts_service_pb2.RecordConsentRequest(
        name=refused.name, consent=Contact.MARKETING_CONSENT_OPTED_OUT, source="phone"
    )
    await api.call(api.contacts.RecordConsent, said)
    data = b"phone\n+33612345601\n+33612345602\n"
    for _ in range(2):
        await api.import_file(data, marketing_consent=Contact.MARKETING_CONSENT_OPTED_IN)
    consents = [(each.marketing_consent, each.consent_source) for each in await api.matching()]
    assert consents == [
        (Contact.MARKETING_CONSENT_OPTED_OUT, "phone"),
        (Contact.MARKETING_CONSENT_OPTED_IN, "import"),
    ]
    events = await api.rows("SELECT consent, source FROM consent_events ORDER BY id")
    assert events == [{"consent": "OPTED_OUT", "source": "phone"}, {"consent": "OPTED_IN", "source": "import"}]


async def test_people_are_the_same_by_number_and_by_whatsapps_own_id(api: ContactsApi) -> None:
    await api.create(whatsapp_user_id="FR.1", display_name="Known by id")
    await api.create("+33612345602", whatsapp_user_id="FR.2")
    await api.create("+33612345603")
    data = (
        b"phone,whatsapp_user_id,name\n"
        b"+33612345601,FR.1,\n"  # the number of somebody known by id
        b",FR.2,Named by id\n"
        b"+33612345603,FR.2,Somebody else's id\n"
        b"+33612345603,,Good again\n"
        b",FR.4,\n+33612345604,FR.4,Number comes later\n"
    )
    summary, [reject] = await api.import_file(data)
    assert counted(summary) == (6, 1, 3, 1, 1)
    assert (reject.line, reject.reason) == (4, "PERSON_CONFLICT")
    found = {(each.phone_number, each.whatsapp_user_id): each.display_name for each in await api.matching()}
    assert found == {
        ("+33612345601", "FR.1"): "Known by id",
        ("+33612345602", "FR.2"): "Named by id",
        ("+33612345603", ""): "Good again",
        ("+33612345604", "FR.4"): "Number comes later",
    }


async def test_a_chunk_takes_the_same_statements_whatever_its_size(fresh_database_url: str) -> None:
    async def write(database: CountingDatabase, count: int, first: int) -> list[str]:
        rows = [
            ImportedRow(
                line=number, phone_number=f"+336{number:08d}", categories=("VIP",), consent=MarketingConsent.OPTED_IN
            )
            for number in range(first, first + count)
        ]
        database.forget()
        async with Store(database).transaction() as rooms:
            await ChunkWriter(hash_key=b"k").write(rooms, rows, at=SystemClock().now())
        return list(database.statements)

    async with CountingDatabase(url=fresh_database_url) as database:
        assert await write(database, 1, 0) == await write(database, 500, 1000)
        assert len(database.statements) < 10
