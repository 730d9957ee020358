"""How fast a sender may send: a person may choose less than WhatsApp's level allows, and no refresh forgets that."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from chappe.v1 import senders_pb2, senders_pb2_grpc
from google.protobuf.field_mask_pb2 import FieldMask

from core.db import Database
from tests.helpers.eventually import eventually
from tests.helpers.lock_waits import WAITERS
from tests.helpers.sending import ACCOUNT, SENDER, TOKEN, whatsapp
from tests.helpers.served import Api, serving_to
from tests.helpers.whatsapp import WhatsApp


@dataclass(frozen=True, slots=True, kw_only=True)
class SendersApi(Api):
    """The senders, the database behind them, and WhatsApp."""

    senders: Any
    database: Database
    whatsapp: WhatsApp

    async def create(self, messages_per_second: float = 0) -> str:
        """Makes a sender and returns its name."""
        given = senders_pb2.Sender(
            phone_number_id=SENDER, whatsapp_account_id=ACCOUNT, messages_per_second=messages_per_second
        )
        created = await self.call(self.senders.CreateSender, senders_pb2.CreateSenderRequest(sender=given))
        return str(created.name)

    async def choose(self, name: str, messages_per_second: float) -> float:
        """Chooses a rate, 0 for none, and returns what is in force."""
        given = senders_pb2.Sender(name=name, messages_per_second=messages_per_second)
        mask = FieldMask(paths=["messages_per_second"])
        request = senders_pb2.UpdateSenderRequest(sender=given, update_mask=mask)
        return float((await self.call(self.senders.UpdateSender, request)).messages_per_second)

    async def refresh(self, name: str, *, throughput: float) -> float:
        """Asks WhatsApp, which allows so many a second, and returns what is in force."""
        await self.whatsapp.change_number(SENDER, throughput=throughput)
        refreshed = await self.call(self.senders.RefreshSender, senders_pb2.RefreshSenderRequest(name=name))
        return float(refreshed.messages_per_second)


@pytest.fixture
async def api(fresh_database_url: str, cache_url: str, queue_url: str) -> AsyncIterator[SendersApi]:
    urls = {"database_url": fresh_database_url, "cache_url": cache_url, "queue_url": queue_url}
    async with (
        whatsapp() as (url, control),
        serving_to("ADMIN", **urls, whatsapp_base_url=url, whatsapp_access_token=TOKEN) as at,
    ):
        stub = senders_pb2_grpc.SendersServiceStub(at.channel)
        yield SendersApi(metadata=at.metadata, senders=stub, database=at.database, whatsapp=control)


async def test_a_rate_nobody_chose_follows_whatsapps_level_up_and_down(api: SendersApi) -> None:
    name = await api.create()
    assert [await api.refresh(name, throughput=each) for each in (80, 1000, 80)] == [80, 1000, 80]


@pytest.mark.parametrize("chosen", [20, 80, 200])
async def test_a_chosen_rate_outlasts_every_refresh_and_bounds_what_the_level_allows(
    api: SendersApi, chosen: float
) -> None:
    name = await api.create()
    assert await api.choose(name, chosen) == chosen
    told = [await api.refresh(name, throughput=each) for each in (80, 1000, 80, 1000)]
    assert told == [min(chosen, 80), chosen] * 2


async def test_a_rate_chosen_when_the_sender_was_made_is_kept_too(api: SendersApi) -> None:
    name = await api.create(80)
    assert await api.refresh(name, throughput=1000) == 80


async def test_who_chooses_no_rate_any_more_gets_what_the_level_allows(api: SendersApi) -> None:
    name = await api.create(20)
    assert await api.refresh(name, throughput=1000) == 20
    assert await api.choose(name, 0) == 1000
    assert await api.refresh(name, throughput=80) == 80


async def test_a_rate_chosen_while_whatsapp_is_asked_is_not_written_over(api: SendersApi) -> None:
    name = await api.create()
    async with api.database.transaction() as connection:
        await connection.execute("SELECT FROM senders FOR UPDATE")
        refreshing = asyncio.create_task(api.refresh(name, throughput=1000))
        async with api.database.connection() as other:
            await eventually(partial(_somebody_waits, other))
        await connection.execute("UPDATE senders SET messages_per_second = 20, update_time = now()")
    assert await refreshing == 20


async def test_what_was_chosen_before_choices_were_kept_stays(api: SendersApi) -> None:
    name = await api.create()
    async with api.database.connection() as connection:
        await connection.execute("UPDATE senders SET messages_per_second = 500, throughput_level = 'HIGH'")
    assert [await api.refresh(name, throughput=each) for each in (80, 1000)] == [80, 500]


async def _somebody_waits(connection: Any) -> bool:
    return bool(await connection.fetchval(WAITERS))
