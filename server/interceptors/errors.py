"""The one table from refusals to gRPC codes and google.rpc details; everything inside may simply raise."""

import logging
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2 as details_pb2
from google.rpc import status_pb2

from core.domain import errors
from core.telemetry import mask
from server.call import Call
from server.interceptors.base import Aborted, Proceed
from server.interceptors.deadline import DeadlinePassed

DOMAIN = "chappe"
# Details travel in trailing metadata, of which gRPC takes 8 KiB: what does not fit would replace the whole answer.
_MOST_VIOLATIONS = 20
_LONGEST_TEXT = 200

CODES: Mapping[type[errors.Refusal], grpc.StatusCode] = MappingProxyType(
    {
        errors.InvalidArgument: grpc.StatusCode.INVALID_ARGUMENT,
        errors.NotFound: grpc.StatusCode.NOT_FOUND,
        errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
        errors.WrongState: grpc.StatusCode.FAILED_PRECONDITION,
        errors.Conflict: grpc.StatusCode.ABORTED,
        errors.LimitReached: grpc.StatusCode.RESOURCE_EXHAUSTED,
        errors.NotAllowed: grpc.StatusCode.PERMISSION_DENIED,
        errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
        errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    }
)

_log = logging.getLogger(__name__)


class Errors:
    """Turns refusals into statuses a program can read, and failures into INTERNAL with a request id."""

    async def around(self, call: Call, proceed: Proceed) -> bytes:
        """Lets the call pass and translates what it raises."""
        try:
            return await proceed()
        except Aborted:
            raise
        except errors.Refusal as refusal:
            raise of_refusal(refusal) from refusal
        except DeadlinePassed:
            text = "The call took longer than its deadline; a change may or may not have been made."
            raise _aborted(grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", text) from None
        except NotImplementedError:
            text = "This rpc is promised by the contract and not there yet."
            raise _aborted(grpc.StatusCode.UNIMPLEMENTED, "UNIMPLEMENTED", text) from None
        except Exception as failure:
            _log.exception("failure", extra={"method": call.method})
            raise _internal(call.request_id) from failure


def of_refusal(refusal: errors.Refusal) -> Aborted:
    """Returns the status that tells of a refusal."""
    code = next(CODES[family] for family in type(refusal).__mro__ if family in CODES)
    return _aborted(code, refusal.reason, refusal.message, metadata=refusal.metadata, further=_details(refusal))


def _details(refusal: errors.Refusal) -> list[Message]:
    match refusal:
        case errors.InvalidArgument():
            return [_bad_request(refusal.violations)] if refusal.violations else []
        case errors.NotFound() | errors.AlreadyExists():
            return [_resource(refusal)] if refusal.metadata else []
        case errors.WrongState():
            return [_precondition(refusal), *_retry(refusal.retry_after)]
        case errors.LimitReached():
            return [_quota(refusal), *_retry(refusal.retry_after)]
        case errors.Unavailable():
            return _retry(refusal.retry_after)
        case _:
            return []


def _bad_request(violations: Iterable[errors.Violation]) -> details_pb2.BadRequest:
    told = [
        details_pb2.BadRequest.FieldViolation(
            field=violation.field, description=_text(violation.description), reason=violation.reason
        )
        for violation in tuple(violations)[:_MOST_VIOLATIONS]
    ]
    return details_pb2.BadRequest(field_violations=told)


def _resource(refusal: errors.Refusal) -> details_pb2.ResourceInfo:
    kind, name = next(iter(refusal.metadata.items()))
    return details_pb2.ResourceInfo(resource_type=kind, resource_name=name, description=_text(refusal.message))


def _precondition(refusal: errors.Refusal) -> details_pb2.PreconditionFailure:
    subject = next(iter(refusal.metadata.values()), "")
    violation = details_pb2.PreconditionFailure.Violation(
        type=refusal.reason, subject=subject, description=_text(refusal.message)
    )
    return details_pb2.PreconditionFailure(violations=[violation])


def _quota(refusal: errors.Refusal) -> details_pb2.QuotaFailure:
    subject = next(iter(refusal.metadata.values()), "")
    violation = details_pb2.QuotaFailure.Violation(subject=subject, description=_text(refusal.message))
    return details_pb2.QuotaFailure(violations=[violation])


def _retry(seconds: float) -> list[Message]:
    if seconds <= 0:
        return []
    delay = Duration()
    delay.FromMilliseconds(round(seconds * 1000))
    return [details_pb2.RetryInfo(retry_delay=delay)]


def _internal(request_id: str) -> Aborted:
    text = f"Internal error; its request id is {request_id}."
    info = details_pb2.RequestInfo(request_id=request_id)
    return _aborted(grpc.StatusCode.INTERNAL, "INTERNAL", text, further=[info])


def _aborted(
    code: grpc.StatusCode,
    reason: str,
    message: str,
    *,
    metadata: Mapping[str, str] = MappingProxyType({}),
    further: Iterable[Message] = (),
) -> Aborted:
    told = {key: value[:_LONGEST_TEXT] for key, value in metadata.items()}
    status = status_pb2.Status(code=code.value[0], message=_text(message))
    for detail in (details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=told), *further):
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)
    return Aborted(code, status.message, details=status.SerializeToString())


def _text(text: str) -> str:
    return mask(text)[:_LONGEST_TEXT]
