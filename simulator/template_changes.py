"""Simulator, changes of templates: create with a review, edit, delete, unpause."""

from __future__ import annotations

import re
from collections import deque
from typing import Any, Final

from simulator import events
from simulator.accounts import Template, Waba
from simulator.answers import json_response, query_of
from simulator.errors import Refusal
from simulator.http import Request, Response
from simulator.messages import parse
from simulator.seed import new_template
from simulator.state import World
from simulator.template_definitions import CATEGORIES, check_components, check_definition

_NAME: Final = re.compile(r"[a-z0-9_]{1,512}")
_REQUIRED: Final = ("name", "language", "category", "components")
_OPTIONAL: Final = ("parameter_format", "sub_category", "message_send_ttl_seconds", "library_template_name")
_HOUR: Final = 3600.0
_DAY: Final = 86_400.0
_MONTH: Final = 30 * _DAY
_SUCCESS: Final = {"success": True}


def create_template(world: World, waba: Waba, request: Request) -> Response:
    """Answers `POST /{waba_id}/message_templates`: PENDING, and a verdict after the review."""
    body = parse(request.body)
    _check_new(waba, body)
    _count_creation(world, waba)
    template = new_template(waba, {**_definition(body), "status": "PENDING"})
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
    if body.get("category") not in CATEGORIES:
        raise Refusal(100, f"Parameter 'category' is one of {', '.join(CATEGORIES)}.")
    if language in waba.by_name.get(name, {}):
        raise Refusal(100, "There is already content in this language for this template.")
    check_definition(body)
    check_components(body.get("components"))


def _definition(body: dict[str, Any]) -> dict[str, Any]:
    """Returns what a caller may say about a template; quality, status and such are Meta's to say."""
    return {name: body[name] for name in (*_REQUIRED, *_OPTIONAL) if name in body}


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
            template.synchronised_time = due_time + world.settings.templates.synchronise_seconds
            events.set_template_status(world, waba=waba, template=template, status=status, time=due_time, reason=reason)

    world.agenda.at(world.clock.now() + delay, decide)


def edit_template(world: World, template: Template, request: Request) -> Response:
    """Answers `POST /{template_id}`: new components or category go through a review again."""
    body = parse(request.body)
    waba, _ = world.accounts.templates[template.id]
    if body.get("category", template.category) not in CATEGORIES:
        raise Refusal(100, f"Parameter 'category' is one of {', '.join(CATEGORIES)}.")
    if "components" in body:
        check_components(body["components"])
    if template.status == "APPROVED":
        _count_edit(world, template)
    template.components, template.checks = body.get("components", template.components), None
    template.category = body.get("category", template.category)
    template.status = "PENDING"
    _review(world, waba, template)
    return json_response(_SUCCESS)


def _count_edit(world: World, template: Template) -> None:
    """Refuses the edit of an approved template beyond the edits of a day and of a month."""
    now, times, figures = world.clock.now(), template.edit_times, world.settings.templates
    while times and times[0] <= now - _MONTH:
        times.popleft()
    today = sum(time > now - _DAY for time in times)
    if today >= figures.edits_per_day or len(times) >= figures.edits_per_month:
        raise Refusal(100, "An approved template can be edited once in 24 hours and 10 times in 30 days.")
    times.append(now)


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
