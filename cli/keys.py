"""Keys of callers. These commands go to the database itself, since the first key cannot be asked for with a key."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, TypeVar

import typer

from cli.output import console, explaining, print_table, say
from core.db import Database
from core.domain.errors import Refusal
from core.repositories.rooms import Store
from core.settings import Settings, SettingsError
from server.keys import create_key, list_keys, revoke_key

R = TypeVar("R")

app = typer.Typer(help="Make, list and revoke the keys callers need.", no_args_is_help=True)


class RoleName(StrEnum):
    """What a key may do: read, run campaigns, or administer."""

    viewer = "viewer"
    operator = "operator"
    admin = "admin"


@app.command("create")
@explaining(SettingsError, Refusal, OSError)
def create(
    role: Annotated[RoleName, typer.Option(help="What its bearer may do.")],
    name: Annotated[str, typer.Option(help="What people call the key.")] = "",
) -> None:
    """Make a key and print it; it is shown once, only its hash is kept."""
    key = _in_store(lambda store: create_key(store, role=role.value.upper(), display_name=name))
    say(key)


@app.command("list")
@explaining(SettingsError, Refusal, OSError)
def show() -> None:
    """List keys by their first characters."""
    keys = _in_store(list_keys)
    rows = [
        (k.key_prefix, k.role.lower(), k.display_name, f"{k.create_time:%Y-%m-%d}", "revoked" if k.revoke_time else "")
        for k in keys
    ]
    print_table(("key", "role", "name", "created", ""), rows)


@app.command("revoke")
@explaining(SettingsError, Refusal, OSError)
def revoke(
    prefix: Annotated[str, typer.Argument(help="The first characters, as `chappe keys list` shows them.")],
) -> None:
    """Make a key useless within ten seconds; streams it opened end, too."""
    _in_store(lambda store: revoke_key(store, key_prefix=prefix))
    console.print(f"{prefix}… is revoked.")


def _in_store(work: Callable[[Store], Awaitable[R]]) -> R:
    async def run() -> R:
        async with Database(url=Settings.load().database_url, pool_size=1) as database:
            return await work(Store(database))

    return asyncio.run(run())
