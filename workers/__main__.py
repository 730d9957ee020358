"""Starts a worker and brings it to its end on SIGTERM or Ctrl-C: what is on the wire is settled first."""

import logging

from core.clock import SystemClock
from core.domain.errors import Unavailable
from core.listener import ListenError
from core.process import run, say_ready
from core.settings import Settings
from core.stopping import entered, stop_signal
from workers.assembly import assembled

_log = logging.getLogger(__name__)


def main() -> None:
    """Works until told to stop; exits with one line when it cannot start."""
    # Taskiq says of every ring what we say of the work itself.
    logging.getLogger("taskiq").setLevel(logging.WARNING)
    run("worker", _work, service="worker", expected=(ListenError, Unavailable))


async def _work(settings: Settings) -> None:
    stopping = stop_signal()
    async with entered(stopping, assembled(settings=settings, clock=SystemClock(), stopping=stopping)) as worker:
        if worker is not None:
            say_ready(settings, "working")
            await worker.run()
    _log.info("stopped")


if __name__ == "__main__":
    main()
