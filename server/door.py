"""The open gRPC door: it listens, says whether it can serve, and closes without cutting anyone off."""

import asyncio
import logging
import ssl
from pathlib import Path

import grpc
from grpc_health.v1 import _async as health_aio
from grpc_health.v1 import health_pb2

from core.db import Database
from core.settings import Settings
from server.interceptors.deadline import Deadline

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 2.0


class StartError(Exception):
    """Says in one line what keeps the server from starting."""


class Door:
    """Serves from ``open`` to ``close``."""

    def __init__(
        self,
        *,
        server: grpc.aio.Server,
        database: Database,
        health: health_aio.HealthServicer,
        deadline: Deadline,
        settings: Settings,
    ) -> None:
        self._server = server
        self._database = database
        self._health = health
        self._deadline = deadline
        self._settings = settings
        self._looking: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    @property
    def is_closing(self) -> bool:
        """Whether it takes no new callers any more."""
        return self._closing.is_set()

    async def open(self) -> int:
        """Starts serving and returns the port; raises StartError when it is taken."""
        await self._look()
        port = self._listen()  # not before: no caller is to wait for what may be called off
        await self._server.start()
        self._looking = asyncio.create_task(self._keep_looking())
        return port

    async def close(self) -> None:
        """Says NOT_SERVING, ends watches, lets calls end for the grace of the settings, then cuts the rest off.

        Also closes what was opened only in part, or not at all.
        """
        self._closing.set()
        if self._looking is not None:
            await self._looking
        await self._health.enter_graceful_shutdown()
        self._deadline.end_watches()
        await self._server.stop(self._settings.stop_grace_seconds)

    def _listen(self) -> int:
        address = f"{self._settings.grpc_host}:{self._settings.grpc_port}"
        try:
            if self._settings.tls_cert_file is None:
                return int(self._server.add_insecure_port(address))
            return int(self._server.add_secure_port(address, _credentials(self._settings)))
        except RuntimeError as error:
            raise StartError(f"cannot listen on {address} (CHAPPE_GRPC_HOST, CHAPPE_GRPC_PORT)") from error

    async def _keep_looking(self) -> None:
        while not self._closing.is_set():
            await self._look()
            try:
                await asyncio.wait_for(self._closing.wait(), _LOOK_SECONDS)
            except TimeoutError:
                continue

    async def _look(self) -> None:
        """Whoever cannot reach the database is no use to a caller; the cache and the queue may be away."""
        try:
            await self._database.ping()
        except Exception:  # whatever it is: a door that stopped looking would lie
            _log.warning("the database does not answer", exc_info=True)
            state = health_pb2.HealthCheckResponse.NOT_SERVING
        else:
            state = health_pb2.HealthCheckResponse.SERVING
        await self._health.set("", state)


def _credentials(settings: Settings) -> grpc.ServerCredentials:
    """Reads the certificate, and the authorities callers must come from if they are asked for one (mutual TLS)."""
    _check_pair(settings)
    authorities = _read(settings.tls_client_ca_file)
    credentials: grpc.ServerCredentials = grpc.ssl_server_credentials(
        [(_read(settings.tls_key_file), _read(settings.tls_cert_file))],
        root_certificates=authorities,
        require_client_auth=authorities is not None,
    )
    return credentials


def _check_pair(settings: Settings) -> None:
    # gRPC would only say that it cannot listen.
    certificate, key = settings.tls_cert_file, settings.tls_key_file
    if _read(certificate) is None or _read(key) is None or certificate is None:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, ValueError) as error:
        text = f"{certificate} and {key} are no certificate and its key without a password, both as PEM"
        raise StartError(f"{text} (CHAPPE_TLS_CERT_FILE, CHAPPE_TLS_KEY_FILE)") from error


def _read(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise StartError(f"cannot read {path}: {error.strerror}") from error
