"""One message to the Cloud API: the call, and what its answer means."""

from collections.abc import Mapping
from typing import Any

import orjson

from core.domain.outcomes import Accepted, NotSent, Outcome, Refused, Unknown
from core.whatsapp.errors import verdict, verdict_without_code
from core.whatsapp.http import AnswerLostError, Http, NeverLeftError

_HELD = "held_for_quality_assessment"
_RETRY_SECONDS = 5.0
_OK = 200
# What the column can hold; no code of the Cloud API is near it.
_CODES = 2**31


class WhatsAppClient:
    """Sends messages; knows nothing of rows, pace or campaigns."""

    def __init__(self, *, http: Http, base_url: str, api_version: str) -> None:
        """Takes an open HTTP pool and where the Cloud API answers."""
        self._http = http
        self._root = f"{base_url.rstrip('/')}/{api_version}"

    async def send(self, *, phone_number_id: str, token: str, payload: Mapping[str, Any]) -> Outcome:
        """Sends one message; never raises for what the network or WhatsApp does."""
        url = f"{self._root}/{phone_number_id}/messages"
        try:
            status, body = await self._http.post(url, token=token, body=orjson.dumps(payload))
        except NeverLeftError as error:
            return NotSent(reason=str(error), delay=_RETRY_SECONDS)
        except AnswerLostError as error:
            return Unknown(reason=str(error))
        return read_answer(status, body)


def read_answer(status: int, body: bytes) -> Outcome:
    """Returns what an answer means; what cannot be read is Unknown, since the message may have been taken."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = None
    answer = answer if isinstance(answer, dict) else {}
    if isinstance(answer.get("error"), dict):
        return _read_error(status, answer["error"])
    messages = answer.get("messages")
    if status == _OK and isinstance(messages, list) and messages and isinstance(messages[0], dict):
        return _read_message(messages[0])
    return _without_code(status)


def _read_message(message: Mapping[str, Any]) -> Outcome:
    wamid = message.get("id")
    if not isinstance(wamid, str) or not wamid:
        return Unknown(reason="an answer without the message's id")
    return Accepted(whatsapp_message_id=wamid, held=message.get("message_status") == _HELD)


def _read_error(status: int, error: Mapping[str, Any]) -> Outcome:
    code = error.get("code")
    if not isinstance(code, int) or isinstance(code, bool) or not 0 <= code < _CODES:
        return _without_code(status)
    data = error.get("error_data")
    details = data.get("details", "") if isinstance(data, dict) else data
    return Refused(
        verdict=verdict(code),
        code=code,
        title=_title(error),
        details=details if isinstance(details, str) else "",
    )


def _title(error: Mapping[str, Any]) -> str:
    text = str(error.get("error_user_title") or error.get("message") or "")
    # PostgreSQL keeps no NUL; "(#130429) Rate limit hit": the code stands beside the title already.
    text = text.replace("\0", "")
    return text.split(") ", 1)[-1] if text.startswith("(#") else text


def _without_code(status: int) -> Outcome:
    meaning = verdict_without_code(status)
    if meaning.delays:
        return Refused(verdict=meaning, code=0, title=meaning.words)
    return Unknown(reason=f"HTTP {status} without a word of the Cloud API")
