"""A wire between a service and its server that a test can cut, mend, and make deaf."""

import asyncio

_PATIENCE_SECONDS = 2.0


class Proxy:
    """Stands between the service and its server, Valkey or another, so that it can be taken away and given back."""

    def __init__(self, url: str) -> None:
        self._upstream = url.rpartition("@")[2].partition("/")[0]
        self._password = url.partition("://")[2].partition("@")[0]
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self.port = 0
        self.callers = 0
        self.is_deaf = False
        self.delay_seconds = 0.0  # of each answer
        self.question_delay_seconds = 0.0
        self.deafening = b""  # at these bytes it goes deaf

    @property
    def url(self) -> str:
        """The address of a Valkey by way of this wire."""
        return f"redis://{self._password}@127.0.0.1:{self.port}/0"

    def through(self, url: str) -> str:
        """Returns the address of the server by way of this wire."""
        return url.replace(self._upstream, f"127.0.0.1:{self.port}")

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.close()
        # Who was just let in may not be among them, and closes by itself: the loop must not end before.
        if self._serving:
            await asyncio.wait(self._serving, timeout=_PATIENCE_SECONDS)
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.callers += 1
        if task := asyncio.current_task():
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        host, port = self._upstream.split(":")
        self._writers.add(writer)
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.close()  # the server is away: so are we
            return
        self._writers.add(upstream_writer)
        if self._server is None or not self._server.is_serving():
            writer.close()
            upstream_writer.close()
            return
        await asyncio.gather(self._pass(reader, upstream_writer), self._pass(upstream_reader, writer, is_answer=True))

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool = False
    ) -> None:
        try:
            while data := await reader.read(65536):
                delay = self.delay_seconds if is_answer else self.question_delay_seconds
                if delay:
                    await asyncio.sleep(delay)  # noqa: TID251  # a slow server
                self.is_deaf = self.is_deaf or (bool(self.deafening) and self.deafening in data)
                if not self.is_deaf:
                    writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.close()
