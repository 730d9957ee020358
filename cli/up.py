"""Starts the whole stack and leaves it running in this terminal."""

import asyncio
import shlex
import threading
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

_LOOK_SECONDS = 1.0


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
        key = asyncio.run(_make_key(stack))
        print_addresses(stack, key, write_environment(stack, key))
        _keep_watch(stack)


def write_environment(stack: Stack, key: str) -> Path:
    """Writes the settings of the stack and the key as lines a shell reads; only we may read the file."""
    path = stack.directory / "environment"
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    settings = {**stack.settings, "CHAPPE_API_KEY": key, "ENVOY_PORT": str(stack.envoy.port)}
    path.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()))
    return path


def print_addresses(stack: Stack, key: str, environment: Path) -> None:
    """Prints where everything answers, and what to type next."""
    for name, address in (
        ("gRPC", stack.api_address), ("Envoy: gRPC, gRPC-Web, JSON", stack.envoy_url), ("webhooks", stack.webhooks_url),
        ("simulated WhatsApp", stack.simulator_url), ("data and logs", stack.directory),
    ):  # fmt: skip
        say(f"{name:28} {address}")
    for name, port in stack.metrics_ports.items():
        say(f"{f'metrics of {name}':28} http://127.0.0.1:{port}/metrics")
    say("\nIn another terminal:\n")
    for line in (
        f". {shlex.quote(str(environment))}    # all settings of this stack, and a key",
        ".venv/bin/chappe categories list",
        f"curl -H 'authorization: Bearer {key}' {stack.envoy_url}/v1/categories",
    ):
        say(f"  {escape(line)}")
    say("\nCtrl-C stops everything.")


def _keep_watch(stack: Stack) -> None:
    """Starts again what ended; ends everything when the database did, for it is the truth."""
    postgres = stack.servers.postgres.process
    others = (stack.servers.queue.process, stack.servers.cache.process, stack.envoy.process, *stack.processes.values())
    never = threading.Event()
    while not never.wait(_LOOK_SECONDS):
        if not postgres.is_running():
            raise StartError(f"{postgres.command.name} ended:\n{postgres.last_lines()}")
        for process in others:
            if not process.is_running():
                say(f"{process.command.name} ended and is started again; its log: {process.command.log_file}")
                process.start()


async def _make_key(stack: Stack) -> str:
    async with Database(url=stack.servers.postgres.url(), pool_size=1) as database:
        return await create_key(Store(database), role="ADMIN", display_name="chappe up")
