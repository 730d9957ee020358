"""The promise about sizes: small functions in small files."""

from statistics import median, quantiles

from core.queries import parse
from tests.house.sources import ROOT, functions, python_files, relative

LONGEST_FILE = 400
LONGEST_FUNCTION = 45
LONGEST_STATEMENT = 50


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    written = [path for path in ROOT.glob("**/*") if path.suffix in {".py", ".sql", ".proto", ".lua"}]
    ours = [path for path in written if _is_ours(relative(path))]
    long = {relative(path): lines for path in ours if (lines := len(path.read_text().splitlines())) > LONGEST_FILE}
    assert not long


def test_functions_are_small() -> None:
    sizes = {f"{relative(path)}:{name}": size for path in python_files() for name, size in functions(path)}
    lengths = sorted(sizes.values())
    too_long = {name: size for name, size in sizes.items() if size > LONGEST_FUNCTION}
    assert not too_long
    assert median(lengths) <= 9
    assert quantiles(lengths, n=20)[-1] <= 30


def test_statements_are_short_enough_to_read() -> None:
    long = {
        f"{path.name}:{name}": len(text.splitlines())
        for path in sorted((ROOT / "sql/queries").glob("*.sql"))
        for name, text in parse(path.read_text()).items()
        if len(text.splitlines()) > LONGEST_STATEMENT
    }
    assert not long


def _is_ours(name: str) -> bool:
    foreign = (".venv/", ".chappe/", "third_party/", "gen/", "client/chappe_client/generated", "sql/schema.sql")
    return not name.startswith(foreign)
