"""Simulator, content checks: the shape of every message type that is not a template, with its limits as data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from simulator.errors import Refusal
from simulator.template_checks import check_media

_MOST_BUTTONS: Final = 3
_MOST_ROWS: Final = 10
_HEADERS: Final = ("text", "image", "video", "document")


def check_content(kind: str, content: object) -> None:
    """Refuses a message whose content object does not have the shape of its type."""
    check = _CHECKS.get(kind)
    if check is None:
        raise Refusal(131051 if kind else 100, f"Message type {kind} is not supported.")
    if content is None:
        raise Refusal(131008, f"Parameter '{kind}' is required.")
    if not isinstance(content, list if kind == "contacts" else dict):
        raise Refusal(100, f"Parameter '{kind}' is not of the expected type.")
    check(content)


def _text(value: object, path: str, most: int, *, required: bool = True) -> None:
    if value is None and not required:
        return
    if not isinstance(value, str) or (required and not value):
        raise Refusal(131008, f"Parameter '{path}' is required.")
    if len(value) > most:
        raise Refusal(100, f"Parameter '{path}' has at most {most} characters.")


def _check_text(content: dict[str, Any]) -> None:
    _text(content.get("body"), "text.body", 4096)


def _check_captioned(content: dict[str, Any]) -> None:
    check_media(content, "media")
    _text(content.get("caption"), "caption", 1024, required=False)


def _check_plain_media(content: dict[str, Any]) -> None:
    check_media(content, "media")
    if "caption" in content:
        raise Refusal(100, "Parameter 'caption' is not allowed for this media.")


def _check_location(content: dict[str, Any]) -> None:
    for name, most in (("latitude", 90), ("longitude", 180)):
        try:
            value = float(content[name])
        except KeyError:
            raise Refusal(131008, f"Parameter 'location.{name}' is required.") from None
        except (TypeError, ValueError):
            raise Refusal(131009, f"Parameter 'location.{name}' is not a number.") from None
        if not abs(value) <= most:
            raise Refusal(131009, f"Parameter 'location.{name}' is out of range.")


def _check_reaction(content: dict[str, Any]) -> None:
    _text(content.get("message_id"), "reaction.message_id", 512)
    if not isinstance(content.get("emoji", ""), str):
        raise Refusal(131009, "Parameter 'reaction.emoji' is not a text.")


def _check_contacts(content: list[Any]) -> None:
    if not content:
        raise Refusal(131008, "Parameter 'contacts' needs at least one contact.")
    for contact in content:
        name = contact.get("name") if isinstance(contact, dict) else None
        if not isinstance(name, dict) or not name.get("formatted_name"):
            raise Refusal(131008, "Parameter 'contacts.name.formatted_name' is required.")


def _check_interactive(content: dict[str, Any]) -> None:
    kind = content.get("type")
    if not isinstance(kind, str) or kind not in _INTERACTIVE:
        raise Refusal(131009, f"Interactive type {kind} is not valid.")
    if kind not in ("product", "catalog_message"):
        body = content.get("body")
        _text(body.get("text") if isinstance(body, dict) else None, "interactive.body.text", _INTERACTIVE[kind])
    if isinstance(footer := content.get("footer"), dict):
        _text(footer.get("text"), "interactive.footer.text", 60)
    if (header := content.get("header")) is not None:
        _check_header(kind, header)
    action = content.get("action")
    if not isinstance(action, dict):
        raise Refusal(131008, "Parameter 'interactive.action' is required.")
    if (check := _ACTIONS.get(kind)) is not None:
        check(action)


def _check_header(kind: str, header: object) -> None:
    form = header.get("type") if isinstance(header, dict) else None
    if not isinstance(header, dict) or form not in (("text",) if kind == "list" else _HEADERS):
        raise Refusal(131009, f"Parameter 'interactive.header.type' is not valid for a message of type {kind}.")
    if form == "text":
        _text(header.get("text"), "interactive.header.text", 60)
    else:
        check_media(header.get(str(form)), "interactive.header")


def _check_link(action: dict[str, Any]) -> None:
    parameters = action.get("parameters")
    given = parameters if isinstance(parameters, dict) else {}
    _text(given.get("display_text"), "interactive.action.parameters.display_text", 20)
    _text(given.get("url"), "interactive.action.parameters.url", 2000)


def _check_reply_buttons(action: dict[str, Any]) -> None:
    buttons = action.get("buttons")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= _MOST_BUTTONS:
        raise Refusal(131009, "interactive.action.buttons: between 1 and 3 buttons are allowed.")
    titles = []
    for button in buttons:
        reply = button.get("reply") if isinstance(button, dict) else None
        if not isinstance(reply, dict):
            raise Refusal(131008, "interactive.action.buttons: every button needs a reply.")
        _text(reply.get("id"), "reply.id", 256)
        _text(reply.get("title"), "reply.title", 20)
        titles.append(reply["title"])
    if len(set(titles)) != len(titles):
        raise Refusal(131009, "interactive.action.buttons: titles must be unique.")


def _check_list(action: dict[str, Any]) -> None:
    _text(action.get("button"), "interactive.action.button", 20)
    sections = action.get("sections")
    if not isinstance(sections, list) or not 1 <= len(sections) <= _MOST_ROWS:
        raise Refusal(131009, "interactive.action.sections: between 1 and 10 sections are allowed.")
    rows = [row for section in sections for row in _rows_of(section)]
    if not 1 <= len(rows) <= _MOST_ROWS:
        raise Refusal(131009, "interactive.action.sections: between 1 and 10 rows in total are allowed.")
    for row in rows:
        _text(row.get("id"), "row.id", 200)
        _text(row.get("title"), "row.title", 24)
        _text(row.get("description"), "row.description", 72, required=False)


def _rows_of(section: object) -> list[dict[str, Any]]:
    given = section if isinstance(section, dict) else {}
    rows = given.get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Refusal(131008, "interactive.action.sections: every section needs a list of rows.")
    _text(given.get("title"), "section.title", 24, required=False)
    return rows


_ACTIONS: Final[dict[str, Callable[[dict[str, Any]], None]]] = {
    "button": _check_reply_buttons,
    "list": _check_list,
    "cta_url": _check_link,
}

_INTERACTIVE: Final = {
    "button": 1024,
    "list": 4096,
    "cta_url": 1024,
    "flow": 1024,
    "product": 1024,
    "product_list": 1024,
    "catalog_message": 1024,
    "location_request_message": 1024,
    "call_permission_request": 1024,
    "request_contact_info": 1024,
}

_CHECKS: Final[dict[str, Callable[[Any], None]]] = {
    "text": _check_text,
    "image": _check_captioned,
    "video": _check_captioned,
    "document": _check_captioned,
    "audio": _check_plain_media,
    "sticker": _check_plain_media,
    "location": _check_location,
    "contacts": _check_contacts,
    "interactive": _check_interactive,
    "reaction": _check_reaction,
}
