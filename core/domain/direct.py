"""The rules of single messages: what one says, and whether it may be said to this contact now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.domain.bindings import Binding, describe, dump_bindings, find_unbound, match_bindings, resolve
from core.domain.contacts import Contact, may_receive
from core.domain.errors import WrongState
from core.domain.senders import Sender, SenderState
from core.domain.templates import Template, TemplateState

DISPLAY_NAME = "Single messages"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Content:
    """Is what a single message says: a text, or values for a template, each with its binding; see ``dump_content``."""

    text: str = ""
    bindings: tuple[Mapping[str, Any], ...] = ()
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Directed:
    """Is a claimed single message's own content; a text needs no template."""

    content: Content
    template_name: str
    language_code: str
    parameter_format: str


def dump_content(content: Content) -> dict[str, Any]:
    """Returns content as it stands in the message's row: an object, where a campaign's messages hold a list."""
    if content.text:
        return {"text": content.text}
    return {"bindings": [dict(binding) for binding in content.bindings], "values": list(content.values)}


def load_content(stored: Mapping[str, Any]) -> Content:
    """Reads content from the message's row."""
    return Content(
        text=stored.get("text", ""),
        bindings=tuple(stored.get("bindings", ())),
        values=tuple(stored.get("values", ())),
    )


def check_sender(sender: Sender) -> None:
    """Refuses a sender that may not send with ``SENDER_PAUSED``."""
    if sender.state is SenderState.PAUSED:
        raise WrongState("SENDER_PAUSED", "The sender is paused; resume it first.", sender=f"senders/{sender.id}")


def check_window(expire_time: datetime | None, *, at: datetime) -> None:
    """Refuses a text to who did not write in the last 24 hours with ``SERVICE_WINDOW_CLOSED``, and tells since when."""
    if expire_time is None or expire_time <= at:
        text = "The contact did not write to this sender in the last 24 hours; only a template may be sent."
        raise WrongState("SERVICE_WINDOW_CLOSED", text, expire_time=expire_time.isoformat() if expire_time else "")


def fill_template(template: Template, bindings: Sequence[Binding], *, sender: Sender, contact: Contact) -> Content:
    """Returns the template's values for a contact.

    Refuses with ``TEMPLATE_OF_OTHER_ACCOUNT``, ``TEMPLATE_NOT_APPROVED``, ``OPTED_OUT``, ``BINDING_INVALID`` or, when a
    parameter has no value, ``BINDING_MISSING``.
    """
    _check_template(template, sender=sender, contact=contact)
    bound = match_bindings(bindings, template.parameters)
    values = {binding.key: resolve(binding, contact) for binding in bound}
    empty = [key for key, value in values.items() if not value]
    missing = [parameter.key for parameter in find_unbound(bound, template.parameters)] + empty
    if missing:
        names = ", ".join(describe(key) for key in missing)
        raise WrongState("BINDING_MISSING", f"There is no value for {names}.", parameters=names)
    return Content(bindings=tuple(dump_bindings(bound)), values=tuple(values[binding.key] for binding in bound))


def _check_template(template: Template, *, sender: Sender, contact: Contact) -> None:
    name = f"templates/{template.id}"
    if template.whatsapp_account_id != sender.whatsapp_account_id:
        text = "The template belongs to another WhatsApp account than the sender."
        raise WrongState("TEMPLATE_OF_OTHER_ACCOUNT", text, template=name, sender=f"senders/{sender.id}")
    if template.state is not TemplateState.APPROVED:
        text = f"The template is {template.state}; only an APPROVED one may be sent."
        raise WrongState("TEMPLATE_NOT_APPROVED", text, template=name, state=template.state)
    if not may_receive(template.template_category, contact.marketing_consent):
        text = "The contact opted out of marketing, and the template is marketing."
        raise WrongState("OPTED_OUT", text, contact=f"contacts/{contact.id}", template=name)
