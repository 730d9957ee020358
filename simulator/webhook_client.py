"""Simulator, the client that calls receivers: one POST or GET, whose failure is an answer too."""

from __future__ import annotations

import io
from typing import Final

import aiohttp

from simulator.settings import Webhooks

# ValueError is what a URL gets that is none.
_FAILURES: Final = (aiohttp.ClientError, TimeoutError, OSError, ValueError)


class WebhookClient:
    """Keeps the connections to receivers; the timeouts of the settings hold for each call."""

    def __init__(self, settings: Webhooks) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def post(self, *, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        """Makes one POST and returns (HTTP status, text); status 0 when no answer came."""
        try:
            # A stream, because the client warns about large bodies given as bytes.
            async with self._open().post(
                url, data=io.BytesIO(body), headers=headers, timeout=self._timeout(), allow_redirects=False
            ) as answer:
                return answer.status, (await answer.read()).decode("utf-8", "replace")[:1000]
        except _FAILURES as error:
            return 0, type(error).__name__

    async def get(self, *, url: str, query: dict[str, str]) -> tuple[int, str]:
        """Makes one GET and returns (HTTP status, text); status 0 when no answer came."""
        try:
            async with self._open().get(url, params=query, timeout=self._timeout(), allow_redirects=False) as answer:
                return answer.status, (await answer.read()).decode("utf-8", "replace")
        except _FAILURES as error:
            return 0, type(error).__name__

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()

    def _timeout(self) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(total=self._settings.timeout, connect=self._settings.connect_timeout)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session
