"""The table of refusals: each family as its code, with the details a program reads."""

import logging

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from prometheus_client import CollectorRegistry

from core.domain import errors
from core.domain.errors import Refusal, Violation
from core.metrics import RpcMetrics
from server.interceptors.base import Interceptor
from server.interceptors.errors import CODES, Errors
from server.interceptors.telemetry import Telemetry
from tests.helpers.clocks import StillClock
from tests.helpers.doors import Context, answering, call, details, serving

TABLE = [
    (
        errors.InvalidArgument("A", "Text.", violations=[Violation(field="f.g", description="is odd", reason="ODD")]),
        grpc.StatusCode.INVALID_ARGUMENT,
        {"ErrorInfo", "BadRequest"},
    ),
    (errors.NotFound("A", "Text.", contact="contacts/1"), grpc.StatusCode.NOT_FOUND, {"ErrorInfo", "ResourceInfo"}),
    (errors.AlreadyExists("A", "Text."), grpc.StatusCode.ALREADY_EXISTS, {"ErrorInfo"}),
    (
        errors.WrongState("A", "Text.", campaign="campaigns/1", state="PAUSED"),
        grpc.StatusCode.FAILED_PRECONDITION,
        {"ErrorInfo", "PreconditionFailure"},
    ),
    (errors.Conflict("A", "Text."), grpc.StatusCode.ABORTED, {"ErrorInfo"}),
    (
        errors.LimitReached("A", "Text.", retry_after=2.5),
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        {"ErrorInfo", "QuotaFailure", "RetryInfo"},
    ),
    (errors.NotAllowed("A", "Text."), grpc.StatusCode.PERMISSION_DENIED, {"ErrorInfo"}),
    (errors.Unauthenticated("A", "Text."), grpc.StatusCode.UNAUTHENTICATED, {"ErrorInfo"}),
    (errors.Unavailable("A", "Text."), grpc.StatusCode.UNAVAILABLE, {"ErrorInfo", "RetryInfo"}),
]


async def refused_with(error: Exception) -> grpc.aio.AioRpcError:
    async def refuse(_request: StringValue, _context: Context) -> StringValue:
        raise error

    chain: list[Interceptor] = [
        Telemetry(clock=StillClock(), make_id=lambda: "the-id", metrics=RpcMetrics(CollectorRegistry())),
        Errors(),
    ]
    async with serving({"Refuse": answering(refuse)}, chain) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(channel, "Refuse")
    return refused.value


@pytest.mark.parametrize(("refusal", "code", "kinds"), TABLE, ids=lambda value: type(value).__name__)
async def test_each_family_has_its_code_and_details(refusal: Refusal, code: grpc.StatusCode, kinds: set[str]) -> None:
    error = await refused_with(refusal)
    found = details(error)
    assert (error.code(), error.details()) == (code, "Text.")
    assert set(found) == kinds
    assert (found["ErrorInfo"].reason, found["ErrorInfo"].domain) == ("A", "chappe")
    assert dict(found["ErrorInfo"].metadata) == refusal.metadata


def test_every_family_is_in_the_table() -> None:
    families = {member for member in vars(errors).values() if isinstance(member, type) and issubclass(member, Refusal)}
    assert set(CODES) == families - {Refusal}


async def test_details_say_which_field_what_state_and_when_to_come_back() -> None:
    invalid, exhausted, stuck = [details(await refused_with(TABLE[number][0])) for number in (0, 5, 3)]
    violation = invalid["BadRequest"].field_violations[0]
    assert (violation.field, violation.description, violation.reason) == ("f.g", "is odd", "ODD")
    assert exhausted["RetryInfo"].retry_delay.ToMilliseconds() == 2500
    assert stuck["PreconditionFailure"].violations[0].subject == "campaigns/1"


async def test_a_failure_tells_its_request_id_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        error = await refused_with(ValueError("duplicate key (phone_number)=(+33612345678)"))
    assert error.code() is grpc.StatusCode.INTERNAL
    assert error.details() == "Internal error; its request id is the-id."
    assert details(error)["RequestInfo"].request_id == "the-id"
    assert "phone" not in str(error)
    assert "ValueError" in caplog.text


async def test_what_is_not_there_yet_is_unimplemented() -> None:
    error = await refused_with(NotImplementedError("Method not implemented!"))
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED
    assert details(error)["ErrorInfo"].reason == "UNIMPLEMENTED"


async def test_a_phone_number_in_a_text_is_masked() -> None:
    error = await refused_with(errors.NotFound("A", "There is no +33612345678 here."))
    assert error.details() == "There is no *** here."


async def test_a_thousand_violations_still_arrive_as_a_refusal() -> None:
    many = [Violation(field=f"contacts[{n}].attributes", description="x" * 500, reason="R") for n in range(1000)]
    error = await refused_with(errors.InvalidArgument("MANY", "Too many.", violations=many))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert len(details(error)["BadRequest"].field_violations) == 20
