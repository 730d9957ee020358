"""Looks whether the settings lead to what they should, one line each."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import aiohttp
import typer
from chappe_client import Chappe, v1
from redis.asyncio import Redis
from rich.markup import escape

from cli.connection import tls
from cli.output import explaining, say
from core.clock import SystemClock
from core.db import Database
from core.queue.wakeups import Wakeups
from core.settings import Settings, SettingsError

_TIMEOUT_SECONDS = 5.0
Check = Callable[[Settings], Awaitable[str]]


class _Amiss(Exception):
    """Raised by a check that found what is wrong; its message says it whole, in words for who set it up."""


def register(app: typer.Typer) -> None:
    """Adds the command of this file."""
    app.command("doctor")(doctor)


@explaining(SettingsError)
def doctor() -> None:
    """Check the settings: database, queue, cache, WhatsApp, server. Exit code 1 when something is wrong."""
    settings = Settings.load()
    if not asyncio.run(_all_well(settings)):
        raise typer.Exit(1)


async def _all_well(settings: Settings) -> bool:
    checks: dict[str, Check] = {
        "database": _database, "queue": _queue, "cache": _cache,
        "WhatsApp": _whatsapp, "webhooks": _webhook_secrets, "opt-outs": _hash_key, "server": _server,
    }  # fmt: skip
    return all([await _report(name, check, settings) for name, check in checks.items()])


async def _report(name: str, check: Check, settings: Settings) -> bool:
    try:
        remark = await asyncio.wait_for(check(settings), _TIMEOUT_SECONDS)
    except Exception as error:
        say(f"[red]✗[/] {name:10} {escape(_told(error))}")
        return False
    say(f"[green]✓[/] {name:10} {remark}")
    return True


def _told(error: Exception) -> str:
    match error:
        case _Amiss():
            return str(error)
        case TimeoutError():  # it says nothing itself
            return f"no answer within {_TIMEOUT_SECONDS:.0f} s"
        case _:
            return f"{type(error).__name__}: {error}"


async def _database(settings: Settings) -> str:
    async with Database(url=settings.database_url, pool_size=1) as database, database.connection() as connection:
        version = await connection.fetchval("SHOW server_version")
        newest = await connection.fetchval("SELECT max(version) FROM schema_migrations")
    return f"PostgreSQL {version}, schema {newest}"


async def _queue(settings: Settings) -> str:
    wakeups = Wakeups.connect(settings.queue_url, clock=SystemClock())
    try:
        return await wakeups.examine()
    finally:
        await wakeups.close()


async def _cache(settings: Settings) -> str:
    policy = await _policy(settings.cache_url)
    return policy if policy == "volatile-lfu" else f"{policy}; volatile-lfu keeps the most useful replies"


async def _policy(url: str) -> str:
    async with Redis.from_url(url, socket_timeout=_TIMEOUT_SECONDS) as connection:
        found = await connection.config_get("maxmemory-policy")
    if not found:
        raise _Amiss("the server does not tell its maxmemory-policy")
    return str(found["maxmemory-policy"])


async def _whatsapp(settings: Settings) -> str:
    token = settings.whatsapp_access_token.get_secret_value()
    headers = {"authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as session:
        url = f"{settings.whatsapp_base_url}/{settings.whatsapp_api_version}/me"
        async with session.get(url, headers=headers) as reply:
            if reply.status == HTTPStatus.UNAUTHORIZED:
                raise _Amiss("the access token is not taken (CHAPPE_WHATSAPP_ACCESS_TOKEN)")
            if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise _Amiss(f"{settings.whatsapp_base_url} answers with an error of its own: {reply.status}")
            return f"{settings.whatsapp_base_url} answers"


async def _webhook_secrets(settings: Settings) -> str:
    missing = [
        name
        for name, secret in (
            ("APP_SECRET", settings.whatsapp_app_secret),
            ("VERIFY_TOKEN", settings.whatsapp_verify_token),
        )
        if not secret.get_secret_value()
    ]
    if missing:
        raise _Amiss(", ".join(f"CHAPPE_WHATSAPP_{name}" for name in missing) + " not set; no webhook can be taken")
    return "secrets are set"


async def _hash_key(settings: Settings) -> str:
    if not settings.hash_key.get_secret_value():
        raise _Amiss("CHAPPE_HASH_KEY is not set; set it once, before contacts are erased, and never change it")
    return "erased opt-outs are known again"


async def _server(settings: Settings) -> str:
    key = settings.api_key.get_secret_value()
    if not key:
        return "not asked: CHAPPE_API_KEY is not set"
    async with Chappe(settings.api_address, key=key, tls=tls(settings)) as client:
        reply = await client.campaigns.list_campaigns(v1.ListCampaignsRequest(page_size=1))
    return f"{settings.api_address} answers" + ("" if reply.campaigns else ", no campaign yet")
