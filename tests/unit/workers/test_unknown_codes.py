"""Of a code that the error table does not have the log warns once; of those it has, never."""

import pytest

from core.whatsapp.errors import verdict
from workers.unknown_codes import UnknownCodes


def test_each_new_code_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    codes = UnknownCodes()
    for code in (132999, 131026, 132999, 555555, 0, 132999):
        codes.heed(code, verdict(code))
    assert [record.__dict__["code"] for record in caplog.records] == [132999, 555555]
    assert {record.levelname for record in caplog.records} == {"WARNING"}
