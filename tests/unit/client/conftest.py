"""A real gRPC server on a free port whose answers the test decides, and a client on it."""

from collections.abc import AsyncIterator

import grpc
import pytest
from chappe.v1 import campaigns_service_pb2_grpc, contacts_service_pb2_grpc
from chappe_client import Chappe, RetryPolicy

from tests.unit.client.servicers import Campaigns, Contacts

QUICK = RetryPolicy(attempts=5, first_delay=0.001)


@pytest.fixture
def contacts() -> Contacts:
    return Contacts()


@pytest.fixture
def campaigns() -> Campaigns:
    return Campaigns()


@pytest.fixture
async def address(contacts: Contacts, campaigns: Campaigns) -> AsyncIterator[str]:
    server = grpc.aio.server()
    contacts_service_pb2_grpc.add_ContactsServiceServicer_to_server(contacts, server)
    campaigns_service_pb2_grpc.add_CampaignsServiceServicer_to_server(campaigns, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(grace=None)


@pytest.fixture
async def chappe(address: str) -> AsyncIterator[Chappe]:
    async with Chappe(address, key="a-key", retries=QUICK) as client:
        yield client
