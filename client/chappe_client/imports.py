"""client: cuts a file or a stream of bytes into the messages of an import."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from chappe_client.generated.chappe import v1
from chappe_client.generated.google.api import HttpBody
from chappe_client.retries import new_request_id

CHUNK = 256 * 1024
CSV = "text/csv"
IMPORT_UNFINISHED = "The import ended without a summary."

Source = Path | str | bytes | Iterable[bytes]
AsyncSource = Source | AsyncIterable[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """Says how to read a file of contacts; see ImportContactsRequest for each."""

    categories: Sequence[str] = ()
    default_region: str = ""
    delimiter: str = ""
    encoding: str = ""
    marketing_consent: v1.ContactMarketingConsent = v1.ContactMarketingConsent.UNSPECIFIED
    dry_run: bool = False
    omit_rejects: bool = False

    def first(self, chunk: bytes) -> v1.ImportContactsRequest:
        """Returns the message that begins the import."""
        return v1.ImportContactsRequest(
            body=HttpBody(content_type=CSV, data=chunk),
            categories=list(self.categories),
            default_region=self.default_region,
            delimiter=self.delimiter,
            encoding=self.encoding,
            marketing_consent=self.marketing_consent,
            dry_run=self.dry_run,
            omit_rejects=self.omit_rejects,
            request_id=new_request_id(),
        )


def requests(source: Source, options: ImportOptions) -> Iterator[v1.ImportContactsRequest]:
    """Yields the messages of an import, at least one."""
    begun = False
    for chunk in _chunks(source):
        yield _later(chunk) if begun else options.first(chunk)
        begun = True
    if not begun:
        yield options.first(b"")


async def async_requests(source: AsyncSource, options: ImportOptions) -> AsyncIterator[v1.ImportContactsRequest]:
    """Yields the messages of an import, at least one; files are read beside the event loop."""
    begun = False
    async for chunk in _async_chunks(source):
        yield _later(chunk) if begun else options.first(chunk)
        begun = True
    if not begun:
        yield options.first(b"")


def _later(chunk: bytes) -> v1.ImportContactsRequest:
    return v1.ImportContactsRequest(body=HttpBody(data=chunk))


def _chunks(source: Source) -> Iterator[bytes]:
    if isinstance(source, Path | str):
        with Path(source).open("rb") as file:
            yield from iter(lambda: file.read(CHUNK), b"")
    else:
        for piece in [source] if isinstance(source, bytes) else source:
            yield from (piece[at : at + CHUNK] for at in range(0, len(piece), CHUNK))


async def _async_chunks(source: AsyncSource) -> AsyncIterator[bytes]:
    if isinstance(source, AsyncIterable):
        async for piece in source:
            for chunk in _chunks(piece):
                yield chunk
        return
    chunks = _chunks(source)
    while chunk := await asyncio.to_thread(next, chunks, b""):
        yield chunk
