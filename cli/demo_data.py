"""The demo's CSV files, as spreadsheets export them: two encodings, two delimiters, numbers as people write them.

All numbers are from ranges that regulators keep free for fiction: 06 39 98 in France, 07700 900 in Britain.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FRENCH_SHARE = 9_000
BRITISH_SHARE = 1_000

# Last four digits on which the simulator acts something out: refusals, failures, a lost answer, shuffled receipts.
_ACTED_OUT = (9109, 9126, 9129, 9130, 9147, 9149, 9150, 9156, 9172, 9185, 9186, 9187, 9188, 9198)

_FIRST_NAMES = ("Ada", "Chloé", "Émile", "Ines", "Jürgen", "Léa", "Marta", "Noah", "Olga", "Paul", "Rosa", "Zoé")
_CITIES = ("Lille", "Paris", "Lyon", "Besançon", "Brûlon", "Strasbourg", "Toulon")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFile:
    """Describes one file that was written: what importing it should make of it."""

    path: Path
    category: str
    good_rows: int
    bad_rows: int


def write_files(folder: Path) -> tuple[DemoFile, DemoFile]:
    """Writes the two files into the folder; together they hold 10,000 different numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    return _write_customers(folder / "customers.csv"), _write_newsletter(folder / "newsletter.csv")


def _write_customers(path: Path) -> DemoFile:
    """Excel in France: Windows-1252, semicolons, CRLF, an empty line and two rows nobody can call."""
    rows = ["Prénom;Téléphone;Ville;Points\r\n"]
    rows += [f"{_name(n)};{_french(n, digits)};{_city(n)};{n % 500}\r\n" for n, digits in enumerate(_french_digits())]
    rows.insert(4_000, "\r\n")
    rows.insert(5_000, "Nobody;not a number;Paris;1\r\n")
    rows.insert(6_000, "Nobody;06 39;Paris;1\r\n")
    path.write_bytes("".join(rows).encode("windows-1252"))
    return DemoFile(path=path, category="Customers", good_rows=FRENCH_SHARE, bad_rows=2)


def _write_newsletter(path: Path) -> DemoFile:
    """A web tool's export: UTF-8 with a mark, commas, a quoted line break."""
    rows = ["first_name,phone,language,note\r\n"]
    rows += [f'{_name(n)},+44 7700 900 {n:03d},en,"joined at\r\nthe shop, no. {n}"\r\n' for n in range(BRITISH_SHARE)]
    path.write_bytes("".join(rows).encode("utf-8-sig"))
    return DemoFile(path=path, category="Newsletter", good_rows=BRITISH_SHARE, bad_rows=0)


def _french_digits() -> Iterator[int]:
    yield from range(FRENCH_SHARE - len(_ACTED_OUT))
    yield from _ACTED_OUT


def _french(number: int, digits: int) -> str:
    high, low = f"{digits:04d}"[:2], f"{digits:04d}"[2:]
    styles = (
        f"06 39 98 {high} {low}",
        f"06.39.98.{high}.{low}",
        f"+33 (0)6 39 98 {high} {low}",
        f"0033639 98{high}{low}",
        f"(06) 39-98-{high}-{low}",
    )
    return styles[number % len(styles)]


def _name(number: int) -> str:
    return _FIRST_NAMES[number % len(_FIRST_NAMES)]


def _city(number: int) -> str:
    return _CITIES[number % len(_CITIES)]
