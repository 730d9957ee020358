"""What the command prints, as a program reads it."""

import pytest

from cli.output import print_table

NAME = "senders/01a20a24-c098-769a-ba7c-55314874bc7c"


def test_in_a_pipe_each_row_is_one_line_and_names_are_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    print_table(("name", "called"), [(NAME, "a long name " * 10), (NAME, "")])
    _, first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(NAME)
    assert second.strip() == NAME
