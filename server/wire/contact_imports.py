"""Imports of contacts in the words of the contract, both ways."""

from collections.abc import Sequence
from uuid import UUID

from chappe.v1 import contacts_import_pb2 as pb

from core.domain.imports import ImportOptions, Reject, Totals
from server.wire import names
from server.wire.contacts import read_consent


def read_options(first: pb.ImportContactsRequest, *, default_region: str) -> ImportOptions:
    """Reads how a file is to be read; ``default_region`` counts where the request names none."""
    return ImportOptions(
        default_region=first.default_region or default_region,
        delimiter=first.delimiter,
        encoding=first.encoding,
        consent=read_consent(first.marketing_consent),
    )


def totals(counted: Totals) -> pb.ImportContactsResponse.Totals:
    """Writes the numbers of an import."""
    return pb.ImportContactsResponse.Totals(
        row_count=counted.row_count,
        created_count=counted.created_count,
        updated_count=counted.updated_count,
        unchanged_count=counted.unchanged_count,
        rejected_count=counted.rejected_count,
        byte_count=counted.byte_count,
    )


def progress(counted: Totals) -> pb.ImportContactsResponse:
    """Writes the numbers so far."""
    return pb.ImportContactsResponse(progress=totals(counted))


def reject(refused: Reject) -> pb.ImportContactsResponse:
    """Writes one rejected row."""
    return pb.ImportContactsResponse(
        reject=pb.ImportContactsResponse.Reject(
            line=refused.line,
            column=refused.column,
            reason=refused.reason,
            description=refused.description,
            cells=refused.cells,
        )
    )


def summary(
    counted: Totals,
    *,
    header: Sequence[str] = (),
    attribute_columns: Sequence[str] = (),
    encoding: str = "",
    delimiter: str = "",
    categories: Sequence[UUID] = (),
    dry_run: bool = False,
) -> pb.ImportContactsResponse:
    """Writes the end of an import."""
    return pb.ImportContactsResponse(
        summary=pb.ImportContactsResponse.Summary(
            totals=totals(counted),
            header=header,
            attribute_columns=attribute_columns,
            encoding=encoding,
            delimiter=delimiter,
            categories=[names.category_name(category_id) for category_id in categories],
            dry_run=dry_run,
        )
    )
