"""The cells of one row into a contact, or the reason why not."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

from core.domain import categories, contacts
from core.domain.contacts import MarketingConsent
from core.domain.errors import InvalidArgument
from core.domain.imports import ImportedRow, ImportOptions, RowRefused
from core.domain.imports_columns import Columns
from core.domain.imports_text import DAMAGED
from core.domain.phone import parse_phone

MOST_CATEGORIES: Final = 50
_YES: Final = frozenset(
    {"yes", "y", "true", "t", "1", "x", "oui", "o", "vrai", "si", "sí", "ja", "sim", "opted_in", "opt_in", "opted in",
     "subscribed", "granted", "da", "да", "✓", "✔"}
)  # fmt: skip
_NO: Final = frozenset(
    {"no", "n", "false", "f", "0", "non", "faux", "nein", "não", "nao", "nee", "opted_out", "opt_out", "opted out",
     "unsubscribed", "denied", "stop", "нет"}
)  # fmt: skip
_UNKNOWN: Final = frozenset({"unknown", "?", "-", "n/a", "na", "null", "none"})
_SURE_SEPARATORS: Final = re.compile(r"[;|\n]")


class Remote(Protocol):
    """A row that a caller has already taken apart."""

    phone_number: str
    whatsapp_user_id: str
    display_name: str
    language_code: str
    time_zone: str

    @property
    def attributes(self) -> Mapping[str, str]:
        """What else is known."""
        ...

    @property
    def categories(self) -> Sequence[str]:
        """Display names of categories."""
        ...


class Rows:
    """Turns cells into contacts, by the columns of one file."""

    def __init__(self, columns: Columns, options: ImportOptions) -> None:
        self._columns = columns
        self._options = options
        self._width = len(columns.header)

    def read(self, cells: list[str], *, line: int) -> ImportedRow:
        """Reads one row; refuses it with ``RowRefused``."""
        self._check_cells(cells)
        values = [cell.strip() for cell in cells] + [""] * (self._width - len(cells))
        named = {field: values[position] for field, position in self._columns.fields.items()}
        return read_row(
            named | {"display_name": _name(named)},
            attributes={key: values[position] for position, key in self._columns.attributes if values[position]},
            category_names=_split_categories(named.get("categories", "")),
            options=self._options,
            line=line,
            cells=tuple(cells),
            header=self._header_of,
        )

    def is_too_wide(self, cells: list[str]) -> bool:
        """Tells whether there is more in the row than the header has columns for."""
        return len(cells) > self._width and any(cell.strip() for cell in cells[self._width :])

    def _check_cells(self, cells: list[str]) -> None:
        if self.is_too_wide(cells):
            text = f"The row has more than the header's {self._width} columns; quote cells that hold the delimiter."
            raise RowRefused("ROW_TOO_LONG", text)
        for position, cell in enumerate(cells):
            if DAMAGED in cell or "\0" in cell:
                text = "The cell holds a character that could not be read; save the file as UTF-8."
                raise RowRefused("CHARACTER_INVALID", text, column=self._columns.header[min(position, self._width - 1)])

    def _header_of(self, field: str) -> str:
        position = self._columns.fields.get(field)
        if position is None:
            position = next((at for at, key in self._columns.attributes if key == field), None)
        return field if position is None else self._columns.header[position]


def read_remote(row: Remote, *, options: ImportOptions, line: int) -> ImportedRow:
    """Reads a row that a caller has taken apart; refuses it with ``RowRefused``."""
    named = {
        field: " ".join(getattr(row, field).split()) if field == "display_name" else getattr(row, field).strip()
        for field in ("phone_number", "whatsapp_user_id", "display_name", "language_code", "time_zone")
    }
    values = [*named.values(), *row.attributes, *row.attributes.values(), *row.categories]
    if any("\0" in value for value in values):
        raise RowRefused("CHARACTER_INVALID", "The row holds a NUL character.")
    return read_row(
        named,
        attributes={key: value for key, value in row.attributes.items() if value},
        category_names=row.categories,
        options=options,
        line=line,
        cells=tuple(named.values()),
        header=str,
    )


class _HeaderOf(Protocol):
    def __call__(self, field: str, /) -> str: ...


def read_row(
    named: Mapping[str, str],
    *,
    attributes: Mapping[str, str],
    category_names: Iterable[str],
    options: ImportOptions,
    line: int,
    cells: tuple[str, ...],
    header: _HeaderOf,
) -> ImportedRow:
    """Checks the values of one row; ``header`` returns what the file calls a field."""
    try:
        _check_lengths(named, attributes)
        return ImportedRow(
            line=line,
            phone_number=_phone(named, options.default_region),
            whatsapp_user_id=named.get("whatsapp_user_id") or None,
            display_name=named["display_name"],
            language_code=_language(named.get("language_code", "")),
            time_zone=named.get("time_zone", ""),
            attributes=attributes,
            categories=tuple(_tidy_categories(category_names)),
            consent=_consent(named, options.consent),
            cells=cells,
        )
    except RowRefused as refused:
        raise RowRefused(refused.reason, refused.message, column=header(refused.column)) from None


def _phone(named: Mapping[str, str], region: str) -> str | None:
    text = named.get("phone_number", "")
    if not text and named.get("whatsapp_user_id"):
        return None
    try:
        return parse_phone(text, region or None)
    except InvalidArgument as refusal:
        raise RowRefused(refusal.reason, refusal.message, column="phone_number") from None


def _name(named: Mapping[str, str]) -> str:
    """The name column; where first and last name stand apart, a column just called name may be either's other half."""
    first, last = named.get("first_name", ""), named.get("last_name", "")
    name = named.get("display_name", "")
    if not name or (first and not last and " " not in name and first.casefold() not in name.casefold()):
        name = f"{first} {last or name}"
    return " ".join(name.split())


def _language(text: str) -> str:
    if not text:
        return ""
    if len(text) > contacts.LONGEST_LANGUAGE_CODE or contacts.LANGUAGE_CODE.fullmatch(text) is None:
        refusal = "This is no language code; write it like fr or pt_BR."
        raise RowRefused("LANGUAGE_CODE_INVALID", refusal, column="language_code")
    return text


_LIMITS: Final = (
    ("display_name", contacts.LONGEST_NAME),
    ("time_zone", contacts.LONGEST_TIME_ZONE),
    ("whatsapp_user_id", contacts.LONGEST_USER_ID),
)


def _check_lengths(named: Mapping[str, str], attributes: Mapping[str, str]) -> None:
    for field, most in _LIMITS:
        if len(named.get(field, "")) > most:
            raise RowRefused("VALUE_TOO_LONG", f"The value is longer than {most} characters.", column=field)
    for key, value in attributes.items():
        if len(value) > contacts.LONGEST_VALUE:
            text = f"The value is longer than {contacts.LONGEST_VALUE} characters."
            raise RowRefused("VALUE_TOO_LONG", text, column=key)


def _consent(named: Mapping[str, str], default: MarketingConsent) -> MarketingConsent:
    """A cell that says no wins over one that says yes; the import's own consent counts where no cell tells."""
    agreed = _answer(named.get("opt_in", ""), column="opt_in")
    refused = _answer(named.get("opt_out", ""), column="opt_out")
    if refused or agreed is False:
        return MarketingConsent.OPTED_OUT
    return MarketingConsent.OPTED_IN if agreed else default


def _answer(text: str, *, column: str) -> bool | None:
    word = text.casefold()
    if not word or word in _UNKNOWN:
        return None
    if word in _YES or word in _NO:
        return word in _YES
    # An unread "no" would be marketing to somebody who refused it.
    raise RowRefused("CONSENT_INVALID", "The consent is neither yes nor no; write yes or no.", column=column)


def _split_categories(text: str) -> list[str]:
    """Names may hold a comma, so commas divide only where nothing surer does."""
    return _SURE_SEPARATORS.split(text) if _SURE_SEPARATORS.search(text) else text.split(",")


def _tidy_categories(names: Iterable[str]) -> Iterator[str]:
    tidied = dict.fromkeys(filter(None, (categories.tidy_name(name) for name in names)))
    if len(tidied) > MOST_CATEGORIES:
        text = f"The row names more than {MOST_CATEGORIES} categories."
        raise RowRefused("VALUE_TOO_LONG", text, column="categories")
    for name in tidied:
        if len(name) > categories.LONGEST_NAME:
            text = f"A category's name is longer than {categories.LONGEST_NAME} characters."
            raise RowRefused("VALUE_TOO_LONG", text, column="categories")
        yield name
