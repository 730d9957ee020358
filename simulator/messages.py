"""Simulator, messages: the send endpoint, from the request's shape to the accept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

from simulator import phone, wamid
from simulator.accounts import Number, Template
from simulator.content_checks import check_content
from simulator.draws import Draws
from simulator.effects import EFFECTS
from simulator.errors import Refusal
from simulator.http import ANSWER, CLOSE, Request, Response
from simulator.journeys import depart
from simulator.ledger import Message, key_of
from simulator.limits import (
    check_number,
    check_restriction,
    fate_by_limits,
    hold_by_pacing,
    http_of,
    take_pair,
    take_throughput,
    window_is_open,
)
from simulator.marketing import goes_as_marketing
from simulator.outcomes import HAPPY, Outcome
from simulator.pacing import hold
from simulator.state import World
from simulator.template_checks import check_parameters
from simulator.timeline import DROP, latency, plan

_SUCCESS: Final = b'{"success":true}'
_MOST_CALLBACK_DATA: Final = 512
_NOT_SENDABLE: Final = {"PAUSED": 132015, "DISABLED": 132016}


def post_message(world: World, number: Number, request: Request, *, marketing: bool = False) -> Response:
    """Answers `POST /{phone_number_id}/messages` and `/marketing_messages`."""
    body = parse(request.body)
    if body.get("messaging_product") != "whatsapp":
        raise Refusal(100, "Parameter 'messaging_product' must be 'whatsapp'.")
    if body.get("status") == "read":
        return _mark_read(body)
    to, user_id, kind = _address(body)
    digits = phone.digits_of(to)
    person = phone.wa_id_of(digits) if to else phone.person_of(user_id)
    if not person:
        raise Refusal(131009, "Parameter 'to' is not a valid phone number.")
    check_number(world, number)
    in_window = window_is_open(world, number, person)
    if not in_window:
        check_restriction(world, number)
    take_throughput(world, number)
    take_pair(world, number, person)
    outcome = _outcome(world, number, person)
    template = _check_content(number, body, kind, marketing=marketing)
    if marketing and template is not None:
        marketing = goes_as_marketing(number, body, template, now=world.clock.now())
    return _Acceptance(
        world=world,
        number=number,
        body=body,
        to=digits or user_id,
        person=person,
        user_id=user_id,
        kind=kind,
        template=template,
        marketing=marketing,
        in_window=in_window,
    ).answer(outcome)


def parse(body: bytes) -> dict[str, Any]:
    """Returns a JSON object, or refuses."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refusal(100, "The request body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise Refusal(100, "The request body must be a JSON object.")
    return value


def _mark_read(body: dict[str, Any]) -> Response:
    if not isinstance(body.get("message_id"), str):
        raise Refusal(100, "Parameter 'message_id' is required.")
    typing = body.get("typing_indicator", {"type": "text"})
    if not isinstance(typing, dict) or typing.get("type") != "text":
        raise Refusal(100, "Parameter 'typing_indicator.type' is text.")
    return Response(body=_SUCCESS)


def _address(body: dict[str, Any]) -> tuple[str, str, str]:
    """Returns (to, user id, type); of the first two exactly one is filled."""
    to, user_id = body.get("to") or "", body.get("recipient") or ""
    if not isinstance(to, str) or not isinstance(user_id, str) or not (to or user_id):
        raise Refusal(100, "Parameter 'to' or 'recipient' is required.", title="The parameter to is required.")
    if body.get("recipient_type", "individual") != "individual":
        raise Refusal(100, "Parameter 'recipient_type' must be 'individual'.")
    if user_id and not to and not phone.is_user_id(user_id):
        raise Refusal(131009, "Parameter 'recipient' is not a business-scoped user id.")
    callback_data = body.get("biz_opaque_callback_data", "")
    if not isinstance(callback_data, str) or len(callback_data) > _MOST_CALLBACK_DATA:
        raise Refusal(100, f"Parameter 'biz_opaque_callback_data' has at most {_MOST_CALLBACK_DATA} characters.")
    kind = body.get("type", "text")
    if not isinstance(kind, str):
        raise Refusal(100, "Parameter 'type' is not a text.")
    return to, "" if to else user_id, kind


def _outcome(world: World, number: Number, person: str) -> Outcome | None:
    if number.allowed is not None and person not in number.allowed:
        raise Refusal(131030)
    if person == number.wa_id:
        raise Refusal(131021)
    outcome = world.outcomes.of(person, suffixes=world.settings.suffixes)
    if outcome is None or not outcome.refuse:
        return outcome
    if not world.outcomes.refuses(outcome, number.id, person):
        return outcome.after_refusals()
    for effect in outcome.effects:
        ghost = Message(-1, "", number, person, person, "", "", "", "", "", world.clock.now())
        EFFECTS[effect](world, ghost, world.clock.now())
    raise Refusal(outcome.refuse, http=outcome.http or http_of(world, outcome.refuse))


def _check_content(number: Number, body: dict[str, Any], kind: str, *, marketing: bool) -> Template | None:
    if kind != "template":
        if marketing:
            raise Refusal(131055)
        check_content(kind, body.get(kind))
        return None
    content = body.get("template")
    if not isinstance(content, dict):
        raise Refusal(131008, "Parameter 'template' is required.")
    template = _find_template(number, content)
    if template.category == "MARKETING" and number.waba.marketing_disabled and not marketing:
        raise Refusal(131063)
    check_parameters(template, content.get("components") or [])
    return template


def _find_template(number: Number, content: dict[str, Any]) -> Template:
    name, language = content.get("name"), content.get("language")
    code = language.get("code") if isinstance(language, dict) else None
    if not isinstance(name, str) or not isinstance(code, str):
        raise Refusal(131008, "Parameters 'template.name' and 'template.language.code' are required.")
    template = number.waba.by_name.get(name, {}).get(code)
    if template is None or template.status not in ("APPROVED", "PAUSED", "DISABLED"):
        raise Refusal(132001, f"template name ({name}) does not exist in {code}")
    if template.status != "APPROVED":
        raise Refusal(_NOT_SENDABLE[template.status])
    return template


@dataclass(slots=True)
class _Acceptance:
    """One message that is about to be accepted; `to` is the user id when it was addressed by that."""

    world: World
    number: Number
    body: dict[str, Any]
    to: str
    person: str
    user_id: str
    kind: str
    template: Template | None
    marketing: bool
    in_window: bool

    @property
    def wa_id(self) -> str:
        """WhatsApp's id of the person, empty when they were addressed by user id."""
        return "" if self.user_id else self.person

    def answer(self, outcome: Outcome | None) -> Response:
        """Accepts the message, plans what follows, and returns the answer with its latency."""
        if outcome is None or outcome is HAPPY:
            by_limits = fate_by_limits(self.world, self.number, self.person, self.template, in_window=self.in_window)
            outcome = by_limits or outcome
        if outcome is not None and not outcome.accepted:
            return Response(ending=outcome.ending)
        paced = self.template is not None and hold_by_pacing(self.world, self.template)
        earlier = self.world.ledger.times_accepted(self.person)
        draws = self.world.draws(key_of(self.number, self.person, earlier))
        message = self._file(draws, earlier=earlier, held=paced or bool(outcome and outcome.held))
        if paced and self.template is not None:
            hold(self.world, self.template, message, outcome)
        else:
            timeline = self.world.settings.timeline
            depart(
                self.world,
                message,
                plan(outcome=outcome, draws=draws, settings=timeline, limited=message.is_limited),
            )
        return self._respond(message, outcome, draws)

    def _file(self, draws: Draws, *, earlier: int, held: bool) -> Message:
        world, number = self.world, self.number
        known = self.wa_id or self.user_id.partition(".")[2]
        message = Message(
            index=world.ledger.accepted,
            wamid=wamid.outgoing(digits=known, nonce=world.nonce(draws.digest)),
            number=number,
            to=self.to,
            person=self.person,
            wa_id=self.wa_id,
            user_id=self.user_id,
            kind=self.kind,
            category=self._category(),
            callback_data=self.body.get("biz_opaque_callback_data", ""),
            accept_time=world.clock.now(),
            template_id=self.template.id if self.template else "",
            held=held,
            in_window=self.in_window,
            earlier=earlier,
        )
        world.ledger.add(message, keep=world.settings.keep_accepted)
        number.accept_times.append(world.clock.real())
        return message

    def _category(self) -> str:
        if self.template is None:
            return "service"
        return "marketing_lite" if self.marketing else _CATEGORIES.get(self.template.category, "utility")

    def _respond(self, message: Message, outcome: Outcome | None, draws: Draws) -> Response:
        timeline = self.world.settings.timeline
        ending = outcome.ending if outcome else ANSWER
        if timeline.drop_rate and outcome is None and draws.chance(DROP, timeline.drop_rate):
            ending = CLOSE
        if ending != ANSWER:
            self.world.counters[f"accepted_unanswered.{ending}"] += 1
        return Response(body=self._answer_body(message), delay=latency(draws, timeline), ending=ending)

    def _answer_body(self, message: Message) -> bytes:
        if self.user_id:
            contact = {"input": self.user_id, "user_id": self.user_id}
        else:
            contact = {"input": self.body["to"], "wa_id": self.wa_id}
        sent = {"id": message.wamid}
        if self.kind == "template":
            sent["message_status"] = "held_for_quality_assessment" if message.held else "accepted"
        return orjson.dumps({"messaging_product": "whatsapp", "contacts": [contact], "messages": [sent]})


_CATEGORIES: Final = {"MARKETING": "marketing", "UTILITY": "utility", "AUTHENTICATION": "authentication"}
