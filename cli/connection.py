"""Calls the server as any other program would: through the SDK, with a key."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from chappe_client import Chappe, Tls
from chappe_client.errors import ChappeError, Unavailable

from cli.output import fail
from core.settings import Settings, SettingsError

R = TypeVar("R")


def call(work: Callable[[Chappe], Awaitable[R]]) -> R:
    """Runs `work` with a connected client; a refusal ends the command with one line and exit code 1."""
    try:
        settings = Settings.load()
        return asyncio.run(_with_client(settings, work))
    except (SettingsError, ChappeError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("stopped watching; what was started goes on.", code=130)


async def _with_client(settings: Settings, work: Callable[[Chappe], Awaitable[R]]) -> R:
    key = settings.api_key.get_secret_value().strip()
    if not key:
        fail("set CHAPPE_API_KEY to a key; `chappe keys create --role operator` makes one on the server's machine.")
    if not (key.isascii() and key.isprintable()):
        fail("CHAPPE_API_KEY holds characters that no key has; copy it again.")
    async with Chappe(settings.api_address, key=key, tls=tls(settings)) as client:
        try:
            return await work(client)
        except Unavailable as error:
            if error.reason:
                raise
            fail(f"no server answers at {settings.api_address} (CHAPPE_API_ADDRESS): {error}")


def tls(settings: Settings) -> Tls | None:
    """Returns how to call over TLS, None when nothing is set; ends the command when a file cannot be read."""
    if settings.api_tls_ca_file is None:
        return None
    try:
        return Tls(
            root_certificates=settings.api_tls_ca_file.read_bytes(),
            certificate_chain=_read(settings.api_tls_cert_file),
            private_key=_read(settings.api_tls_key_file),
        )
    except OSError as error:
        fail(f"{error.filename} cannot be read: {error.strerror}.")


def _read(file: Path | None) -> bytes | None:
    return None if file is None else file.read_bytes()
