"""stack: makes the code under gen/ and client/ from proto/, or checks that what is committed is fresh."""

import argparse
import sys
import tempfile
from pathlib import Path

from stack import contract, stubs

GENERATED_CLIENT = "client/chappe_client/generated"
COMMITTED = ("gen/chappe", "gen/chappe.binpb", GENERATED_CLIENT)
IGNORED = ("gen/buf",)


def main() -> int:
    """Generates the code, or with --check says what is stale."""
    parser = argparse.ArgumentParser(prog="python -m stack.generate", description="Makes the code of the contract.")
    parser.add_argument("--check", action="store_true", help="fail when committed code is stale; change none of it")
    parser.add_argument("--third-party-only", action="store_true", help="make only what git ignores")
    options = parser.parse_args()
    contract.fetch_third_party(contract.THIRD_PARTY)
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        contract.third_party_code(room / "gen")
        bring(room, IGNORED, into=contract.ROOT)
        if options.third_party_only:
            return 0
        make_committed(room)
        if options.check:
            return _report(stale(room, COMMITTED, against=contract.ROOT))
        bring(room, COMMITTED, into=contract.ROOT)
    return 0


def make_committed(room: Path) -> None:
    """Writes everything that is committed below room, laid out as in the checkout."""
    contract.server_code(room / "gen")
    contract.descriptor_set(room / "gen" / "chappe.binpb")
    contract.client_messages(room / GENERATED_CLIENT)
    commented = room / "commented.binpb"
    contract.descriptor_set(commented, comments=True)
    stubs.write(descriptors=commented.read_bytes(), target=room / GENERATED_CLIENT)


def bring(room: Path, roots: tuple[str, ...], *, into: Path) -> None:
    """Makes the roots in a checkout equal to those in room; what is equal already is not touched."""
    made = _files(room, roots)
    for name in stale(room, roots, against=into):
        target = into / name
        if name in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((room / name).read_bytes())
        else:
            target.unlink()


def stale(room: Path, roots: tuple[str, ...], *, against: Path) -> list[str]:
    """Lists the files that differ, are missing or are too many in a checkout."""
    names = _files(room, roots) | _files(against, roots)
    return sorted(name for name in names if _bytes(room / name) != _bytes(against / name))


def _files(base: Path, roots: tuple[str, ...]) -> set[str]:
    found = [path for root in roots for path in ((base / root), *(base / root).rglob("*"))]
    return {str(path.relative_to(base)) for path in found if path.is_file() and "__pycache__" not in path.parts}


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _report(names: list[str]) -> int:
    for name in names:
        print(f"stale: {name}", file=sys.stderr)
    if names:
        print("Run python -m stack.generate and commit what it makes.", file=sys.stderr)
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main())
