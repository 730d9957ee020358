"""Envoy as the stack runs it, before a gRPC server that answers one method."""

import json
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import aiohttp
import grpc
import pytest
from chappe.v1.contacts_pb2 import Contact
from chappe.v1.contacts_service_pb2 import GetContactRequest
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from stack import envoy
from stack.envoy import DESCRIPTOR_SET, Envoy
from stack.ports import Ports
from stack.process import StartError
from tests.helpers.servers import temporary_directory


async def _get_contact(
    request: GetContactRequest, context: grpc.aio.ServicerContext[GetContactRequest, Contact]
) -> Contact:
    if request.name == "contacts/ada":
        return Contact(name=request.name, display_name="Ada")
    detail = any_pb2.Any()
    detail.Pack(error_details_pb2.ErrorInfo(reason="CONTACT_NOT_FOUND", domain="chappe"))
    status = status_pb2.Status(code=code_pb2.NOT_FOUND, message="no such contact", details=[detail])
    await context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError("abort returned")


@pytest.fixture(scope="module")
async def door() -> AsyncIterator[Envoy]:
    server = grpc.aio.server()
    method = grpc.unary_unary_rpc_method_handler(_get_contact, GetContactRequest.FromString, Contact.SerializeToString)
    server.add_registered_method_handlers("chappe.v1.ContactsService", {"GetContact": method})
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    with temporary_directory() as directory, Envoy(directory=directory, ports=Ports(), api_ports=[port]) as running:
        yield running
    await server.stop(None)


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.body)
        return found


async def _call(door: Envoy, method: str, path: str, *, data: bytes = b"", **headers: str) -> _Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"http://127.0.0.1:{door.port}{path}", data=data or None, headers=named) as reply,
    ):
        return _Reply(reply.status, {name.lower(): value for name, value in reply.headers.items()}, await reply.read())


async def _call_grpc(door: Envoy, method: str, request: bytes) -> bytes:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{door.port}") as channel:
        call: Any = channel.unary_unary(method)
        return cast("bytes", await call(request))


async def test_json_becomes_a_call_and_its_reply_json(door: Envoy) -> None:
    reply = await _call(door, "GET", "/v1/contacts/ada")
    assert (reply.status, reply.json()["displayName"]) == (200, "Ada")


async def test_a_refusal_keeps_its_details_in_json(door: Envoy) -> None:
    reply = await _call(door, "GET", "/v1/contacts/nobody")
    assert reply.status == 404
    assert reply.json()["details"] == [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "CONTACT_NOT_FOUND",
            "domain": "chappe",
            "metadata": {},
        }
    ]


@pytest.mark.parametrize(("path", "status", "code"), [("/v1/nothing", 404, 5), ("/v1/contacts/ada?nonsense=1", 400, 3)])
async def test_what_the_contract_does_not_know_is_refused_as_json(
    door: Envoy, path: str, status: int, code: int
) -> None:
    reply = await _call(door, "GET", path)
    assert (reply.status, reply.headers["content-type"]) == (status, "application/json")
    assert (reply.json()["code"], reply.json()["details"]) == (code, [])
    assert reply.json()["message"]


async def test_grpc_passes_through(door: Envoy) -> None:
    request = GetContactRequest(name="contacts/ada").SerializeToString()
    reply = await _call_grpc(door, "/chappe.v1.ContactsService/GetContact", request)
    assert Contact.FromString(reply).display_name == "Ada"


async def test_what_is_not_in_our_contract_passes_through_as_grpc(door: Envoy) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await _call_grpc(door, "/grpc.health.v1.Health/Check", b"")
    assert refusal.value.details() == "Method not found!"


async def test_a_page_of_another_origin_may_call_and_read_the_outcome(door: Envoy) -> None:
    request = GetContactRequest(name="contacts/ada").SerializeToString()
    reply = await _call(
        door,
        "POST",
        "/chappe.v1.ContactsService/GetContact",
        data=b"\0" + len(request).to_bytes(4, "big") + request,
        origin="https://console.example",
        content_type="application/grpc-web+proto",
    )
    assert reply.status == 200
    assert b"grpc-status:0\r\n" in reply.body
    assert reply.headers["access-control-allow-origin"] == "https://console.example"
    exposed = reply.headers["access-control-expose-headers"]
    assert {"grpc-status", "grpc-message", "grpc-status-details-bin"} <= set(exposed.split(", "))


async def test_a_browser_may_send_its_key(door: Envoy) -> None:
    reply = await _call(
        door,
        "OPTIONS",
        "/v1/contacts",
        origin="https://console.example",
        access_control_request_method="POST",
        access_control_request_headers="authorization",
    )
    assert "authorization" in reply.headers["access-control-allow-headers"]


def test_two_run_at_once(door: Envoy) -> None:
    with temporary_directory() as directory, Envoy(directory=directory, ports=Ports(), api_ports=[1]) as other:
        assert other.process.is_running()
        assert door.process.is_running()


def test_the_configuration_is_valid(tmp_path: Path) -> None:
    written = envoy.configuration(port=1, api_ports=[2, 3], descriptor_set=DESCRIPTOR_SET)
    (tmp_path / "envoy.json").write_text(json.dumps(written))
    command = (envoy.program(), "--mode", "validate", "--config-path", tmp_path / "envoy.json")
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stderr


def test_every_service_of_the_contract_is_transcoded() -> None:
    contract = (Path(__file__).parents[3] / "proto/chappe/v1").glob("*.proto")
    promised = sum(path.read_text().count("\nservice ") for path in contract)
    assert len(envoy.services(DESCRIPTOR_SET)) == promised > 0


def test_one_that_cannot_start_shows_the_end_of_its_log() -> None:
    with temporary_directory() as directory:
        late = Envoy(directory=directory, ports=Ports(), api_ports=[99_999])
        with pytest.raises(StartError, match="value must be less than or equal to 65535"):
            late.__enter__()
