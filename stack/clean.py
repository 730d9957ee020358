"""Removes the data a stack keeps in this checkout, also what root's PostgreSQL keeps elsewhere."""

from stack import homes
from stack.lock import locked
from stack.programs import ROOT

DIRECTORY = ROOT / ".chappe"


def main() -> None:
    """Removes it, unless a stack is running there."""
    if DIRECTORY.is_dir():
        with locked(DIRECTORY):
            homes.remove(DIRECTORY)


if __name__ == "__main__":
    main()
