"""Restarts every process under load, many times: `python -m tests.bench.rolling_restart --rounds 10`."""

import argparse
import asyncio
import sys

from stack.stack import Stack
from tests.helpers.rolling import SETTINGS, Figures, Restart

SIMULATOR = {"SIMULATOR_PROFILE": "fast"}


def main() -> None:
    """Prints what it came to; exit code 1 when anybody noticed anything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--rate", type=float, default=100, help="messages a second")
    parser.add_argument(
        "--round-seconds", type=float, default=16, help="what a round takes here; the campaign is as long"
    )
    chosen = parser.parse_args()
    messages = int(chosen.rounds * chosen.round_seconds * chosen.rate)
    with Stack(apis=2, workers=2, settings=SETTINGS, simulator_settings=SIMULATOR) as stack:
        restart = Restart(stack=stack, messages=messages, rate=chosen.rate, say=lambda text: print(text, flush=True))
        figures = asyncio.run(restart.run(rounds=chosen.rounds))
    _print(figures)
    sys.exit(not figures.is_spotless)


def _print(figures: Figures) -> None:
    rows = {
        "processes restarted": figures.restarts,
        "calls": figures.calls,
        "calls that failed in spite of the client's retries": len(figures.failures),
        "writes made, and found afterwards": f"{len(figures.made)}, {len(figures.found)}",
        "messages": figures.messages,
        "accepted by WhatsApp": figures.accepted,
        "contacts with two": figures.contacts_with_two,
        "most messages in doubt at any moment": figures.most_in_doubt,
        "sent again": figures.resent,
    }
    print("| what | figure |\n| --- | --- |")
    for what, figure in rows.items():
        print(f"| {what} | {figure} |")
    for failure in sorted(set(figures.failures)):
        print(failure)


if __name__ == "__main__":
    main()
