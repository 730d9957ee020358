"""What the command prints: plain words, tables, and refusals with an exit code."""

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import NoReturn, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

P = ParamSpec("P")
R = TypeVar("R")

# For a program that reads on, each row is one line.
_PIPE_WIDTH = 1000

console = Console()
errors = Console(stderr=True)


def say(text: str) -> None:
    """Prints one line as it is; nothing is wrapped, so that paths and names can be copied."""
    console.print(text, highlight=False, soft_wrap=True)


def step(what: str) -> None:
    """Says which step is being taken."""
    say(f"[dim]·[/] {what}")


def fail(message: str, *, code: int = 1) -> NoReturn:
    """Prints why it did not work and ends with `code`."""
    errors.print(f"[bold red]chappe:[/] {escape(message)}", soft_wrap=True, highlight=False)
    raise typer.Exit(code)


def explaining(*expected: type[Exception]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Turns the expected errors of a command into one line on stderr and exit code 1."""

    def wrap(command: Callable[P, R]) -> Callable[P, R]:
        @wraps(command)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return command(*args, **kwargs)
            except expected as error:
                fail(str(error))

        return run

    return wrap


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints rows under bold column names, without a box."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for position, column in enumerate(columns):
        # What a row begins with names it: the next command wants it whole.
        table.add_column(column, no_wrap=position == 0, overflow="fold")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    paper = console if console.is_terminal else Console(width=_PIPE_WIDTH)
    paper.print(table, soft_wrap=True)
