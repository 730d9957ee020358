"""A person goes through everything there is, is erased in the midst of a campaign, and is nowhere any more."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from typing import Any, Final
from uuid import UUID

import aiohttp
import pytest
from chappe_client import Chappe, ChappeError, WrongState, v1
from chappe_client.imports import ImportOptions

from core.clock import SystemClock
from core.db import Connection, Database
from core.domain.messages import MessageRef
from server.webhooks.signature import sign
from stack.stack import Stack
from tests.helpers import traces
from tests.helpers.eventually import eventually
from tests.helpers.walk import SENDER_ID, Walk
from tests.helpers.webhook_bodies import body, reply, status
from tests.helpers.whatsapp import WhatsApp

NUMBER, USER_ID = "+33639977713", "FR.Unmistakable13"
NAME, MAIL, FIRST = "Zoraide Quendolinia", "zora.unmistakable@example.org", "Zoraidina"
WORDS = ("words nobody else says", "a tap nobody else makes", "proof nobody else gives", "answer nobody else gets")
# What tells of the person, wherever it stands: the number without + is part of it with +.
TOLD = traces.forms([NUMBER[1:], NUMBER[4:], USER_ID, NAME, FIRST, MAIL, "wamid.unmistakable", *WORDS])
OTHERS = [f"+3363997{number:04d}" for number in range(2100, 2140)]
# The longest a reply with people in it may be served from the cache; erased people's are never served again.
LONGEST_CACHED: Final = 120.0


@pytest.fixture
async def rows(stack: Stack) -> AsyncIterator[Connection]:
    async with Database(url=stack.servers.postgres.url(), pool_size=1) as database, database.connection() as one:
        yield one


class Door:
    """Posts to the webhook door what WhatsApp would, signed."""

    def __init__(self, stack: Stack, session: aiohttp.ClientSession) -> None:
        secrets = json.loads((stack.directory / "secrets.json").read_text())
        self._url, self._secret, self._session = stack.webhooks_url, secrets["app_secret"].encode(), session

    async def tell(self, **value: Any) -> None:
        """Delivers one body."""
        await self.post(body(phone_number_id=SENDER_ID, **value))

    async def post(self, raw: bytes) -> None:
        """Delivers a body as it is."""
        headers = {"X-Hub-Signature-256": sign(raw, self._secret).decode()}
        async with self._session.post(self._url, data=BytesIO(raw), headers=headers) as answer:
            assert answer.status == 200


def write(text: str, wamid: str, *, seconds_ago: int = 0, **more: Any) -> dict[str, Any]:
    cards = [{"profile": {"name": NAME}, "wa_id": NUMBER[1:], "user_id": USER_ID}]
    said = SystemClock().now() - timedelta(seconds=seconds_ago)
    told = reply(text, said, wamid=f"wamid.unmistakable.{wamid}", phone=NUMBER, **more)
    return {"messages": [told], "contacts": cards}


async def is_applied(rows: Connection) -> bool:
    return not await rows.fetchval("SELECT count(*) FROM webhook_deliveries WHERE apply_time IS NULL")


async def make_person(client: Chappe) -> v1.Contact:
    file = f"phone_number,display_name,mail,first\n{NUMBER},{NAME},{MAIL},{FIRST}\n".encode()
    async for _ in client.import_contacts(file, ImportOptions(categories=["The unmistakable"])):
        pass
    told = v1.Contact(phone_number=NUMBER, whatsapp_user_id=USER_ID)
    batch = v1.BatchUpsertContactsRequest(contacts=[told, v1.Contact(phone_number=OTHERS[0])], request_id="batch-1")
    made = (await client.contacts.batch_upsert_contacts(batch)).results[0].contact
    assert made is not None
    assert made.display_name == NAME
    return made


def draft(walk: Walk, category: str, **more: Any) -> v1.Campaign:
    bindings = [
        v1.Binding(
            component=each.component, index=each.index, parameter=each.parameter, source=v1.BindingSource.ATTRIBUTE,
            value="first", default_value="you",
        )
        for each in walk.template.parameters
    ]  # fmt: skip
    return v1.Campaign(
        display_name=f"To {category}", sender=walk.sender.name, template=walk.template.name, bindings=bindings,
        audience=v1.Audience(categories=[category]), **more,
    )  # fmt: skip


async def start(walk: Walk, campaign: v1.Campaign) -> v1.Campaign:
    return await walk.start(await walk.client.campaigns.create_campaign(v1.CreateCampaignRequest(campaign=campaign)))


async def go_through_everything(walk: Walk, door: Door, person: v1.Contact) -> v1.Message:
    """Is sent a campaign, answers in every way, is answered, and leaves a receipt that waits for nobody."""
    category = (await walk.client.contacts.get_contact(v1.GetContactRequest(name=person.name))).categories[0]
    campaign = await start(walk, draft(walk, category))
    await eventually(lambda: has_read(walk, campaign), timeout=30, message="the message is read")
    [message] = await walk.messages(campaign)
    await door.tell(**write(WORDS[0], "1", context={"id": message.whatsapp_message_id}))
    tap = {"text": WORDS[1], "payload": "p"}
    await door.tell(**write("", "2", type="button", button=tap, context={"id": message.whatsapp_message_id}))
    await door.tell(field="calls", calls=[{"id": "call", "from": NUMBER[1:], "event": "connect"}])
    await door.tell(statuses=[bare("wamid.unmistakable.3")])
    answer = v1.SendMessageRequest(sender=walk.sender.name, contact=person.name, text=WORDS[3], request_id="direct-1")
    await eventually(lambda: is_sent(walk, answer), timeout=15, message="the window is open")
    # Before the yes that follows: of one second the stop would count.
    await door.tell(**write("STOP", "4", seconds_ago=2))
    said = v1.RecordConsentRequest(
        name=person.name, consent=v1.ContactMarketingConsent.OPTED_IN, source="phone", evidence=WORDS[2],
        request_id="consent-1",
    )  # fmt: skip
    await walk.client.contacts.record_consent(said)
    return message


def bare(wamid: str) -> dict[str, Any]:
    return {**status("delivered", SystemClock().now(), wamid=wamid), "recipient_id": NUMBER[1:]}


async def has_read(walk: Walk, campaign: v1.Campaign) -> bool:
    return (await walk.counts(campaign)).read_count == 1


async def is_sent(walk: Walk, request: v1.SendMessageRequest) -> bool:
    try:
        await walk.client.messages.send_message(request)
    except ChappeError:
        return False
    return True


async def is_erased(client: Chappe, name: str) -> bool:
    try:
        await client.contacts.delete_contact(v1.DeleteContactRequest(name=name))
    except WrongState as busy:
        if busy.reason != "CONTACT_BUSY":
            raise
        return False
    return True


async def test_who_went_through_everything_and_was_erased_is_nowhere_any_more(
    stack: Stack, walk: Walk, whatsapp: WhatsApp, rows: Connection
) -> None:
    client = walk.client
    async with aiohttp.ClientSession() as session:
        door = Door(stack, session)
        crowd = await walk.import_numbers(OTHERS)
        person = await make_person(client)
        contact_id = UUID(person.name.removeprefix("contacts/"))
        message = await go_through_everything(walk, door, person)
        await eventually(lambda: is_applied(rows), timeout=15)
        before = await traces.in_rows(rows, TOLD)
        assert before > {
            "contacts.phone_number", "messages.parameters", "messages.whatsapp_message_id", "interactions.text",
            "consent_events.evidence", "idempotent_requests.reply", "webhook_deliveries.body",
            "parked_receipts.receipt",
        }, before  # fmt: skip

        # In the midst of a campaign that has just begun with others.
        adding = v1.AddContactsRequest(name=crowd, contacts=[person.name])
        await client.categories.add_contacts(adding)
        running = await start(walk, draft(walk, crowd, messages_per_second=10))
        await eventually(lambda: is_under_way(walk, running), timeout=15)
        await eventually(lambda: is_erased(client, person.name), timeout=15, message="the person is erased")
        # What the door took and nobody applied yet is redacted when it is.
        assert await traces.in_rows(rows, TOLD) <= {"webhook_deliveries.body"}
        sent_to = await rows.fetchval("SELECT count(*) FROM messages WHERE reason = 'ERASED'")
        assert sent_to == 1, "what waited for the person is never sent"

        await tell_late(door, message)
        await eventually(lambda: is_applied(rows), timeout=15)
        await eventually(lambda: walk.is_completed(running), timeout=30)
        await eventually(lambda: is_quiet(whatsapp, rows), timeout=30)

    assert await traces.in_rows(rows, TOLD) == set()
    # That somebody with this id was erased, and by whom, is what an audit is for.
    assert await traces.in_rows(rows, [str(contact_id)]) <= {"audit_events.resource_name"}
    assert traces.in_valkey(stack.servers.queue.url(), [*TOLD, str(contact_id)]) == {}
    cached = traces.in_valkey(stack.servers.cache.url(), TOLD)
    assert all(0 <= left <= LONGEST_CACHED for left in cached.values()), cached
    assert {name for name in traces.in_files(stack.directory, "*.log", TOLD) if "simulator" not in name} == set()
    others = await rows.fetchval("SELECT count(*) FROM contacts WHERE phone_number = ANY ($1)", OTHERS)
    assert others == len(OTHERS)


async def is_under_way(walk: Walk, campaign: v1.Campaign) -> bool:
    return (await walk.counts(campaign)).accepted_count > 0


async def is_quiet(whatsapp: WhatsApp, rows: Connection) -> bool:
    return await whatsapp.is_quiet() and await is_applied(rows)


async def tell_late(door: Door, message: v1.Message) -> None:
    """WhatsApp goes on telling of the past: receipts, and all that was told before."""
    now = SystemClock().now()
    _, campaign_id, _, message_id = message.name.split("/")
    ref = MessageRef(campaign_id=UUID(campaign_id), message_id=UUID(message_id), attempt=1)
    late = status("read", now, wamid=message.whatsapp_message_id or "wamid.unmistakable.late", ref=ref)
    cards = [{"profile": {"name": NAME}, "wa_id": NUMBER[1:], "user_id": USER_ID}]
    await door.tell(statuses=[{**late, "recipient_id": NUMBER[1:], "recipient_user_id": USER_ID}], contacts=cards)
    await door.tell(statuses=[bare("wamid.unmistakable.5"), bare(message.whatsapp_message_id)], contacts=cards)
    again = write(WORDS[0], "1")
    again["messages"][0]["timestamp"] = str(int(now.timestamp()) - 60)
    await door.tell(**again)
    choice = {"wa_id": NUMBER[1:], "category": "marketing_messages", "value": "stop", "timestamp": int(now.timestamp())}
    await door.tell(field="user_preferences", user_preferences=[choice], contacts=cards)
