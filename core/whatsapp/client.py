"""One message to the Cloud API: the call, and what its answer means."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from core.domain.outcomes import Accepted, ErrorClass, NotSent, Outcome, Refused, Unknown, Verdict
from core.whatsapp.errors import verdict, verdict_without_code
from core.whatsapp.http import Answer, AnswerLostError, Http, NeverLeftError
from core.whatsapp.waits import regain, retry_after

# Taken, but kept back: what becomes of it only a receipt tells.
_HELD = ("held_for_quality_assessment", "paused")
_RETRY_SECONDS = 5.0
_OK = range(200, 300)
_WRITTEN_CODE = re.compile(r"\s*[0-9]{1,10}\s*")
# What the column can hold; no code of the Cloud API is near it.
_CODES = 2**31
# PostgreSQL stores neither.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


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
            answer = await self._http.post(url, token=token, body=orjson.dumps(payload))
        except NeverLeftError as error:
            return NotSent(reason=str(error), delay=_RETRY_SECONDS)
        except AnswerLostError as error:
            return Unknown(reason=str(error))
        return read_answer(answer)


def read_answer(answer: Answer) -> Outcome:
    """Returns what an answer means; what cannot be read is Unknown, since the message may have been taken.

    A message's id outweighs all else: WhatsApp gives none to what it refuses.
    """
    try:
        told = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        told = None
    told = told if isinstance(told, dict) else {}
    messages = told.get("messages")
    if answer.status in _OK and isinstance(messages, list) and messages and isinstance(messages[0], dict):
        return _read_message(messages[0])
    error = told.get("error")
    error = error if isinstance(error, dict) else {}
    code = _code(error.get("code"))
    return _without_code(answer) if code is None else _refused(answer, code, error)


def _read_message(message: Mapping[str, Any]) -> Outcome:
    wamid = _text(message.get("id"))
    if not wamid:
        return Unknown(reason="an answer without the message's id")
    return Accepted(whatsapp_message_id=wamid, held=message.get("message_status") in _HELD)


def _code(told: object) -> int | None:
    """Returns a code, also one written as a text or with a point; None for what is no code."""
    if isinstance(told, str) and _WRITTEN_CODE.fullmatch(told):
        told = int(told)
    if isinstance(told, float) and told.is_integer():
        told = int(told)
    if not isinstance(told, int) or isinstance(told, bool):
        return None
    return told if 0 <= told < _CODES else None


def _refused(answer: Answer, code: int, error: Mapping[str, Any]) -> Refused:
    data = error.get("error_data")
    details = data.get("details", "") if isinstance(data, dict) else data
    found = verdict(code)
    return Refused(
        verdict=found,
        code=code,
        title=_title(error),
        details=_text(details),
        wait=_wait(answer, found),
    )


def _wait(answer: Answer, found: Verdict) -> float:
    """Returns how long WhatsApp asks us to wait; the usage header counts calls, so only a throttle heeds it."""
    throttled = found.error_class is ErrorClass.THROTTLE
    return max(retry_after(answer.headers), regain(answer.headers) if throttled else 0.0)


def _title(error: Mapping[str, Any]) -> str:
    text = _text(str(error.get("error_user_title") or error.get("message") or ""))
    # "(#130429) Rate limit hit": the code stands beside the title already.
    return text.split(") ", 1)[-1] if text.startswith("(#") else text


def _text(told: object) -> str:
    """Returns a text as it can be stored; empty for what is no text."""
    return _UNSTORABLE.sub("", told) if isinstance(told, str) else ""


def _without_code(answer: Answer) -> Outcome:
    meaning = verdict_without_code(answer.status)
    if meaning.delays:
        return Refused(verdict=meaning, code=0, title=meaning.words, wait=_wait(answer, meaning))
    return Unknown(reason=f"HTTP {answer.status} without a word of the Cloud API")
