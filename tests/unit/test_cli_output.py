"""What the command prints, as a program reads it."""

import pytest
from chappe_client import v1

from cli.campaigns import print_retry
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


def test_a_retry_says_of_all_that_it_left_why(capsys: pytest.CaptureFixture[str]) -> None:
    print_retry(v1.RetryFailedMessagesResponse(message_count=1, too_early_count=2, may_arrive_count=1200))
    sent, too_early, may_arrive = capsys.readouterr().out.splitlines()
    assert sent == "1 message will be sent again."
    assert too_early.startswith("  left: 2; it is too early")
    assert may_arrive.startswith("  left for a day: 1,200; an earlier attempt")
