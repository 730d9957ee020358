"""Simulator, the command: `python -m simulator`, from flags and `SIMULATOR_*` variables to a running server."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import uvloop

from simulator.app import Simulator
from simulator.clock import Clock
from simulator.profiles import PROFILES, settings_for
from simulator.seed import SeedError, demo_seed, read_seed
from simulator.settings import patch
from simulator.state import Credentials, World

DEMO_APP_SECRET: Final = "demo-app-secret"  # noqa: S105  published in the docs
DEMO_VERIFY_TOKEN: Final = "demo-verify-token"  # noqa: S105  published in the docs
DEMO_ACCESS_TOKEN: Final = "demo-access-token"  # noqa: S105  published in the docs

_EPILOG: Final = """\
Secrets are better given by environment: SIMULATOR_APP_SECRET, SIMULATOR_VERIFY_TOKEN, SIMULATOR_ACCESS_TOKEN (or
several, separated by commas). Without any the demo values of docs/simulator.md are used. Other flags have a variable
each, e.g. SIMULATOR_WEBHOOK_URL. Control API: /_sim/health, /_sim/summary, /_sim/accepted and more, see the docs.
"""


# flag, type, default, help; the default is overruled by SIMULATOR_<FLAG>
_FLAGS: Final[tuple[tuple[str, type, str, str], ...]] = (
    ("host", str, "127.0.0.1", "address to listen on (%(default)s)"),
    ("port", int, "8300", "port to listen on, 0 for a free one (%(default)s)"),
    ("port-file", str, "", "write the bound port here once ready"),
    ("webhook-url", str, "", "where webhooks go; none are sent without"),
    ("seed", int, "1", "seed of all chance (%(default)s)"),
    ("run-id", str, "", "six hex digits in every message id; random by default"),
    ("time-factor", float, "1", "simulated seconds that pass in one real second (%(default)s)"),
    ("seed-file", str, "", "accounts as JSON instead of the built-in ones"),
)


def parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    """Returns the command line, whose defaults come from the environment."""
    command = argparse.ArgumentParser(
        prog="simulator",
        description="A WhatsApp Cloud API of our own: HTTP in, signed webhooks out.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = command.add_argument
    for flag, kind, default, text in _FLAGS:
        variable = "SIMULATOR_" + flag.upper().replace("-", "_")
        add(f"--{flag}", type=kind, default=environment.get(variable, default), help=text)
    profile = environment.get("SIMULATOR_PROFILE", "realistic")
    add("--profile", choices=sorted(PROFILES), default=profile, help="set of figures (%(default)s)")
    add("--set", action="append", default=[], metavar="NAME=JSON", help="change a setting: timeline.drop_rate=0.01")
    add("--app-secret", metavar="SECRET", help="key of the webhook signature")
    add("--verify-token", metavar="TOKEN", help="token of the webhook handshake")
    add("--access-token", action="append", metavar="TOKEN", help="bearer token to accept; may be repeated")
    add("--verbose", action="store_true", help="log more")
    return command


def credentials(arguments: argparse.Namespace, environment: Mapping[str, str]) -> Credentials:
    """Returns the secrets: from flags, else from the environment, else the demo values."""
    tokens = environment.get("SIMULATOR_ACCESS_TOKEN", DEMO_ACCESS_TOKEN).split(",")
    return Credentials(
        app_secret=arguments.app_secret or environment.get("SIMULATOR_APP_SECRET", DEMO_APP_SECRET),
        verify_token=arguments.verify_token or environment.get("SIMULATOR_VERIFY_TOKEN", DEMO_VERIFY_TOKEN),
        access_tokens=tuple(arguments.access_token or [token.strip() for token in tokens if token.strip()]),
    )


async def serve(arguments: argparse.Namespace, secrets: Credentials) -> None:
    """Runs a simulator until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    settings = settings_for(arguments.profile)
    for change in arguments.set:
        patch(settings, _nested(change))
    settings.seed = arguments.seed
    world = World(
        settings=settings,
        credentials=secrets,
        seed=read_seed(arguments.seed_file) if arguments.seed_file else demo_seed(),
        webhook_url=arguments.webhook_url,
        clock=Clock(factor=arguments.time_factor),
        run=bytes.fromhex(arguments.run_id) if arguments.run_id else None,
    )
    simulator = Simulator(world)
    port = await simulator.start(host=arguments.host, port=arguments.port)
    if arguments.port_file:
        _write_port(Path(arguments.port_file), port)
    logging.getLogger("simulator").info("listening on http://%s:%s profile=%s", arguments.host, port, arguments.profile)
    await stop.wait()
    await simulator.stop()


def _nested(change: str) -> dict[str, Any]:
    """Returns `a.b=1` as `{"a": {"b": 1}}`; raises ValueError when the value is not JSON."""
    path, _, text = change.partition("=")
    value = json.loads(text)
    for name in reversed(path.split(".")):
        value = {name: value}
    return dict(value)


def _write_port(path: Path, port: int) -> None:
    # Renamed into place, so that a reader never sees half a number.
    half = path.with_name(path.name + ".part")
    half.write_text(f"{port}\n", encoding="ascii")
    half.replace(path)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0 after a graceful stop, 2 when it cannot start."""
    arguments = parser(os.environ).parse_args(argv)
    logging.basicConfig(
        level=logging.DEBUG if arguments.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    try:
        uvloop.run(serve(arguments, credentials(arguments, os.environ)))
    except (SeedError, OSError, ValueError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
