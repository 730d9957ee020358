"""What Chappe takes the place of: FastAPI, Redis and asyncpg, one process, with the same rows by the same statements.

It is written the way such backends are, and knows neither keys nor roles, rules, deadlines, request ids nor metrics.
"""

import argparse
import asyncio
from datetime import datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import orjson
import uvloop
from fastapi import FastAPI, Response
from pydantic import BaseModel
from redis.asyncio import Redis

from core.domain.stats import DEPLOYMENT
from core.domain.time_ranges import OLDEST
from core.listener import Listener
from core.queries import load

_CONTACTS = load("contact_lists")["list_contacts"]
_STATS = load("stats")["get_message_stats"]
_KEY, _SECONDS = "messages:stats", 60


class Contact(BaseModel):
    """Is a contact as JSON."""

    id: UUID
    phone_number: str | None
    whatsapp_user_id: str | None
    display_name: str
    language_code: str
    time_zone: str
    attributes: dict[str, str]
    whatsapp_state: str
    marketing_consent: str
    consent_time: datetime | None
    consent_source: str
    categories: list[UUID]
    create_time: datetime
    update_time: datetime


class ContactPage(BaseModel):
    """Is a page of contacts, and where the next begins."""

    contacts: list[Contact]
    next_id: UUID | None


def make_app(pool: "asyncpg.Pool[asyncpg.Record]", redis: Redis) -> FastAPI:
    """Returns the application: a list from the database, and statistics that are kept in Redis."""
    app = FastAPI()

    @app.get("/contacts")
    async def contacts(page_size: int = 50, after: UUID = OLDEST) -> ContactPage:
        rows = await pool.fetch(_CONTACTS, after, page_size + 1)
        shown = [Contact(**row) for row in rows[:page_size]]
        return ContactPage(contacts=shown, next_id=shown[-1].id if len(rows) > page_size else None)

    @app.get("/messages/stats")
    async def stats() -> Response:
        kept = await redis.get(_KEY)
        if kept is None:
            kept = orjson.dumps(dict(await pool.fetchrow(_STATS, DEPLOYMENT) or {}))
            await redis.set(_KEY, kept, ex=_SECONDS)
        return Response(kept, media_type="application/json")

    return app


async def _prepare(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=str, decoder=orjson.loads)


async def _serve(database_url: str, redis_url: str, port_file: Path) -> None:
    redis = Redis.from_url(redis_url)
    async with asyncpg.create_pool(database_url, min_size=1, max_size=10, init=_prepare) as pool, redis:
        listener = Listener(app=make_app(pool, redis), host="127.0.0.1", port=0, grace_seconds=1)
        port = await listener.open()
        await asyncio.to_thread(port_file.write_text, f"{port}\n")
        await asyncio.Event().wait()


def main() -> None:
    """Serves until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port-file", type=Path, required=True)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--redis-url", required=True)
    chosen = parser.parse_args()
    uvloop.run(_serve(chosen.database_url, chosen.redis_url, chosen.port_file))


if __name__ == "__main__":
    main()
