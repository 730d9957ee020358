"""The flags, their variables, and what `--help` says of them."""

import re
from pathlib import Path

import pytest

from simulator.__main__ import main
from simulator.command_line import parser
from simulator.profiles import PROFILES

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "simulator.md").read_text(encoding="utf-8")
FLAGS = {
    *("--host", "--port", "--port-file", "--webhook-url", "--profile", "--set", "--scenario", "--seed-file", "--seed"),
    *("--run-id", "--time-factor", "--start-time", "--app-secret", "--verify-token", "--access-token", "--verbose"),
}


def _help(capsys: pytest.CaptureFixture[str], program: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["--help"], program=program)
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("program", ["chappe simulator", "python -m simulator"])
def test_the_help_names_every_flag_every_profile_and_the_page(capsys: pytest.CaptureFixture[str], program: str) -> None:
    text = _help(capsys, program)
    assert text.startswith(f"usage: {program} ")
    assert set(re.findall(r"--[a-z-]+", text)) == FLAGS | {"--help"}
    assert [name for name in PROFILES if f"\n  {name} " not in text] == []
    assert f"{program} --profile fast --webhook-url" in text
    assert "docs/simulator.md" in text


def test_the_help_never_shows_a_secret_of_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("APP_SECRET", "VERIFY_TOKEN", "ACCESS_TOKEN"):
        monkeypatch.setenv(f"SIMULATOR_{name}", "the-hidden-one")
    assert "the-hidden-one" not in _help(capsys, "simulator")


def test_what_the_help_sends_is_what_the_built_in_accounts_have(capsys: pytest.CaptureFixture[str]) -> None:
    number, port = re.findall(r"http://127.0.0.1:(\d+)/v25.0/(\d+)/messages", _help(capsys, "simulator"))[0][::-1]
    assert (number, port) == ("100000000000002", "8300")
    assert f"/v25.0/{number}/messages" in PAGE


def test_a_flag_goes_before_its_variable_and_that_before_the_default() -> None:
    variables = {"SIMULATOR_PORT": "81", "SIMULATOR_TIME_FACTOR": "60", "SIMULATOR_WEBHOOK_URL": "http://a/"}
    given = parser(variables, program="simulator").parse_args(["--port", "82"])
    assert (given.port, given.time_factor, given.webhook_url, given.seed) == (82, 60.0, "http://a/", 1)
