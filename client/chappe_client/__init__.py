"""The Python client of Chappe: asynchronous (`Chappe`) and plain (`SyncChappe`)."""

from chappe_client.client import Chappe
from chappe_client.connection import Tls
from chappe_client.errors import (
    AlreadyExists,
    ChappeError,
    Conflict,
    DeadlineExceeded,
    FieldViolation,
    Incomplete,
    InvalidArgument,
    LimitReached,
    NotAllowed,
    NotFound,
    Unauthenticated,
    Unavailable,
    Unimplemented,
    WrongState,
)
from chappe_client.generated.chappe import v1
from chappe_client.retries import RetryPolicy
from chappe_client.sync_client import SyncChappe

__all__ = [
    "AlreadyExists",
    "Chappe",
    "ChappeError",
    "Conflict",
    "DeadlineExceeded",
    "FieldViolation",
    "Incomplete",
    "InvalidArgument",
    "LimitReached",
    "NotAllowed",
    "NotFound",
    "RetryPolicy",
    "SyncChappe",
    "Tls",
    "Unauthenticated",
    "Unavailable",
    "Unimplemented",
    "WrongState",
    "v1",
]
