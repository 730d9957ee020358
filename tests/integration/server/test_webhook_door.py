"""The webhook door over real HTTP: who may speak, what is durable before the 200, and what happens without database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from urllib.parse import urlsplit

import aiohttp
import pytest

from core.db import Database
from core.queue.doorbell import connect_queue
from core.queue.wakeups import RECEIPTS_STREAM
from core.settings import Settings
from server.webhooks.door import assembled
from server.webhooks.signature import sign
from tests.helpers import sending
from tests.helpers.eventually import eventually
from tests.helpers.proxy import Proxy
from tests.helpers.statements import CountingDatabase

PATH = "/webhooks/whatsapp"
BODY = b'{"object":"whatsapp_business_account","entry":[]}'
SECRET = b"app-secret"
HEADER = "X-Hub-Signature-256"


def settings(database_url: str, queue_url: str, **more: str) -> Settings:
    given = {
        "CHAPPE_DATABASE_URL": database_url, "CHAPPE_QUEUE_URL": queue_url, "CHAPPE_WEBHOOKS_PORT": "0",
        "CHAPPE_WHATSAPP_APP_SECRET": "app-secret,old-secret", "CHAPPE_WHATSAPP_VERIFY_TOKEN": "verify-token",
    }  # fmt: skip
    return sending.settings(**given | more)


@asynccontextmanager
async def opened(chosen: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    async with assembled(settings=chosen) as door:
        port = await door.open()
        async with aiohttp.ClientSession(base_url=f"http://127.0.0.1:{port}") as session:
            yield session
        await door.close()


@pytest.fixture
async def door(fresh_database_url: str, queue_url: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with opened(settings(fresh_database_url, queue_url)) as session:
        yield session


@pytest.fixture
async def database(fresh_database_url: str) -> AsyncIterator[Database]:
    async with Database(url=fresh_database_url) as database:
        yield database


async def post(door: aiohttp.ClientSession, body: bytes = BODY, *, secret: bytes = SECRET, path: str = PATH) -> int:
    async with door.post(path, data=BytesIO(body), headers={HEADER: sign(body, secret).decode()}) as reply:
        return reply.status


async def value(database: Database, query: str) -> object:
    async with database.connection() as connection:
        return await connection.fetchval(query)


async def stored(database: Database) -> list[bytes]:
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT body FROM webhook_deliveries ORDER BY id")
    return [row["body"] for row in rows]


async def test_a_signed_body_is_stored_as_it_came_before_the_answer(
    door: aiohttp.ClientSession, database: Database
) -> None:
    body = b'{"name":"J\\u00f6rg","url":"https:\\/\\/x.org"}  \r\n'
    assert await post(door, body) == 200
    assert await stored(database) == [body]


async def test_both_secrets_are_good_while_one_replaces_the_other(door: aiohttp.ClientSession) -> None:
    assert [await post(door, secret=secret) for secret in (b"app-secret", b"old-secret")] == [200, 200]


async def test_nothing_unsigned_or_wrongly_signed_is_stored(door: aiohttp.ClientSession, database: Database) -> None:
    assert await post(door, secret=b"wrong") == 403
    async with door.post(PATH, data=BODY) as reply:
        assert reply.status == 401
    async with door.post(PATH, data=BODY + b" ", headers={HEADER: sign(BODY, SECRET).decode()}) as reply:
        assert reply.status == 403
    assert await stored(database) == []


async def test_without_an_app_secret_nothing_is_taken(fresh_database_url: str, queue_url: str) -> None:
    async with opened(settings(fresh_database_url, queue_url, CHAPPE_WHATSAPP_APP_SECRET="")) as door:
        assert await post(door, secret=b"") == 403


@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ({"hub.mode": "subscribe", "hub.verify_token": "verify-token", "hub.challenge": "123456789"}, 200, "123456789"),
        ({"hub.mode": "subscribe", "hub.verify_token": "wrong", "hub.challenge": "123456789"}, 403, ""),
        ({"hub.mode": "unsubscribe", "hub.verify_token": "verify-token", "hub.challenge": "1"}, 403, ""),
        ({f"field.{number}": "1" for number in range(21)}, 403, ""),
        ({}, 403, ""),
    ],
)
async def test_the_handshake_answers_who_knows_the_token(
    door: aiohttp.ClientSession, query: dict[str, str], status: int, text: str
) -> None:
    async with door.get(PATH, params=query) as reply:
        assert (reply.status, await reply.text()) == (status, text)


@pytest.mark.parametrize(("method", "path", "status"), [("POST", "/", 404), ("PUT", PATH, 405), ("GET", "/x", 404)])
async def test_other_doors_are_closed(door: aiohttp.ClientSession, method: str, path: str, status: int) -> None:
    async with door.request(method, path) as reply:
        assert reply.status == status


async def test_three_megabytes_are_taken_and_more_is_refused(door: aiohttp.ClientSession, database: Database) -> None:
    assert await post(door, b"x" * 3 * 2**20) == 200
    assert await post(door, b"x" * 4 * 2**20) == 413

    async def drip() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * 2**20

    async with door.post(PATH, data=drip(), headers={HEADER: "sha256=0"}) as reply:
        assert reply.status == 413
    assert len(await stored(database)) == 1


async def test_the_bell_rings_once_for_many_bodies(
    door: aiohttp.ClientSession, queue_url: str, database: Database
) -> None:
    assert await asyncio.gather(*(post(door) for _ in range(200))) == [200] * 200
    assert len(await stored(database)) == 200
    async with connect_queue(queue_url) as queue:
        rings = await eventually(lambda: queue.xlen(RECEIPTS_STREAM))
    assert 1 <= rings <= 50


async def test_concurrent_bodies_share_commits(fresh_database_url: str, queue_url: str, database: Database) -> None:
    before = "SELECT count(DISTINCT xmin::text) FROM webhook_deliveries"
    async with opened(settings(fresh_database_url, queue_url)) as door:
        await asyncio.gather(*(post(door) for _ in range(300)))
    commits = await value(database, before)
    assert isinstance(commits, int)
    assert commits < 150


async def test_without_database_nothing_is_answered_with_200_and_all_is_well_when_it_is_back(
    fresh_database_url: str, queue_url: str, database: Database
) -> None:
    proxy = Proxy(fresh_database_url)
    await proxy.open()
    parts = urlsplit(fresh_database_url)
    through = parts._replace(netloc=f"{parts.username}:{parts.password or ''}@127.0.0.1:{proxy.port}").geturl()
    async with opened(settings(through, queue_url)) as door:
        assert await post(door) == 200
        await proxy.close()
        assert await post(door) == 503
        await eventually(lambda: _health(door, 503))
        await proxy.open()
        assert await eventually(lambda: _is_taken(door))
        await eventually(lambda: _health(door, 200))
    await proxy.close()
    assert len(await stored(database)) == 2


async def test_a_deaf_database_is_given_up_in_time(fresh_database_url: str, queue_url: str) -> None:
    """The connection stands, but nothing comes back: the call must not hang until WhatsApp gives up."""
    proxy = Proxy(fresh_database_url)
    await proxy.open()
    parts = urlsplit(fresh_database_url)
    through = parts._replace(netloc=f"{parts.username}:{parts.password or ''}@127.0.0.1:{proxy.port}").geturl()
    async with opened(settings(through, queue_url)) as door:
        assert await post(door) == 200
        proxy.is_deaf = True
        async with asyncio.timeout(15):
            assert await post(door) == 503
        proxy.is_deaf = False
        await proxy.close()


async def test_the_heart_beats_once_per_second_while_the_door_is_up(fresh_database_url: str, queue_url: str) -> None:
    async with CountingDatabase(url=fresh_database_url) as database, opened(settings(fresh_database_url, queue_url)):
        beats = "SELECT count(*) >= 2 FROM webhook_heartbeats"
        await eventually(lambda: value(database, beats))
        assert await value(
            database, "SELECT bool_and(beat_time = date_trunc('second', beat_time)) FROM webhook_heartbeats"
        )


async def test_a_closing_door_answers_what_it_has_taken(
    fresh_database_url: str, queue_url: str, database: Database
) -> None:
    async with assembled(settings=settings(fresh_database_url, queue_url)) as door:
        port = await door.open()
        async with aiohttp.ClientSession(base_url=f"http://127.0.0.1:{port}") as session:
            posts = [asyncio.create_task(post(session)) for _ in range(50)]
            await eventually(lambda: stored(database))
            await door.close()
            answers = await asyncio.gather(*posts, return_exceptions=True)
    taken = [answer for answer in answers if answer == 200]
    assert len(await stored(database)) == len(taken)


async def _is_taken(door: aiohttp.ClientSession) -> bool:
    return await post(door) == 200


async def _health(door: aiohttp.ClientSession, status: int) -> bool:
    async with door.get("/healthz") as reply:
        return reply.status == status
