"""Contacts from the command line: import, export, list."""

import csv
import os
import sys
from pathlib import Path
from typing import IO, Annotated

import typer
from chappe_client import Chappe, v1
from chappe_client.imports import ImportOptions
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

from cli.connection import call
from cli.output import console, errors, fail, print_table, say
from cli.words import counted

_REJECT_COLUMNS = ("reject_line", "reject_column", "reject_reason")

app = typer.Typer(help="Import, export and look at contacts.", no_args_is_help=True)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A CSV file, as spreadsheets export it.", exists=True, dir_okay=False)],
    category: Annotated[
        list[str] | None, typer.Option(help="Put all into this category; repeatable; made when new.")
    ] = None,
    region: Annotated[str, typer.Option(help="Country of numbers written without +, such as FR.")] = "",
    rejects: Annotated[Path | None, typer.Option(help="Where rejected rows go; default: beside the file.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check, change nothing.")] = False,
) -> None:
    """Import contacts from a CSV file; rejected rows go to a file that can be mended and imported again."""
    target = rejects or file.with_suffix(".rejects.csv")
    if not os.access(target if target.exists() else target.parent, os.W_OK) or target.is_dir():
        fail(f"rejected rows could not be written to {target}; name another file with --rejects.")
    options = ImportOptions(categories=category or [], default_region=region.upper(), dry_run=dry_run)
    summary = call(lambda client: import_with_progress(client, file, options, target))
    print_summary(summary, target)
    if summary.totals and summary.totals.rejected_count:
        raise typer.Exit(3)


async def import_with_progress(
    client: Chappe, file: Path, options: ImportOptions, rejects: Path
) -> v1.ImportContactsResponseSummary:
    """Streams a file in and shows how far it is; returns the totals. Raises Incomplete when the stream breaks."""
    summary = v1.ImportContactsResponseSummary()
    with RejectsFile(rejects) as rejected, Progress(*_columns(), console=console, transient=True) as progress:
        bar = progress.add_task(f"Importing {file.name}", total=file.stat().st_size, rows="")  # noqa: ASYNC240 - a stat
        async for element in client.import_contacts(file, options):
            if element.reject is not None:
                rejected.add(element.reject)
            elif element.progress is not None:
                rows = counted(element.progress.row_count, "row")
                progress.update(bar, completed=element.progress.byte_count, rows=rows)
            elif element.summary is not None:
                summary = element.summary
        rejected.finish(summary)
    return summary


def _columns() -> tuple[ProgressColumn, ...]:
    return (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        TextColumn("{task.fields[rows]}"), TimeRemainingColumn(),
    )  # fmt: skip


def print_summary(summary: v1.ImportContactsResponseSummary, rejects: Path) -> None:
    """Prints what an import did."""
    totals = summary.totals or v1.ImportContactsResponseTotals()
    say(
        f"{counted(totals.row_count, 'row')}: {totals.created_count:,} created, {totals.updated_count:,} updated,"
        f" {totals.unchanged_count:,} unchanged, {totals.rejected_count:,} rejected"
        f" ({summary.encoding}, {summary.delimiter!r})",
    )
    if totals.rejected_count:
        say(f"Rejected rows, with reasons: {escape(str(rejects))}")


class RejectsFile:
    """Writes rejected rows to a CSV that has the columns of the original and three more; no row, no file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rejects: list[v1.ImportContactsResponseReject] = []
        self._header: list[str] = []

    def __enter__(self) -> "RejectsFile":
        return self

    def add(self, reject: v1.ImportContactsResponseReject) -> None:
        """Keeps one rejected row."""
        self._rejects.append(reject)

    def finish(self, summary: v1.ImportContactsResponseSummary) -> None:
        """Learns the file's own header, which comes with the summary."""
        self._header = list(summary.header)

    def __exit__(self, *_: object) -> None:
        """Writes the file."""
        if not self._rejects:
            return
        with self._path.open("w", encoding="utf-8-sig", newline="") as stream:
            self._write(stream)

    def _write(self, stream: IO[str]) -> None:
        writer = csv.writer(stream)
        # A mended file has our columns already; they are written anew, not twice.
        kept = [position for position, name in enumerate(self._header) if name not in _REJECT_COLUMNS]
        writer.writerow([*(self._header[position] for position in kept), *_REJECT_COLUMNS])
        for reject in self._rejects:
            cells = [*reject.cells, *[""] * len(self._header)]
            own = (cells[position] for position in kept)
            writer.writerow([*own, reject.line, reject.column, reject.description])


@app.command("export")
def export(
    category: Annotated[str, typer.Option(help="Only this category (categories/…).")] = "",
) -> None:
    """Write all contacts to standard output as CSV."""
    count = call(lambda client: _export(client, category))
    errors.print(counted(count, "contact"), highlight=False)


async def _export(client: Chappe, category: str) -> int:
    writer = csv.writer(sys.stdout)
    writer.writerow(("name", "phone_number", "display_name", "language_code", "marketing_consent", "whatsapp_state"))
    request = v1.ExportContactsRequest(filter=v1.ContactFilter(category=category))
    written = 0
    async for contact in client.export_contacts(request):
        written += 1
        writer.writerow((contact.name, contact.phone_number, contact.display_name, contact.language_code,
                         contact.marketing_consent.name, contact.whatsapp_state.name))  # fmt: skip
    return written


@app.command("list")
def show(
    category: Annotated[str, typer.Option(help="Only this category (categories/…).")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
) -> None:
    """List contacts, oldest first."""
    request = v1.ListContactsRequest(page_size=limit, filter=v1.ContactFilter(category=category))
    reply = call(lambda client: client.contacts.list_contacts(request))
    rows = [
        (c.name, c.phone_number, c.display_name, c.marketing_consent.name, c.whatsapp_state.name)
        for c in reply.contacts
    ]
    print_table(("name", "number", "called", "consent", "on WhatsApp"), rows)
