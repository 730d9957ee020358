"""Starts the whole stack and leaves it running in this terminal."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli.output import explaining, say, step
from core.db import Database
from core.repositories.rooms import Store
from server.keys import create_key
from stack.process import StartError
from stack.stack import Stack


def register(app: typer.Typer) -> None:
    """Adds the command of this file."""
    app.command("up")(up)


@explaining(StartError)
def up(
    directory: Annotated[Path, typer.Option(help="Where data and logs are kept.")] = Path(".chappe"),
    workers: Annotated[int, typer.Option(min=1, help="How many worker processes.")] = 2,
    apis: Annotated[int, typer.Option(min=1, help="How many API processes.")] = 1,
) -> None:
    """Start everything on this machine: servers, simulator, API, webhook door, workers, Envoy. Ctrl-C stops it."""
    with Stack(directory=directory, workers=workers, apis=apis, say=step) as stack:
        print_addresses(stack, asyncio.run(_make_key(stack)))
        signal.pause()


def print_addresses(stack: Stack, key: str) -> None:
    """Prints where everything answers, and what to type next."""
    for name, address in (
        ("gRPC", stack.api_address), ("Envoy: gRPC, gRPC-Web, JSON", stack.envoy_url), ("webhooks", stack.webhooks_url),
        ("simulated WhatsApp", stack.simulator_url), ("data and logs", stack.directory),
    ):  # fmt: skip
        say(f"{name:28} {address}")
    say("\nIn another terminal:\n")
    for line in (
        f"export CHAPPE_API_ADDRESS={stack.api_address} CHAPPE_API_KEY={key}",
        ".venv/bin/chappe categories list",
        f"curl -H 'authorization: Bearer {key}' {stack.envoy_url}/v1/categories",
    ):
        say(f"  {escape(line)}")
    say("\nCtrl-C stops everything.")


async def _make_key(stack: Stack) -> str:
    async with Database(url=stack.servers.postgres.url(), pool_size=1) as database:
        return await create_key(Store(database), role="ADMIN", display_name="chappe up")
