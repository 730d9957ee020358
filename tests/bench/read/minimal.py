"""A page of contacts by the same query and with the same reply as ours, and nothing around it."""

import argparse
import asyncio
from pathlib import Path
from uuid import UUID

import asyncpg
import grpc
import orjson
import uvloop
from chappe.v1 import contacts_pb2, contacts_service_pb2, contacts_service_pb2_grpc

from core.queries import load

SQL = load("contact_lists")["list_contacts"]
Contact = contacts_pb2.Contact


class Minimal(contacts_service_pb2_grpc.ContactsServiceServicer):
    """Answers one rpc, for its first page."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def ListContacts(  # noqa: N802  # named by the contract
        self, request: contacts_service_pb2.ListContactsRequest, _context: object
    ) -> contacts_service_pb2.ListContactsResponse:
        """Returns the first page."""
        rows = await self._pool.fetch(SQL, UUID(int=0), request.page_size + 1)
        return contacts_service_pb2.ListContactsResponse(contacts=[_contact(row) for row in rows[: request.page_size]])


def _contact(row: asyncpg.Record) -> Contact:
    return Contact(
        name=f"contacts/{row['id']}", phone_number=row["phone_number"] or "",
        whatsapp_user_id=row["whatsapp_user_id"] or "", display_name=row["display_name"],
        language_code=row["language_code"], time_zone=row["time_zone"], attributes=row["attributes"],
        whatsapp_state=f"WHATSAPP_STATE_{row['whatsapp_state']}",  # type: ignore[arg-type]  # a name is a value
        marketing_consent=f"MARKETING_CONSENT_{row['marketing_consent']}",  # type: ignore[arg-type]  # same
        consent_time=row["consent_time"], consent_source=row["consent_source"],
        categories=[f"categories/{each}" for each in row["categories"]],
        create_time=row["create_time"], update_time=row["update_time"],
    )  # fmt: skip


async def _serve(database_url: str, port_file: Path) -> None:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=10, init=_prepare) as pool:
        server = grpc.aio.server()
        contacts_service_pb2_grpc.add_ContactsServiceServicer_to_server(Minimal(pool), server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        await asyncio.to_thread(port_file.write_text, f"{port}\n")
        await server.wait_for_termination()


async def _prepare(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=str, decoder=orjson.loads)


def main() -> None:
    """Serves until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port-file", type=Path, required=True)
    parser.add_argument("--database-url", required=True)
    chosen = parser.parse_args()
    uvloop.run(_serve(chosen.database_url, chosen.port_file))


if __name__ == "__main__":
    main()
