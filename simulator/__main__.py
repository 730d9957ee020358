"""Simulator, the command: `python -m simulator`, from flags and `SIMULATOR_*` variables to a running server."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from simulator import control
from simulator.app import Simulator
from simulator.command_line import change_of, clock_of, credentials, parser, run_of
from simulator.profiles import settings_for
from simulator.scenario import Scenario, read_scenario_file
from simulator.seed import demo_seed, read_seed
from simulator.settings import patch
from simulator.state import Credentials, World


async def serve(arguments: argparse.Namespace, secrets: Credentials) -> None:
    """Runs a simulator until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    scenario = read_scenario_file(arguments.scenario) if arguments.scenario else Scenario()
    simulator = Simulator(_world(arguments, secrets))
    if arguments.scenario:
        control.play_scenario(simulator.world, scenario)
    port = await simulator.start(host=arguments.host, port=arguments.port)
    if arguments.port_file:
        _write_port(Path(arguments.port_file), port)
    logging.getLogger("simulator").info("listening on http://%s:%s profile=%s", arguments.host, port, arguments.profile)
    await stop.wait()
    await simulator.stop()


def _world(arguments: argparse.Namespace, secrets: Credentials) -> World:
    settings = settings_for(arguments.profile)
    for change in arguments.set:
        patch(settings, change_of(change))
    settings.seed = arguments.seed
    return World(
        settings=settings,
        credentials=secrets,
        seed=read_seed(arguments.seed_file) if arguments.seed_file else demo_seed(),
        webhook_url=arguments.webhook_url,
        clock=clock_of(arguments),
        run=run_of(arguments.run_id),
    )


def _write_port(path: Path, port: int) -> None:
    # Renamed into place, so that a reader never sees half a number.
    half = path.with_name(path.name + ".part")
    half.write_text(f"{port}\n", encoding="ascii")
    half.replace(path)


def main(argv: Sequence[str] | None = None, *, program: str = "python -m simulator") -> int:
    """Runs the command; returns 0 after a graceful stop, 2 when it cannot start."""
    arguments = parser(os.environ, program=program).parse_args(argv)
    logging.basicConfig(
        level=logging.DEBUG if arguments.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    try:
        uvloop.run(serve(arguments, credentials(arguments, os.environ)))
    except (OSError, ValueError, OverflowError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
