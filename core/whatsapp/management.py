"""What the Cloud API says about our accounts: their templates and their numbers; reads alone, one token a call."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import orjson

from core.domain.errors import LimitReached, NotFound, Refusal, Unavailable, WrongState
from core.domain.senders import Quality, SenderInfo, ThroughputLevel
from core.domain.templates import ListedTemplate, TemplateCategory, TemplateState
from core.whatsapp.http import Answer, AnswerLostError, Http, NeverLeftError
from core.whatsapp.waits import regain

_NUMBER_FIELDS = (
    "id,display_phone_number,verified_name,quality_rating,throughput,whatsapp_business_manager_messaging_limit"
)
_TEMPLATE_FIELDS = "id,name,language,status,category,components,parameter_format,quality_score,rejected_reason"
_PAGE_SIZE = "100"
_MOST_PAGES = 1000
_OK = 200
_TOO_MANY = 429
_TOKEN_CODES = frozenset({0, 190})
_PERMISSION_CODES = frozenset({3, 10, *range(200, 300)})
_LIMIT_CODES = frozenset({4, 613, 80007, 80008})
_UNKNOWN_OBJECT_CODES = frozenset({33, 100})
_LIMIT_SECONDS = 300.0

E = TypeVar("E", bound=StrEnum)


class ManagementClient:
    """Reads templates and numbers; takes what it does not know as unknown instead of failing."""

    def __init__(self, *, http: Http, base_url: str, api_version: str) -> None:
        """Takes an open HTTP pool and where the Cloud API answers."""
        self._http = http
        self._root = f"{base_url.rstrip('/')}/{api_version}"

    async def list_templates(self, *, whatsapp_account_id: str, token: str) -> list[ListedTemplate]:
        """Reads all templates of an account, page by page, to the last."""
        items = await self._list(f"{whatsapp_account_id}/message_templates", fields=_TEMPLATE_FIELDS, token=token)
        return [_template(item) for item in items if item.get("name") and item.get("language")]

    async def get_number(self, *, phone_number_id: str, token: str) -> SenderInfo:
        """Reads what WhatsApp says about one number."""
        return _info(await self._get(phone_number_id, query={"fields": _NUMBER_FIELDS}, token=token))

    async def _list(self, path: str, *, fields: str, token: str) -> list[Mapping[str, Any]]:
        items: list[Mapping[str, Any]] = []
        query = {"fields": fields, "limit": _PAGE_SIZE}
        for _ in range(_MOST_PAGES):
            page = await self._get(path, query=query, token=token)
            items += [item for item in page.get("data") or () if isinstance(item, Mapping)]
            after = _next_cursor(page)
            if not after:
                return items
            query["after"] = after
        raise Unavailable("WHATSAPP_UNAVAILABLE", "WhatsApp's list has no end; try again later.")

    async def _get(self, path: str, *, query: Mapping[str, str], token: str) -> Mapping[str, Any]:
        try:
            found = await self._http.get(f"{self._root}/{path}", token=token, query=query)
        except (NeverLeftError, AnswerLostError):
            raise Unavailable("WHATSAPP_UNAVAILABLE", "WhatsApp does not answer; try again.") from None
        answer = _parse(found.body)
        if found.status != _OK or "error" in answer:
            raise _refusal(found, answer)
        return answer


def _next_cursor(page: Mapping[str, Any]) -> str:
    """Returns where the list goes on, or nothing on the last page.

    Only the cursor of the next page's link is taken: the link could name any host, and the token goes with the call.
    """
    paging = page.get("paging")
    link = paging.get("next") if isinstance(paging, Mapping) else None
    return parse_qs(urlsplit(str(link)).query).get("after", [""])[0] if link else ""


def _parse(body: bytes) -> Mapping[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _refusal(found: Answer, answer: Mapping[str, Any]) -> Refusal:
    error, status = answer.get("error"), found.status
    code = error.get("code") if isinstance(error, Mapping) else None
    if code in _TOKEN_CODES or code in _PERMISSION_CODES:
        return WrongState("CREDENTIAL_INVALID", "WhatsApp does not take the sender's access token.", code=code)
    if code in _LIMIT_CODES or status == _TOO_MANY:
        text = "WhatsApp's hourly limit of such calls is used up; try again later."
        return LimitReached(
            "WHATSAPP_LIMIT_REACHED", text, retry_after=regain(found.headers) or _LIMIT_SECONDS, code=code or status
        )
    if code in _UNKNOWN_OBJECT_CODES:
        text = "WhatsApp knows no such number or account, or the access token may not see it."
        return NotFound("WHATSAPP_OBJECT_NOT_FOUND", text, code=code)
    text = "WhatsApp answered with an error; try again."
    return Unavailable("WHATSAPP_UNAVAILABLE", text, code=code or status)


def _template(item: Mapping[str, Any]) -> ListedTemplate:
    parts = item.get("components")
    return ListedTemplate(
        whatsapp_template_id=str(item.get("id") or ""),
        template_name=str(item["name"]),
        language_code=str(item["language"]),
        # What WhatsApp may invent is treated as the kind that needs most consent, and as not sendable.
        template_category=_one_of(TemplateCategory, item.get("category"), TemplateCategory.MARKETING),
        state=_one_of(TemplateState, item.get("status"), TemplateState.OTHER),
        parameter_format="NAMED" if str(item.get("parameter_format")).upper() == "NAMED" else "POSITIONAL",
        components=[part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else [],
        quality=_one_of(Quality, _inner(item, "quality_score", "score"), Quality.UNKNOWN),
        rejected_reason="" if item.get("rejected_reason") in (None, "NONE") else str(item["rejected_reason"]),
    )


def _info(answer: Mapping[str, Any]) -> SenderInfo:
    level = _inner(answer, "throughput", "level")
    return SenderInfo(
        phone_number=str(answer.get("display_phone_number") or ""),
        verified_name=str(answer.get("verified_name") or ""),
        quality=_one_of(Quality, answer.get("quality_rating"), Quality.UNKNOWN),
        throughput_level=_one_of(ThroughputLevel, level, ThroughputLevel.NOT_APPLICABLE),
        messaging_limit=str(answer.get("whatsapp_business_manager_messaging_limit") or ""),
    )


def _inner(item: Mapping[str, Any], key: str, inner_key: str) -> object:
    inner = item.get(key)
    return inner.get(inner_key) if isinstance(inner, Mapping) else None


def _one_of(kinds: type[E], value: object, otherwise: E) -> E:
    try:
        return kinds(str(value).upper())
    except ValueError:
        return otherwise
