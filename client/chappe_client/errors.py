"""client: what a call can be refused with; gRPC codes and details come in, typed errors go out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, cast

import grpc
from google.rpc import error_details_pb2, status_pb2

DETAILS_KEY = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldViolation:
    """Says what is wrong with one field of a request."""

    field: str
    description: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Holds what the server said beside the code; retry_delay is in seconds."""

    reason: str = ""
    metadata: dict[str, str]
    violations: tuple[FieldViolation, ...] = ()
    retry_delay: float | None = None
    request_id: str = ""


class ChappeError(Exception):
    """Is any failed call; itself, when the server broke or answered something unknown."""

    def __init__(self, message: str, *, code: grpc.StatusCode, details: Details | None = None) -> None:
        super().__init__(message)
        details = details or Details(metadata={})
        self.code = code
        self.reason = details.reason
        self.metadata = details.metadata
        self.violations = details.violations
        self.retry_delay = details.retry_delay
        self.request_id = details.request_id

    def __str__(self) -> str:
        """Returns the server's words, with the reason in front when there is one."""
        text = super().__str__()
        return f"{self.reason}: {text}" if self.reason else text


class InvalidArgument(ChappeError):
    """The request itself is wrong; violations say where."""


class NotFound(ChappeError):
    """What the request names is not there."""


class AlreadyExists(ChappeError):
    """What should be created is there already."""


class WrongState(ChappeError):
    """It cannot be done in the present state; retry_delay says when to come back, if that will pass by itself."""


class Conflict(ChappeError):
    """Someone else was faster; read again and decide anew."""


class LimitReached(ChappeError):
    """Too much was asked for; retry_delay says when to come back, if ever."""


class NotAllowed(ChappeError):
    """The key's role does not allow it."""


class Unauthenticated(ChappeError):
    """The key is missing, unknown, expired or revoked."""


class Unavailable(ChappeError):
    """The server cannot be reached, or is going down."""


class DeadlineExceeded(ChappeError):
    """No answer came in time; what was asked may have happened."""


class Unimplemented(ChappeError):
    """This server does not know the call."""


class Incomplete(ChappeError):
    """A stream ended without its last element: what came before is not all."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code=grpc.StatusCode.DATA_LOSS)


KINDS: dict[grpc.StatusCode, type[ChappeError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgument,
    grpc.StatusCode.OUT_OF_RANGE: InvalidArgument,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.FAILED_PRECONDITION: WrongState,
    grpc.StatusCode.ABORTED: Conflict,
    grpc.StatusCode.RESOURCE_EXHAUSTED: LimitReached,
    grpc.StatusCode.PERMISSION_DENIED: NotAllowed,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    # Who gives a call up hears nothing of it here; a server that stops says this of a call it took and did not begin.
    grpc.StatusCode.CANCELLED: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.UNIMPLEMENTED: Unimplemented,
}


class FailedCall(Protocol):
    """Is what both gRPC stacks raise."""

    def code(self) -> grpc.StatusCode:
        """Returns the code."""

    def details(self) -> str | None:
        """Returns the server's words."""

    def trailing_metadata(self) -> Iterable[tuple[str, str | bytes]] | None:
        """Returns what came after the reply."""


def from_call(failure: grpc.RpcError) -> ChappeError:
    """Returns the typed error of a failed call."""
    call = cast("FailedCall", failure)
    code = call.code()
    kind = KINDS.get(code, ChappeError)
    return kind(call.details() or code.name, code=code, details=_details(call.trailing_metadata() or ()))


def _details(metadata: Iterable[tuple[str, str | bytes]]) -> Details | None:
    packed = next((value for key, value in metadata if key == DETAILS_KEY), None)
    if not isinstance(packed, bytes):
        return None
    info, request = error_details_pb2.ErrorInfo(), error_details_pb2.RequestInfo()
    retry, bad = error_details_pb2.RetryInfo(), error_details_pb2.BadRequest()
    for detail in status_pb2.Status.FromString(packed).details:
        for part in (info, request, retry, bad):
            detail.Unpack(part)
    return Details(
        reason=info.reason,
        metadata=dict(info.metadata),
        violations=tuple(
            FieldViolation(field=each.field, description=each.description, reason=each.reason)
            for each in bad.field_violations
        ),
        retry_delay=retry.retry_delay.ToMicroseconds() / 1e6 if retry.HasField("retry_delay") else None,
        request_id=request.request_id,
    )
