"""Simulator, templates: the list with its cursors and filters, and one template."""

from __future__ import annotations

import base64
from typing import Any, Final
from urllib.parse import urlencode

from simulator.accounts import Template, Waba
from simulator.answers import json_response, pick, query_of
from simulator.errors import Refusal
from simulator.http import Request, Response
from simulator.state import World

_DEFAULT_FIELDS: Final = "name,parameter_format,components,language,status,category,id"
_MOST_PER_PAGE: Final = 1000


def list_templates(world: World, waba: Waba, request: Request) -> Response:
    """Answers `GET /{waba_id}/message_templates`."""
    query = query_of(request)
    matching = [template for template in waba.templates.values() if _matches(template, query)]
    limit = _limit(query, world.settings.templates.page_size)
    start, page = _page(matching, query, limit)
    names = query.get("fields", _DEFAULT_FIELDS)
    answer: dict[str, Any] = {"data": [pick(template_json(template), names) for template in page]}
    if page:
        cursors = {"before": _cursor(page[0]), "after": _cursor(page[-1])}
        answer["paging"] = {"cursors": cursors}
        if start + len(page) < len(matching):
            answer["paging"]["next"] = _link(
                request, {**query, "limit": str(limit), "after": cursors["after"]}, "before"
            )
        if start > 0:
            answer["paging"]["previous"] = _link(request, {**query, "before": cursors["before"]}, "after")
    return json_response(answer)


def _limit(query: dict[str, str], default: int) -> int:
    try:
        return max(1, min(_MOST_PER_PAGE, int(query.get("limit", default))))
    except ValueError:
        raise Refusal(100, title="(#100) Param limit must be an integer") from None


def _matches(template: Template, query: dict[str, str]) -> bool:
    for name in ("status", "category", "language"):
        wanted = query.get(name)
        if wanted and getattr(template, name).lower() != wanted.lower():
            return False
    return query.get("name", "") in template.name


def _page(matching: list[Template], query: dict[str, str], limit: int) -> tuple[int, list[Template]]:
    places = {template.id: place for place, template in enumerate(matching)}
    if "after" in query:
        start = places.get(_from_cursor(query["after"]), len(matching)) + 1
    elif "before" in query:
        start = max(0, places.get(_from_cursor(query["before"]), 0) - limit)
    else:
        start = 0
    return start, matching[start : start + limit]


def _cursor(template: Template) -> str:
    return base64.urlsafe_b64encode(template.id.encode()).decode().rstrip("=")


def _from_cursor(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        raise Refusal(100, title="(#100) Invalid cursor") from None


def _link(request: Request, query: dict[str, str], without: str) -> str:
    query.pop(without, None)
    query.pop("access_token", None)
    return f"http://{request.header(b'host')}{request.path}?{urlencode(query)}"


def get_template(world: World, template: Template, request: Request) -> Response:
    """Answers `GET /{template_id}`."""
    return json_response(pick(template_json(template), query_of(request).get("fields", _DEFAULT_FIELDS)))


def template_json(template: Template) -> dict[str, Any]:
    """Returns all fields of a template."""
    quality: dict[str, Any] = {"score": template.quality}
    if template.quality_time:
        quality["date"] = int(template.quality_time)
    return {
        "id": template.id,
        "name": template.name,
        "language": template.language,
        "status": template.status,
        "category": template.category,
        "components": template.components,
        "parameter_format": template.parameter_format,
        "sub_category": template.sub_category,
        "previous_category": template.previous_category,
        "correct_category": template.correct_category,
        "rejected_reason": template.rejected_reason,
        "quality_score": quality,
        "message_send_ttl_seconds": template.message_send_ttl_seconds or None,
        "library_template_name": template.library_template_name,
    }
