"""ImportContacts: bytes or rows in, contacts written chunk by chunk, progress and rejects out."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final
from uuid import UUID

from chappe.v1 import contacts_import_pb2 as pb

from core.clock import Clock
from core.db import TRANSACTION_CONFLICT
from core.domain.categories import tidy_name
from core.domain.errors import Conflict, InvalidArgument, NotFound
from core.domain.imports import PERSON_CONFLICT, ImportedRow, ImportOptions, Reject, RowRefused, Totals
from core.domain.imports_reader import ContactsReader, RowsReader, reject
from core.repositories.rooms import Rooms, Store
from server.call import current_call, current_caller
from server.services.contact_chunks import ChunkWriter, Written
from server.wire import contact_imports as wire
from server.wire import names

CHUNK_ROWS: Final = 5000
_MOST_TRIES: Final = 4


class _Undo(Exception):
    """Takes back what a dry run wrote."""


class ContactImport:
    """Is one import; use it once. Memory holds one chunk of rows, one message, and eight to sixteen bytes a person."""

    def __init__(self, *, store: Store, clock: Clock, hash_key: bytes, default_region: str = "") -> None:
        """Takes where contacts are kept; ``default_region`` counts where the request names none."""
        self._store = store
        self._clock = clock
        self._default_region = default_region
        self._first = pb.ImportContactsRequest()
        self._writer = ChunkWriter(hash_key=hash_key)
        self._reader: ContactsReader | RowsReader = ContactsReader(ImportOptions())
        self._rows: list[ImportedRow] = []
        self._joined: set[UUID] = set()
        self._totals = Totals()

    async def run(self, requests: AsyncIterator[pb.ImportContactsRequest]) -> AsyncIterator[pb.ImportContactsResponse]:
        """Imports what comes, answers as it goes, and ends with the summary."""
        begun = False
        async for request in requests:
            if not begun:
                await self._begin(request)
                begun = True
            async for element in self._take(request):
                yield element
        async for element in self._finish():
            yield element
        yield await self._summary()

    async def _begin(self, first: pb.ImportContactsRequest) -> None:
        self._first = first
        options = wire.read_options(first, default_region=self._default_region)
        self._reader = RowsReader(options) if first.rows else ContactsReader(options)
        async with self._store.transaction() as rooms:
            await self._read_categories(rooms)
            if not first.dry_run:
                await _audit(rooms)

    async def _read_categories(self, rooms: Rooms) -> None:
        """Resource names have to exist; display names are created with the first chunk."""
        asked = list(self._first.categories)
        category_ids = tuple(names.parse_category(name) for name in asked if name.startswith("categories/"))
        missing = await rooms.categories.find_missing_categories(category_ids) if category_ids else []
        if missing:
            raise NotFound("CATEGORY_NOT_FOUND", "There is no such category.", category=names.category_name(missing[0]))
        display_names = tuple(tidy_name(name) for name in asked if not name.startswith("categories/"))
        self._writer = replace(
            self._writer, category_ids=category_ids, category_names=tuple(name for name in display_names if name)
        )

    async def _take(self, request: pb.ImportContactsRequest) -> AsyncIterator[pb.ImportContactsResponse]:
        # Reading is work for the processor: in a thread it does not hold up other calls.
        read = await asyncio.to_thread(self._read, request)
        self._totals += Totals(byte_count=len(request.body.data))
        async for element in self._sort(read, final=False):
            yield element

    def _read(self, request: pb.ImportContactsRequest) -> list[ImportedRow | Reject]:
        match self._reader:
            case ContactsReader() if not request.rows:
                return self._reader.feed(request.body.data)
            case RowsReader() if not request.HasField("body"):
                return self._reader.feed(request.rows)
        raise InvalidArgument("IMPORT_MIXED", "One import takes the bytes of a file or rows, not both.")

    async def _finish(self) -> AsyncIterator[pb.ImportContactsResponse]:
        read = await asyncio.to_thread(self._reader.finish)
        async for element in self._sort(read, final=True):
            yield element

    async def _sort(
        self, read: Sequence[ImportedRow | Reject], *, final: bool
    ) -> AsyncIterator[pb.ImportContactsResponse]:
        """Answers rejects and writes every full chunk, the last one also when it is not full."""
        for item in read:
            if isinstance(item, Reject):
                for element in self._refuse(item):
                    yield element
                continue
            self._rows.append(item)
            if len(self._rows) == CHUNK_ROWS:
                async for element in self._write():
                    yield element
        if final and self._rows:
            async for element in self._write():
                yield element

    def _refuse(self, refused: Reject) -> Iterator[pb.ImportContactsResponse]:
        self._totals += Totals(row_count=1, rejected_count=1)
        if not self._first.omit_rejects:
            yield wire.reject(refused)

    async def _write(self) -> AsyncIterator[pb.ImportContactsResponse]:
        """Writes the waiting rows in one transaction and answers the numbers so far."""
        chunk, self._rows = self._rows, []
        written = await self._write_chunk(chunk)
        for row in written.conflicts:
            for element in self._refuse(_conflict(row)):
                yield element
        self._count(len(chunk) - len(written.conflicts), written)
        yield wire.progress(self._totals)

    def _count(self, row_count: int, written: Written) -> None:
        created, updated = len(written.contacts.created), len(written.contacts.updated)
        self._joined |= written.category_ids
        self._totals += Totals(
            row_count=row_count,
            created_count=created,
            updated_count=updated,
            unchanged_count=row_count - created - updated,
        )

    async def _write_chunk(self, rows: Sequence[ImportedRow]) -> Written:
        for _ in range(_MOST_TRIES - 1):
            try:
                return await self._try_chunk(rows)
            except Conflict as conflict:
                if conflict.reason != TRANSACTION_CONFLICT:
                    raise
        return await self._try_chunk(rows)

    async def _try_chunk(self, rows: Sequence[ImportedRow]) -> Written:
        written = Written()
        with suppress(_Undo):
            async with self._store.transaction() as rooms:
                written = await self._writer.write(rooms, rows, at=self._clock.now())
                _keep(dry_run=self._first.dry_run)
        return written

    async def _summary(self) -> pb.ImportContactsResponse:
        columns = self._reader.columns
        async with self._store.connection() as rooms:
            # A dry run created categories and took them back.
            missing = await rooms.categories.find_missing_categories(sorted(self._joined))
        return wire.summary(
            self._totals,
            header=columns.header if columns else (),
            attribute_columns=columns.attribute_columns if columns else (),
            encoding=self._reader.encoding,
            delimiter=self._reader.delimiter,
            categories=sorted(self._joined.difference(missing)),
            dry_run=self._first.dry_run,
        )


def _keep(*, dry_run: bool) -> None:
    if dry_run:
        raise _Undo


def _conflict(row: ImportedRow) -> Reject:
    text = "The phone number and the WhatsApp user id belong to two different contacts."
    return reject(RowRefused(PERSON_CONFLICT, text, column="whatsapp_user_id"), line=row.line, cells=row.cells)


async def _audit(rooms: Rooms) -> None:
    call = current_call()
    await rooms.audit.add(
        api_key_id=current_caller().api_key_id, method=call.method, resource_name="", request_id=call.request_id
    )
