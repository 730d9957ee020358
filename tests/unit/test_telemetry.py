"""The logs: one JSON object a line, nobody's number in it."""

import json
import logging
import sys

import pytest

from core.telemetry import JsonFormatter, mask, request


def _line(message: str, *arguments: object, **extra: object) -> dict[str, object]:
    record = logging.makeLogRecord({"name": "chappe", "levelname": "INFO", "msg": message, "args": arguments, **extra})
    found: dict[str, object] = json.loads(JsonFormatter(service="api").format(record))
    return found


def test_a_line_says_when_who_and_what() -> None:
    line = _line("started %s", "well", port=7)
    assert line["time"]
    assert (line["service"], line["level"], line["message"], line["port"]) == ("api", "INFO", "started well", 7)


def test_lines_of_one_request_carry_its_id() -> None:
    with request("r-1"):
        assert _line("inside")["request_id"] == "r-1"
    assert "request_id" not in _line("outside")


@pytest.mark.parametrize(
    "private", ["+33612345678", "33612345678", "to:+1 now +14155550100!", "wamid.HBgLMzM2MTIzNDU2NzgVAgASGBQ="]
)
def test_no_number_and_no_message_id_of_whatsapp_is_logged(private: str) -> None:
    line = _line("sent to %s", private, target=private, nested={"list": [private]})
    written = json.dumps(line)
    assert "12345678" not in written
    assert "4155550100" not in written
    assert "HBgL" not in written


@pytest.mark.parametrize(
    "harmless",
    ["01943e5c-7b7e-7c30-9f2a-123456789012", "127.0.0.1:50051", "2026-11-23T19:28:12.105+00:00", "took 123456 us"],
)
def test_ids_of_ours_times_and_figures_stay(harmless: str) -> None:
    assert mask(harmless) == harmless


def test_a_traceback_is_masked_too() -> None:
    try:
        int("no number: +33612345678")
    except ValueError:
        line = _line("failed", exc_info=sys.exc_info())
    assert "ValueError" in str(line["exception"])
    assert "612345678" not in str(line["exception"])
