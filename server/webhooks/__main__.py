"""Starts the webhook door and closes it on SIGTERM or Ctrl-C."""

import logging

from core.domain.errors import Unavailable
from core.listener import ListenError
from core.process import opened, run, say_ready
from core.settings import Settings
from core.stopping import entered, stop_signal
from server.webhooks.door import assembled

_log = logging.getLogger(__name__)


def main() -> None:
    """Takes webhooks until told to stop; exits with one line when it cannot start."""
    run("webhooks", _serve, service="webhooks", expected=(ListenError, Unavailable))


async def _serve(settings: Settings) -> None:
    stopping = stop_signal()
    async with entered(stopping, opened(assembled(settings=settings))) as port:
        if port is not None:
            say_ready(settings, "taking webhooks", [port])
            await stopping.wait()
    _log.info("the webhook door is closed")


if __name__ == "__main__":
    main()
