"""Simulator, the command line: flags, the `SIMULATOR_*` variables behind them, and what `--help` says."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from simulator.clock import Clock
from simulator.control_bodies import ClockChange
from simulator.profiles import PROFILES
from simulator.shapes import ShapeError, checked
from simulator.state import Credentials

DEMO_APP_SECRET: Final = "demo-app-secret"  # noqa: S105  published in the docs
DEMO_VERIFY_TOKEN: Final = "demo-verify-token"  # noqa: S105  published in the docs
DEMO_ACCESS_TOKEN: Final = "demo-access-token"  # noqa: S105  published in the docs

_DESCRIPTION: Final = """\
A WhatsApp Cloud API of your own, for testing whatever sends WhatsApp messages: it takes the requests of Meta's Graph
API, answers as Meta does, keeps Meta's limits, and sends signed webhooks about what became of each message. It also
fails on request: by the last digits of the recipient, by rule, or by chance from a seed. Nothing leaves this machine.
"""

_EPILOG: Final = """\
try it:
  %(prog)s --profile fast --webhook-url http://127.0.0.1:8080/your/webhook
  curl http://127.0.0.1:8300/v25.0/100000000000002/messages -H 'Authorization: Bearer demo-access-token' \\
    -H 'Content-Type: application/json' -d '{"messaging_product": "whatsapp", "to": "+15550100001",
    "type": "template", "template": {"name": "welcome", "language": {"code": "en_US"}}}'
  curl http://127.0.0.1:8300/_sim/summary        what was accepted, and whether anybody got a message twice

profiles:
  realistic  answers in 120 ms, receipts in seconds to hours, rare lost answers, disordered and doubled webhooks
  demo       the same within a minute, with few failures
  fast       no waiting and no chance: every message is read at once, and only what you ask for goes wrong

Secrets are better given by SIMULATOR_APP_SECRET, SIMULATOR_VERIFY_TOKEN and SIMULATOR_ACCESS_TOKEN (several with
commas); without any they are demo-app-secret, demo-verify-token and demo-access-token. Other flags have a variable
too, such as SIMULATOR_WEBHOOK_URL. Everything else (suffixes, rules, limits, scenarios): docs/simulator.md.
"""

# flag, type, default, metavar, help; the default is overruled by SIMULATOR_<FLAG>
_LISTENING: Final = (
    ("host", str, "127.0.0.1", "ADDRESS", "address to listen on (%(default)s)"),
    ("port", int, "8300", "PORT", "port to listen on, 0 for a free one (%(default)s)"),
    ("port-file", str, "", "FILE", "write the bound port here once ready"),
    ("webhook-url", str, "", "URL", "where webhooks go; none are sent without"),
)
_WORLD: Final = (
    ("scenario", str, "", "FILE", "accounts, settings, faults and planned events as JSON"),
    ("seed-file", str, "", "FILE", "accounts as JSON instead of the built-in ones"),
    ("seed", int, "1", "NUMBER", "seed of all chance: one seed is one run (%(default)s)"),
    ("run-id", str, "", "HEX", "six hex digits in every message id; random by default"),
    ("time-factor", float, "1", "FACTOR", "simulated seconds that pass in one real second, 0 to stop (%(default)s)"),
    ("start-time", float, None, "SECONDS", "simulated Unix time to begin at; now by default"),
)


def parser(environment: Mapping[str, str], *, program: str) -> argparse.ArgumentParser:
    """Returns the command line, whose defaults come from the environment."""
    command = argparse.ArgumentParser(
        prog=program,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_flags(command.add_argument_group("where it listens and calls"), _LISTENING, environment)
    world = command.add_argument_group("what it simulates")
    profile = environment.get("SIMULATOR_PROFILE", "realistic")
    names = "|".join(sorted(PROFILES))
    world.add_argument("--profile", type=_profile, metavar=names, default=profile, help="set of figures (%(default)s)")
    text = "change a setting: timeline.drop_rate=0.01"
    world.add_argument("--set", action="append", default=[], metavar="NAME=JSON", help=text)
    _add_flags(world, _WORLD, environment)
    secrets = command.add_argument_group("secrets")
    secrets.add_argument("--app-secret", metavar="SECRET", help="key of the webhook signature")
    secrets.add_argument("--verify-token", metavar="TOKEN", help="token of the webhook handshake")
    secrets.add_argument("--access-token", action="append", metavar="TOKEN", help="bearer to accept; may be repeated")
    command.add_argument("--verbose", action="store_true", help="log more")
    return command


def _profile(name: str) -> str:
    """Takes the name of a profile; unlike choices, that is asked of one from the environment, too."""
    if name not in PROFILES:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(sorted(PROFILES))}")
    return name


def _add_flags(
    group: argparse._ArgumentGroup,  # argparse has no public name for it
    flags: tuple[tuple[str, type, str | None, str, str], ...],
    environment: Mapping[str, str],
) -> None:
    for flag, kind, default, metavar, text in flags:
        variable = "SIMULATOR_" + flag.upper().replace("-", "_")
        given = environment.get(variable, default)
        group.add_argument(f"--{flag}", type=kind, default=given, metavar=metavar, help=text)


def credentials(arguments: argparse.Namespace, environment: Mapping[str, str]) -> Credentials:
    """Returns the secrets: from flags, else from the environment, else the demo values."""
    tokens = environment.get("SIMULATOR_ACCESS_TOKEN", DEMO_ACCESS_TOKEN).split(",")
    return Credentials(
        app_secret=arguments.app_secret or environment.get("SIMULATOR_APP_SECRET", DEMO_APP_SECRET),
        verify_token=arguments.verify_token or environment.get("SIMULATOR_VERIFY_TOKEN", DEMO_VERIFY_TOKEN),
        access_tokens=tuple(arguments.access_token or [token.strip() for token in tokens if token.strip()]),
    )


def change_of(text: str) -> dict[str, Any]:
    """Returns `a.b=1` as `{"a": {"b": 1}}`; raises ShapeError when the value is not JSON."""
    path, separator, value = text.partition("=")
    try:
        change = json.loads(value)
    except json.JSONDecodeError:
        raise ShapeError(f"--set {path}: the value is not JSON (a text needs quotes)") from None
    if not separator or not path:
        raise ShapeError("--set takes NAME=JSON")
    for name in reversed(path.split(".")):
        change = {name: change}
    return dict(change)


def clock_of(arguments: argparse.Namespace) -> Clock:
    """Returns the clock the run begins with; raises ShapeError for a speed or a time that is none."""
    change = checked(TypeAdapter(ClockChange), {"factor": arguments.time_factor, "advance": arguments.start_time})
    return Clock(factor=change.factor or 0.0, start=change.advance)


def run_of(text: str) -> bytes | None:
    """Returns the mark of a run from its hex digits, None for a random one; raises ShapeError for anything else."""
    if text and not re.fullmatch(r"[0-9a-fA-F]{6}", text):
        raise ShapeError("--run-id takes six hex digits")
    return bytes.fromhex(text) if text else None
