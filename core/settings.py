"""Every setting of every process: CHAPPE_* environment variables in, one frozen object out."""

import os
import re
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableError

PREFIX = "CHAPPE_"
_REDIS = ("redis", "rediss", "unix")
_NATS = ("nats", "tls")
_POSTGRES = ("postgresql", "postgres")
_HTTP = ("https", "http")
_PAGE = """# Settings

Every process reads its settings from the environment alone.

Durations are seconds, sizes are bytes. A variable that starts with `CHAPPE_` and is not listed
here stops the start. This page is printed by `python -m core.settings`.

{table}

## Lines

A call holds a line from its departure to its answer, so a number needs as many as its messages a second times the
seconds that an answer takes on average. One number gets four fifths of a worker's lines, and leaves the others a
share of the rest. `CHAPPE_WORKER_CONCURRENCY` should be 1.25 times that, and more where a worker sends for several
fast numbers: 1,500 lines do for 1,000/s at 1.2 s an answer. `chappe_lines_waiting` tells when there are too few.
Beyond half a second an answer lines are not all that bounds: a message counts for the pace until after its answer,
and of a pace of 1,000/s 669 are used where answers take a constant second
([why](adr/0017-pace-where-messages-arrive.md)).

A line is a connection: about 0.1 MB of memory while it is in use, and an open file. A worker raises its limit of
open files (`ulimit -n`) as far as it needs; where the system allows fewer (`ulimit -Hn`, `LimitNOFILE=`), it has
fewer lines and says so in its log when it starts.

## Stopping

SIGTERM lets what has begun end. The API and the webhook door take `CHAPPE_STOP_GRACE_SECONDS` for it. A worker
takes nothing new to send and waits for the answers it is owed: with nothing on the wire it ends at once, else it
takes up to `CHAPPE_WHATSAPP_TIMEOUT_SECONDS` and a few seconds to write what came of them. Whoever kills it sooner
leaves messages in doubt, so give it 45 s where calls may take 30 (`terminationGracePeriodSeconds: 45`,
`docker stop --time 45`, `stop_grace_period: 45s`, `TimeoutStopSec=45`): Docker's own ten are too few.
`CHAPPE_LEASE_SECONDS` must exceed the timeout, or messages are in doubt before their answers come."""
# A call that is past its timeout gets so long to say so.
_SAYING_SECONDS = 2.0
# Several servers of one cluster stand in one setting; a comma inside a password separates nothing.
_NEXT_URL = re.compile(r",(?=[a-z]+://)")


class SettingsError(Exception):
    """Says which variables keep a process from starting, without repeating their values."""


class Settings(BaseSettings):
    """Holds the settings of one process; the field `queue_url` is the variable `CHAPPE_QUEUE_URL`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, env_ignore_empty=True, hide_input_in_errors=True, extra="forbid"
    )

    database_url: str = Field(
        "postgresql://127.0.0.1:5432/chappe", repr=False, description="PostgreSQL 18 or newer: the truth."
    )
    database_pool_size: int = Field(
        10, ge=1, le=500, description="Connections each process may open; at least 3 in a worker."
    )
    queue_url: str = Field(
        "redis://127.0.0.1:6379/0",
        repr=False,
        description="Wake-ups: Redis or Valkey that never evicts (redis://, rediss://), or NATS JetStream (nats://).",
    )
    cache_url: str = Field(
        "redis://127.0.0.1:6380/0", repr=False, description="Redis or Valkey for cached replies; it may evict."
    )
    pace_url: str = Field(
        default_factory=lambda data: str(data.get("queue_url", "")),
        repr=False,
        description="Redis or Valkey that keeps the sending pace; the queue's when not set, so NATS needs it set.",
    )

    whatsapp_base_url: str = Field("https://graph.facebook.com", description="Where the Cloud API answers.")
    whatsapp_api_version: str = Field("v25.0", pattern=r"^v\d+\.\d+$", description="Version of the Cloud API.")
    whatsapp_access_token: SecretStr = Field(SecretStr(""), description="Token of senders that name no other.")
    whatsapp_access_tokens: dict[str, SecretStr] = Field(
        default_factory=dict, description="Further tokens by the name senders refer to them by, as a JSON object."
    )
    whatsapp_app_secret: SecretStr = Field(SecretStr(""), description="Signs the webhooks; without it none is taken.")
    whatsapp_verify_token: SecretStr = Field(SecretStr(""), description="Answers the handshake of the webhook set-up.")
    whatsapp_timeout_seconds: float = Field(30.0, gt=0, description="How long one call to the Cloud API may take.")

    grpc_host: str = Field("127.0.0.1", description="Address the gRPC door listens on.")
    grpc_port: int = Field(50051, ge=0, le=65535, description="Port of the gRPC door; 0 takes a free one.")
    webhooks_host: str = Field("127.0.0.1", description="Address the webhook door listens on.")
    webhooks_port: int = Field(8088, ge=0, le=65535, description="Port of the webhook door; 0 takes a free one.")
    metrics_host: str = Field("127.0.0.1", description="Address /metrics, /healthz and /readyz are served on.")
    metrics_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Their port in each process; 0 takes a free one, none serves none. A group counts up from it.",
    )
    port_file: Path | None = Field(
        None, description="File a process writes its port to once it is ready, a group all of them."
    )
    tls_cert_file: Path | None = Field(None, description="Certificate chain of the gRPC door (PEM); needs the key.")
    tls_key_file: Path | None = Field(None, description="Private key of that certificate (PEM).")
    tls_client_ca_file: Path | None = Field(None, description="Authorities a caller's certificate must come from.")
    reflection_enabled: bool = Field(default=True, description="Whether callers with a key may ask what can be called.")
    channelz_enabled: bool = Field(default=False, description="Whether connection diagnostics are served.")
    default_deadline_seconds: float = Field(10.0, gt=0, description="Deadline of a unary call that brings none.")
    stop_grace_seconds: float = Field(
        5.0, ge=0, description="How long a stopping process lets its work end; see below for a worker."
    )

    worker_concurrency: int = Field(
        1500, ge=1, le=4000, description="Calls to the Cloud API open at once in a worker (lines, see below)."
    )
    lease_seconds: float = Field(60.0, gt=0, description="How long a claimed message belongs to its worker.")
    unconfirmed_grace_seconds: float = Field(
        600.0, gt=0, description="How long a message in doubt waits for evidence before it may be sent again."
    )
    unconfirmed_deadline_seconds: float = Field(
        86400.0, gt=0, description="When the campaign's policy decides over a message still in doubt."
    )

    cache_enabled: bool = Field(default=True, description="Whether replies are cached at all.")
    cache_timeout_seconds: float = Field(0.05, gt=0, description="How long a call may wait for the cache, in all.")
    cache_rest_seconds: float = Field(5.0, gt=0, description="How long a cache's server that keeps failing is spared.")
    cache_memory_bytes: int = Field(
        16_777_216, ge=0, description="What each server process may remember by itself, in front of the cache's server."
    )
    cache_max_reply_bytes: int = Field(262144, ge=0, description="Replies larger than this are not cached.")

    hash_key: SecretStr = Field(
        SecretStr(""), description="Key of the hashes by which an erased opt-out is known again; never change it."
    )
    default_region: str | None = Field(
        None, pattern=r"^[A-Z]{2}$", description="Country (ISO 3166, such as FR) of numbers written without +."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least severity logged.")

    api_address: str = Field("127.0.0.1:50051", description="Where the chappe command finds the gRPC door.")
    api_key: SecretStr = Field(SecretStr(""), description="Key the chappe command calls with.")
    api_tls_ca_file: Path | None = Field(
        None, description="Authorities (PEM) the chappe command trusts; when set, it calls over TLS."
    )
    api_tls_cert_file: Path | None = Field(
        None, description="Certificate the chappe command shows (PEM); needs the key."
    )
    api_tls_key_file: Path | None = Field(None, description="Private key of that certificate (PEM).")

    @classmethod
    def load(cls) -> Self:
        """Reads the environment; raises SettingsError on unknown variables and on values that do not fit."""
        unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in variables())
        if unknown:
            message = f"unknown variables: {', '.join(unknown)} (python -m core.settings lists all)"
            raise SettingsError(message)
        try:
            return cls()
        except ValidationError as error:
            raise SettingsError(_explain(error)) from None
        except UnreadableError as error:
            raise SettingsError(f"{error}: is it JSON?") from None

    @model_validator(mode="after")
    def _name_servers(self) -> Self:
        addresses = {
            "CHAPPE_DATABASE_URL": (self.database_url, _POSTGRES),
            "CHAPPE_CACHE_URL": (self.cache_url, _REDIS),
            "CHAPPE_WHATSAPP_BASE_URL": (self.whatsapp_base_url, _HTTP),
        }
        for variable, (url, schemes) in addresses.items():
            if urlsplit(url).scheme not in schemes:
                message = f"{variable} must start with {' or '.join(f'{scheme}://' for scheme in schemes)}"
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            message = "CHAPPE_TLS_CERT_FILE and CHAPPE_TLS_KEY_FILE go together"
            raise ValueError(message)
        if self.tls_client_ca_file is not None and self.tls_cert_file is None:
            message = "CHAPPE_TLS_CLIENT_CA_FILE needs CHAPPE_TLS_CERT_FILE"
            raise ValueError(message)
        if not is_nats(self.queue_url) and urlsplit(self.queue_url).scheme not in _REDIS:
            message = "CHAPPE_QUEUE_URL must start with redis://, rediss:// or nats://"
            raise ValueError(message)
        if urlsplit(self.pace_url).scheme not in _REDIS:
            message = "CHAPPE_PACE_URL must name a Redis (redis:// or rediss://); set it when the queue is NATS"
            raise ValueError(message)
        if self.unconfirmed_deadline_seconds <= self.unconfirmed_grace_seconds:
            message = "CHAPPE_UNCONFIRMED_DEADLINE_SECONDS must exceed CHAPPE_UNCONFIRMED_GRACE_SECONDS"
            raise ValueError(message)
        return self

    @property
    def drain_seconds(self) -> float:
        """How long a worker that stops waits for the calls it has begun: until each has ended by itself."""
        return max(self.stop_grace_seconds, self.whatsapp_timeout_seconds + _SAYING_SECONDS)

    def public(self) -> dict[str, Any]:
        """Returns what may be logged: secrets as `***`, URLs without their user and password."""
        return {name: _masked(name, value) for name, value in self}


def variables() -> dict[str, FieldInfo]:
    """Returns each setting by the name of its variable."""
    return {PREFIX + name.upper(): field for name, field in Settings.model_fields.items()}


def is_nats(url: str) -> bool:
    """Tells whether a queue's address names NATS."""
    return urlsplit(url).scheme in _NATS


def single_urls(url: str) -> list[str]:
    """Returns the addresses of a setting that may name several servers."""
    return _NEXT_URL.split(url)


def table() -> str:
    """Returns all settings as a table in Markdown."""
    rows = ["| variable | type | default | meaning |", "| --- | --- | --- | --- |"]
    for name, field in variables().items():
        rows.append(f"| `{name}` | {_type_name(field)} | {_default(field)} | {field.description} |")
    return "\n".join(rows)


def _explain(error: ValidationError) -> str:
    problems = []
    for problem in error.errors(include_url=False, include_input=False):
        where = PREFIX + str(problem["loc"][0]).upper() + ": " if problem["loc"] else ""
        problems.append(where + problem["msg"].removeprefix("Value error, "))
    return "; ".join(problems)


def _masked(name: str, value: object) -> object:
    if isinstance(value, SecretStr):
        return "***" if value.get_secret_value() else ""
    if isinstance(value, dict):
        return {key: _masked(name, item) for key, item in value.items()}
    if name.endswith("_url"):
        return ",".join(map(_without_password, single_urls(str(value))))
    return str(value) if isinstance(value, Path) else value


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _type_name(field: FieldInfo) -> str:
    names = {int: "integer", float: "number", bool: "true or false", str: "text", SecretStr: "secret"}
    if field.annotation in names:
        return names[field.annotation]
    if field.annotation == int | None:
        return "integer"
    text = str(field.annotation)
    if "Literal" in text:
        return text.partition("[")[2].rstrip("]").replace("'", "")
    if "Path" in text:
        return "path"
    return "JSON object" if "dict" in text else "text"


def _default(field: FieldInfo) -> str:
    if isinstance(field.default, SecretStr) or field.default is None or field.default_factory is not None:
        return "-"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def main() -> None:
    """Prints docs/settings.md."""
    print(_PAGE.format(table=table()))  # noqa: T201  # a command prints


if __name__ == "__main__":
    main()
