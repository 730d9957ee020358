"""Every rpc of the contract makes as many statements for five hundred rows as for one; nothing is cached here."""

import importlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack
from functools import reduce
from pathlib import Path
from typing import Any

import chappe.v1
import pytest
from google.protobuf.descriptor import MethodDescriptor

from tests.helpers.servers import Databases
from tests.helpers.worlds import World, world

SIZES = (1, 10, 500)
METHODS: dict[str, MethodDescriptor] = {
    f"{method.containing_service.name}.{method.name}": method
    for path in sorted(Path(chappe.v1.__path__[0]).glob("*_pb2.py"))
    for service in importlib.import_module(f"chappe.v1.{path.stem}").DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
BINDINGS = [
    {"component": "COMPONENT_BODY", "parameter": parameter, "source": "SOURCE_LITERAL", "value": "x"}
    for parameter in ("1", "2")
]
Make = Callable[[World], dict[str, Any]]


def _paged(**fields: str) -> Make:
    return lambda w: {"page_size": w.size, **{name: w.names[kind][0] for name, kind in fields.items()}}


def _named(kind: str, position: int = 0) -> Make:
    return lambda w: {"name": w.names[kind][position]}


def _people(w: World, first: str) -> list[dict[str, str]]:
    return [{"phone_number": f"+{first}{1_000_000 + number}"} for number in range(w.size)]


# One line each: what is asked for in a world, as JSON. Each call that changes something has rows of its own.
CALLS: dict[str, Make] = {
    "CampaignsService.GetCampaign": _named("campaign"),
    "CampaignsService.ListCampaigns": _paged(),
    "CampaignsService.CreateCampaign": lambda w: {"campaign": _campaign(w)},
    "CampaignsService.UpdateCampaign": lambda w: {"campaign": {"name": w.names["DRAFT"][0], "display_name": "New"}},
    "CampaignsService.DeleteCampaign": _named("DRAFT", 1),
    "CampaignsService.PreviewCampaign": lambda w: {"name": w.names["DRAFT"][0], "sample_count": min(w.size, 10)},
    "CampaignsService.StartCampaign": _named("SCHEDULED"),
    "CampaignsService.PauseCampaign": _named("RUNNING"),
    "CampaignsService.ResumeCampaign": _named("PAUSED"),
    "CampaignsService.CancelCampaign": _named("RUNNING", 1),
    "CampaignsService.RetryFailedMessages": _named("campaign"),
    "CampaignsService.WatchCampaign": _named("RUNNING", 2),
    "CategoriesService.GetCategory": _named("categories"),
    "CategoriesService.ListCategories": _paged(),
    "CategoriesService.CreateCategory": lambda _: {"category": {"display_name": "New"}},
    "CategoriesService.UpdateCategory": lambda w: {"category": {"name": w.names["categories"][1], "description": "d"}},
    "CategoriesService.DeleteCategory": _named("categories", 2),
    "CategoriesService.AddContacts": lambda w: {
        "name": w.names["categories"][1], "contacts": w.names["contacts"][: w.size]
    },
    "CategoriesService.RemoveContacts": lambda w: {
        "name": w.names["categories"][3], "contacts": w.names["contacts"][: w.size]
    },
    "ContactsService.GetContact": _named("contacts"),
    "ContactsService.ListContacts": _paged(),
    "ContactsService.CreateContact": lambda _: {"contact": {"phone_number": "+33612345678"}},
    "ContactsService.UpdateContact": lambda w: {"contact": {"name": w.names["contacts"][0], "display_name": "Ann"}},
    "ContactsService.DeleteContact": _named("contacts", -1),
    "ContactsService.CountContacts": lambda w: {"filter": {"category": w.names["categories"][0]}},
    "ContactsService.BatchGetContacts": lambda w: {"names": w.names["contacts"][: w.size]},
    "ContactsService.BatchUpsertContacts": lambda w: {"contacts": _people(w, "4917")},
    "ContactsService.ImportContacts": lambda w: {"rows": _people(w, "4916"), "categories": ["Imported"]},
    "ContactsService.ExportContacts": lambda w: {"filter": {"category": w.names["categories"][0]}},
    "ContactsService.RecordConsent": lambda w: {
        "name": w.names["contacts"][-2], "consent": "MARKETING_CONSENT_OPTED_OUT", "source": "phone"
    },
    "MessagesService.GetMessage": _named("messages"),
    "MessagesService.ListMessages": _paged(parent="campaign"),
    "MessagesService.SendMessage": lambda w: {
        "sender": w.names["senders"][0], "contact": w.names["contacts"][0],
        "template_content": {"template": w.names["templates"][0], "bindings": BINDINGS},
    },
    "MessagesService.ExportMessages": lambda w: {"parent": w.names["campaign"][0], "state": "STATE_READ"},
    "MessagesService.ListInteractions": _paged(parent="campaign"),
    "MessagesService.CountInteractions": lambda w: {"parent": w.names["campaign"][0]},
    "SendersService.GetSender": _named("senders"),
    "SendersService.ListSenders": _paged(),
    "SendersService.CreateSender": lambda _: {"sender": {"phone_number_id": "1", "whatsapp_account_id": "2"}},
    "SendersService.UpdateSender": lambda w: {"sender": {"name": w.names["senders"][1], "display_name": "New"}},
    "SendersService.DeleteSender": _named("senders", -1),
    "SendersService.PauseSender": _named("senders", 1),
    "SendersService.ResumeSender": _named("senders", 2),
    "SendersService.RefreshSender": _named("senders", 2),
    "StatsService.GetMessageStats": lambda _: {},
    "StatsService.GetCampaignStats": lambda w: {"name": w.names["campaign"][0] + "/stats"},
    "StatsService.BatchGetCampaignStats": lambda w: {
        "names": [f"{name}/stats" for name in w.names["COMPLETED"][: min(w.size, 100)]]
    },
    "StatsService.GetDashboard": lambda _: {},
    "StatsService.GetTimeSeries": lambda w: {"campaign": w.names["campaign"][0]},
    "StatsService.GetCacheStats": lambda _: {},
    "TemplatesService.GetTemplate": _named("templates"),
    "TemplatesService.ListTemplates": _paged(),
    "TemplatesService.SyncTemplates": lambda w: {"sender": w.names["senders"][2]},
    "TemplatesService.PreviewTemplate": lambda w: {"name": w.names["templates"][0], "contact": w.names["contacts"][0]},
}  # fmt: skip
Rows = Callable[[Sequence[Any]], int]


def _in(field: str) -> Rows:
    return lambda replies: sum(len(getattr(reply, field)) for reply in replies)


def _told(*path: str) -> Rows:
    return lambda replies: reduce(getattr, path, replies[-1])


ALL = sys.maxsize
# How many rows a reply carries or tells of: as many as the world has of each kind, up to so many.
CARRIED: dict[str, tuple[int, Rows]] = {
    "CampaignsService.ListCampaigns": (ALL, _in("campaigns")),
    "CampaignsService.PreviewCampaign": (10, _in("samples")),
    "CampaignsService.RetryFailedMessages": (ALL, _told("message_count")),
    "CategoriesService.ListCategories": (ALL, _in("categories")),
    "CategoriesService.AddContacts": (ALL, _told("added_count")),
    "CategoriesService.RemoveContacts": (ALL, _told("removed_count")),
    "ContactsService.ListContacts": (ALL, _in("contacts")),
    "ContactsService.CountContacts": (ALL, _told("contact_count")),
    "ContactsService.BatchGetContacts": (ALL, _in("contacts")),
    "ContactsService.BatchUpsertContacts": (ALL, _in("results")),
    "ContactsService.ImportContacts": (ALL, _told("summary", "totals", "created_count")),
    "ContactsService.ExportContacts": (ALL, _in("contacts")),
    "MessagesService.ListMessages": (ALL, _in("messages")),
    "MessagesService.ExportMessages": (ALL, _in("messages")),
    "MessagesService.ListInteractions": (ALL, _in("interactions")),
    "SendersService.ListSenders": (ALL, _in("senders")),
    "StatsService.BatchGetCampaignStats": (100, _in("stats")),
    "TemplatesService.ListTemplates": (ALL, _in("templates")),
    "TemplatesService.SyncTemplates": (ALL, _told("created_count")),
}
EVER = {"start_time": "2000-01-01T00:00:00Z", "end_time": "2100-01-01T00:00:00Z"}
# The same rpc asked in another way.
OTHERS: dict[str, Make] = {
    "MessagesService.ListMessages of all": _paged(),
    "MessagesService.ListMessages in a state": lambda w: {"page_size": w.size, "state": "STATE_READ"},
    "MessagesService.ListMessages of a contact": _paged(contact="contacts"),
    "MessagesService.ListMessages in a time": lambda w: {"page_size": w.size, **EVER},
    "MessagesService.ListMessages in a state and a time": lambda w: {
        "page_size": w.size, "state": "STATE_READ", **EVER
    },
    "MessagesService.ListMessages of a campaign in a time": lambda w: {
        "page_size": w.size, "parent": w.names["campaign"][0], **EVER
    },
    "MessagesService.ListInteractions of a campaign in a time": lambda w: {
        "page_size": w.size, "parent": w.names["campaign"][0], **EVER
    },
    "MessagesService.ListInteractions of all": _paged(),
    "MessagesService.ListInteractions of a message": _paged(parent="messages"),
    "ContactsService.ListContacts in a category": lambda w: {
        "page_size": w.size, "filter": {"category": w.names["categories"][0]}
    },
    "ContactsService.ListContacts by number, name and consent": lambda w: {
        "page_size": w.size,
        "filter": {
            "phone_number_prefix": "+49", "display_name_prefix": "n", "marketing_consent": "MARKETING_CONSENT_UNKNOWN",
        },
    },
}  # fmt: skip
# The three that the system before this one asked row by row, and what else people look at most.
AUDITED = {
    "MessagesService.CountInteractions": ["count_interactions"],
    "MessagesService.ListMessages": ["list_campaign_messages", "list_addressees"],
    "MessagesService.ListMessages of all": ["list_messages", "list_addressees"],
    "ContactsService.ListContacts": ["list_contacts"],
    "CategoriesService.ListCategories": ["list_categories"],
    "StatsService.GetDashboard": ["get_dashboard", "list_campaign_lines"],
}


def _campaign(w: World) -> dict[str, Any]:
    audience = {"categories": [w.names["categories"][0]]}
    return {
        "display_name": "New", "sender": w.names["senders"][0], "template": w.names["templates"][0],
        "bindings": BINDINGS, "audience": audience,
    }  # fmt: skip


@pytest.fixture(scope="module")
def urls(databases: Databases) -> Iterator[list[str]]:
    with ExitStack() as stack:
        yield [stack.enter_context(databases.copy()) for _ in SIZES]


@pytest.fixture(scope="module")
async def worlds(urls: list[str], valkeys: tuple[Any, Any]) -> AsyncIterator[list[World]]:
    queue, cache = (valkey.url() for valkey in valkeys)
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(world(size, database_url=url, cache_url=cache, queue_url=queue))
            for size, url in zip(SIZES, urls, strict=True)
        ]


def test_every_rpc_of_the_contract_is_driven() -> None:
    assert set(CALLS) == set(METHODS)


def test_every_list_is_held_to_its_rows() -> None:
    lists = {name for name, method in METHODS.items() if "page_size" in method.input_type.fields_by_name}
    assert lists <= set(CARRIED)


@pytest.mark.parametrize("name", [*CALLS, *OTHERS])
async def test_the_number_of_statements_does_not_depend_on_the_number_of_rows(worlds: list[World], name: str) -> None:
    seen = [await each.see(_method(name), (CALLS | OTHERS)[name](each)) for each in worlds]
    (counted, _), *others = seen
    assert [statements for statements, _ in others] == [counted] * len(others)
    assert name not in AUDITED or counted == AUDITED[name]
    # A reply that carries nothing would take as many statements, too.
    carried = CARRIED.get(_method(name).full_name.removeprefix("chappe.v1."))
    if carried is not None:
        most, rows = carried
        assert [rows(replies) for _, replies in seen] == [min(size, most) for size in SIZES]


async def test_the_count_would_show_a_statement_per_row(worlds: list[World]) -> None:
    database = worlds[0].database
    database.forget()
    async with database.connection() as connection:
        for _ in range(3):
            await connection.fetchval("SELECT 1")
    assert database.statements == ["SELECT 1"] * 3


def _method(name: str) -> MethodDescriptor:
    return METHODS[name.partition(" ")[0]]
