"""client: opens channels."""

from dataclasses import dataclass

import grpc

# A page of a thousand contacts with all their attributes does not fit into gRPC's own 4 MiB.
LARGEST_REPLY = 64 * 1024 * 1024

OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.max_receive_message_length", LARGEST_REPLY),
    ("grpc.enable_retries", 0),  # ours read what the server says about when
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Says how to trust the server and who we are, in PEM; root certificates default to the system's."""

    root_certificates: bytes | None = None
    private_key: bytes | None = None
    certificate_chain: bytes | None = None

    def __repr__(self) -> str:
        """Shows no key."""
        return "Tls(...)"


def open_channel(target: str, *, tls: Tls | None) -> grpc.aio.Channel:
    """Returns an asynchronous channel to host:port; nothing is connected before the first call."""
    if tls is None:
        return grpc.aio.insecure_channel(target, options=OPTIONS)
    return grpc.aio.secure_channel(target, _credentials(tls), options=OPTIONS)


def open_sync_channel(target: str, *, tls: Tls | None) -> grpc.Channel:
    """Returns a plain channel to host:port; nothing is connected before the first call."""
    if tls is None:
        channel: grpc.Channel = grpc.insecure_channel(target, options=OPTIONS)
    else:
        channel = grpc.secure_channel(target, _credentials(tls), options=OPTIONS)
    return channel


def _credentials(tls: Tls) -> grpc.ChannelCredentials:
    made: grpc.ChannelCredentials = grpc.ssl_channel_credentials(
        tls.root_certificates, tls.private_key, tls.certificate_chain
    )
    return made
