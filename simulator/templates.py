"""Simulator, templates: list with cursors, read, create with a review, edit, delete, unpause."""

from __future__ import annotations

import base64
import re
from collections import deque
from typing import Any, Final
from urllib.parse import urlencode

from simulator import events
from simulator.accounts import Template, Waba
from simulator.answers import json_response, pick, query_of
from simulator.errors import Refusal
from simulator.http import Request, Response
from simulator.messages import parse
from simulator.seed import new_template
from simulator.state import World

_DEFAULT_FIELDS: Final = "name,parameter_format,components,language,status,category,id"
_NAME: Final = re.compile(r"[a-z0-9_]{1,512}")
_CATEGORIES: Final = ("MARKETING", "UTILITY", "AUTHENTICATION")
_MOST_BUTTONS: Final = 10
_MOST_PER_PAGE: Final = 1000
_HOUR: Final = 3600.0
_SUCCESS: Final = {"success": True}


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


def create_template(world: World, waba: Waba, request: Request) -> Response:
    """Answers `POST /{waba_id}/message_templates`: PENDING, and a verdict after the review."""
    body = parse(request.body)
    _check_new(waba, body)
    _count_creation(world, waba)
    template = new_template(waba, {**body, "id": "", "status": "PENDING"})
    waba.add(template)
    world.accounts.templates[template.id] = (waba, template)
    _review(world, waba, template)
    return json_response({"id": template.id, "status": template.status, "category": template.category})


def _check_new(waba: Waba, body: dict[str, Any]) -> None:
    name, language = body.get("name"), body.get("language")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Refusal(100, "A template name has lower-case letters, digits and underscores.")
    if not isinstance(language, str) or not language:
        raise Refusal(100, "Parameter 'language' is required.")
    if body.get("category") not in _CATEGORIES:
        raise Refusal(100, f"Parameter 'category' is one of {', '.join(_CATEGORIES)}.")
    if language in waba.by_name.get(name, {}):
        raise Refusal(100, "There is already content in this language for this template.")
    check_components(body.get("components"))


def check_components(components: object) -> None:
    """Refuses a definition without a body, or with texts beyond the limits."""
    if not isinstance(components, list) or not all(isinstance(part, dict) for part in components):
        raise Refusal(100, "Parameter 'components' must be a list of objects.")
    bodies = [part for part in components if str(part.get("type", "")).upper() == "BODY"]
    if len(bodies) != 1:
        raise Refusal(100, "A template needs exactly one BODY component.")
    for part in components:
        most = {"BODY": 1024, "HEADER": 60, "FOOTER": 60}.get(str(part.get("type", "")).upper())
        if most and len(str(part.get("text", ""))) > most:
            raise Refusal(100, f"The text of {part['type']} has at most {most} characters.")
        if len(part.get("buttons", ())) > _MOST_BUTTONS:
            raise Refusal(100, f"A template has at most {_MOST_BUTTONS} buttons.")


def _count_creation(world: World, waba: Waba) -> None:
    now = world.clock.now()
    times: deque[float] = waba.creation_times
    while times and times[0] <= now - _HOUR:
        times.popleft()
    if len(times) >= world.settings.limits.templates_per_hour:
        raise Refusal(80007)
    times.append(now)


def _review(world: World, waba: Waba, template: Template) -> None:
    rejected = template.name.startswith("reject_")
    status, reason = ("REJECTED", "INVALID_FORMAT") if rejected else ("APPROVED", "NONE")
    delay = world.draws(f"review:{template.id}").between(0, world.settings.templates.review_delay)

    def decide(due_time: float) -> None:
        if template.status == "PENDING" and template.id in waba.templates:
            events.set_template_status(world, waba=waba, template=template, status=status, time=due_time, reason=reason)

    world.agenda.at(world.clock.now() + delay, decide)


def edit_template(world: World, template: Template, request: Request) -> Response:
    """Answers `POST /{template_id}`: new components or category go through a review again."""
    body = parse(request.body)
    waba, _ = world.accounts.templates[template.id]
    if "components" in body:
        check_components(body["components"])
        template.components, template.checks = body["components"], None
    if body.get("category", template.category) not in _CATEGORIES:
        raise Refusal(100, f"Parameter 'category' is one of {', '.join(_CATEGORIES)}.")
    template.category = body.get("category", template.category)
    template.status = "PENDING"
    _review(world, waba, template)
    return json_response(_SUCCESS)


def delete_templates(world: World, waba: Waba, request: Request) -> Response:
    """Answers `DELETE /{waba_id}/message_templates?name=`: all languages, or the one of `hsm_id`."""
    query = query_of(request)
    languages = waba.by_name.get(query.get("name", ""), {})
    doomed = [one for one in languages.values() if query.get("hsm_id") in (None, one.id)]
    if not doomed:
        raise Refusal(100, "There is no such template.")
    for template in doomed:
        waba.remove(template)
        world.accounts.templates.pop(template.id, None)
        events.announce_template(world, waba=waba, template=template, event="DELETED", time=world.clock.now())
    return json_response(_SUCCESS)


def unpause_template(world: World, template: Template, request: Request) -> Response:
    """Answers `POST /{template_id}/unpause`."""
    if template.status != "PAUSED":
        raise Refusal(100, "The template is not paused.")
    waba, _ = world.accounts.templates[template.id]
    events.unpause_template(world, waba=waba, template=template, time=world.clock.now())
    return json_response(_SUCCESS)
