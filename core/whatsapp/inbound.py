"""Inbound messages of a webhook body become interactions-to-be: which kind, which words, what they answer."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from core.domain.interactions import Inbound, InteractionKind
from core.whatsapp.webhook_fields import LONGEST_ID, instant, integer, items, mapping, person_of, required, text

_MEDIA: Final = ("image", "video", "document", "audio", "voice", "sticker")
_MEDIA_KEYS: Final = ("id", "mime_type", "sha256", "filename", "voice", "animated", "url")
_REFERRAL_KEYS: Final = (
    "source_url", "source_id", "source_type", "ctwa_clid", "headline", "body", "media_type", "image_url", "video_url",
    "thumbnail_url",
)  # fmt: skip
_PRODUCT_KEYS: Final = ("catalog_id", "product_retailer_id")
_FORWARDED: Final = ("forwarded", "frequently_forwarded")
_MOST_ERRORS: Final = 5
_LONGEST_WORDS: Final = 500

_INTERACTIVE: Final = frozenset({"button_reply", "list_reply", "nfm_reply"})
_KNOWN_INTERACTIVE: Final = _INTERACTIVE | {"call_permission_reply"}
# WhatsApp's own words about a person or a message: they are no answer, and open no 24 hours.
_NOTICES: Final = frozenset({"system", "edit", "revoke"})
_UNREAD: Final = _NOTICES | {"unsupported", "unknown", "request_welcome"}

# What a message holds beside its content, which stands under the name of its type.
_OF_MESSAGE: Final = frozenset(
    {
        "from", "from_user_id", "from_parent_user_id", "to", "to_user_id", "id", "timestamp", "type", "context",
        "referral", "errors", "group_id", "identity", "origin",
    }
)  # fmt: skip
_OF_CONTEXT: Final = frozenset({"from", "from_user_id", "id", "message_id", "referred_product", *_FORWARDED})
_OF_REFERRAL: Final = frozenset({*_REFERRAL_KEYS, "welcome_message", "image", "video"})
_NONE: Final[frozenset[str]] = frozenset()

Content = tuple[InteractionKind, str, dict[str, Any]]


def read_inbound(message: Mapping[str, Any], value: Mapping[str, Any]) -> Inbound:
    """Reads one element of `messages`; a type nobody knows yet becomes OTHER. Raises Unreadable without id or time."""
    type_ = text(message, "type")
    kind, words, payload = _READERS.get(type_, _other)(message, type_)
    return Inbound(
        whatsapp_message_id=required(message, "id"),
        phone_number_id=required(mapping(value, "metadata"), "phone_number_id"),
        person=person_of(value, phone=sender_of(message), user_id=text(message, "from_user_id")),
        kind=kind,
        interaction_time=instant(message, "timestamp"),
        text=words,
        payload=payload | _origin(message) | _circumstances(message),
        context=_context(message)[:LONGEST_ID],
        is_notice=type_ in _NOTICES,
    )


def sender_of(message: Mapping[str, Any]) -> str:
    """Returns the digits of whom a message is from, or a notice about; empty when it does not say."""
    return text(message, "from") or text(mapping(message, "system"), "customer")


def _context(message: Mapping[str, Any]) -> str:
    """Returns WhatsApp's id of what a message reacts to or quotes, empty when it does neither."""
    quoted = mapping(message, "context")
    return text(mapping(message, "reaction"), "message_id") or text(quoted, "id") or text(quoted, "message_id")


def strangeness(message: Mapping[str, Any]) -> str:
    """Returns the type of a message this version reads as OTHER without knowing it, else an empty text."""
    type_ = text(message, "type")
    if type_ == "interactive" and text(mapping(message, type_), "type") not in _KNOWN_INTERACTIVE:
        return f"interactive {text(mapping(message, type_), 'type')}".strip()
    return "" if type_ in _READERS or type_ in _UNREAD else type_ or "without type"


def strange_keys(message: Mapping[str, Any]) -> list[str]:
    """Returns the keys of a message, of what it quotes and of the advertisement it came from that nobody knows."""
    found = message.keys() - _OF_MESSAGE - {text(message, "type")}
    found |= mapping(message, "context").keys() - _OF_CONTEXT if "context" in message else _NONE
    found |= mapping(message, "referral").keys() - _OF_REFERRAL if "referral" in message else _NONE
    return sorted(found)


def _text(message: Mapping[str, Any], _: str) -> Content:
    return InteractionKind.TEXT, text(mapping(message, "text"), "body"), {}


def _button(message: Mapping[str, Any], _: str) -> Content:
    button = mapping(message, "button")
    return InteractionKind.BUTTON, text(button, "text"), {"payload": text(button, "payload")}


def _interactive(message: Mapping[str, Any], type_: str) -> Content:
    interactive = mapping(message, "interactive")
    reply_type = text(interactive, "type")
    reply = mapping(interactive, reply_type)
    if not reply:
        return _other(message, type_)
    if reply_type not in _INTERACTIVE:
        return _other(interactive, reply_type)
    form = {"response_json": text(reply, "response_json")} if reply_type == "nfm_reply" else {}
    words = text(reply, "title") or text(reply, "body")
    described = {"description": text(reply, "description")} if text(reply, "description") else {}
    return InteractionKind.BUTTON, words, {"type": reply_type, "payload": text(reply, "id")} | form | described


def _system(message: Mapping[str, Any], type_: str) -> Content:
    """Reads what happened to a person; who they are now is the contact's to know, and to forget."""
    return InteractionKind.OTHER, "", {"type": text(mapping(message, type_), "type") or type_}


def _edit(message: Mapping[str, Any], type_: str) -> Content:
    """Reads an earlier message of the person as it stands now: who changes it to "stop" has said so."""
    edit = mapping(message, type_)
    now = mapping(edit, "message")
    type_now = text(now, "type")
    read = _READERS.get(type_now, _other) if type_now != type_ else _other
    kind, words, payload = read(now, type_now)
    return kind, words, payload | {"edited": text(edit, "original_message_id")}


def _reaction(message: Mapping[str, Any], _: str) -> Content:
    emoji = text(mapping(message, "reaction"), "emoji")
    return InteractionKind.REACTION, emoji, {} if emoji else {"removed": True}


def _media(message: Mapping[str, Any], type_: str) -> Content:
    media = mapping(message, type_)
    known = {key: media[key] for key in _MEDIA_KEYS if isinstance(media.get(key), str | bool)}
    return InteractionKind.MEDIA, text(media, "caption"), {"type": type_} | _clean(known)


def _location(message: Mapping[str, Any], _: str) -> Content:
    place = mapping(message, "location")
    keys = ("latitude", "longitude", "name", "address", "url")
    known = {key: place[key] for key in keys if isinstance(place.get(key), str | int | float)}
    return InteractionKind.LOCATION, text(place, "name"), _clean(known)


def _contacts(message: Mapping[str, Any], _: str) -> Content:
    cards = list(items(message, "contacts"))
    return InteractionKind.CONTACTS, "", {"count": len(cards)}


def _order(message: Mapping[str, Any], _: str) -> Content:
    order = mapping(message, "order")
    products = [_clean(dict(item)) for item in items(order, "product_items")]
    return InteractionKind.ORDER, text(order, "text"), {"catalog_id": text(order, "catalog_id"), "products": products}


def _other(message: Mapping[str, Any], type_: str) -> Content:
    details = mapping(message, type_) if type_ else {}
    # What it calls its own type is not the type of the message.
    named = ((f"{type_}_type" if key == "type" else key, value) for key, value in details.items())
    known = {key: value for key, value in named if isinstance(value, str | int)}
    return InteractionKind.OTHER, text(details, "body"), {"type": type_} | _clean(known)


def _origin(message: Mapping[str, Any]) -> dict[str, Any]:
    """Keeps where an advertisement's click came from, and what it showed."""
    known = _texts(mapping(message, "referral"), _REFERRAL_KEYS)
    return {"referral": known} if known else {}


def _circumstances(message: Mapping[str, Any]) -> dict[str, Any]:
    """Keeps whether a message was passed on, which product it asks about, and what WhatsApp could not show of it."""
    quoted = mapping(message, "context")
    told: dict[str, Any] = {key: True for key in _FORWARDED if quoted.get(key) is True}
    if product := _texts(mapping(quoted, "referred_product"), _PRODUCT_KEYS):
        told["referred_product"] = product
    if errors := [_error(error) for error in items(message, "errors")]:
        told["errors"] = errors[:_MOST_ERRORS]
    return told


def _error(error: Mapping[str, Any]) -> dict[str, Any]:
    details = text(mapping(error, "error_data"), "details")
    told = {"title": text(error, "title") or text(error, "message"), "details": details, "href": text(error, "href")}
    return {"code": integer(error, "code")} | {key: word[:_LONGEST_WORDS] for key, word in told.items() if word}


def _texts(told: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, str]:
    return {key: word for key in keys if (word := text(told, key))}


def _clean(values: dict[str, Any]) -> dict[str, Any]:
    """Drops NUL, which no row can hold, from the texts at the top."""
    return {
        key.replace("\x00", ""): value.replace("\x00", "") if isinstance(value, str) else value
        for key, value in values.items()
        if isinstance(value, str | bool | int | float)
    }


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any], str], Content]]] = MappingProxyType(
    {
        "text": _text,
        "button": _button,
        "interactive": _interactive,
        "edit": _edit,
        "system": _system,
        "reaction": _reaction,
        "location": _location,
        "contacts": _contacts,
        "order": _order,
    }
    | dict.fromkeys(_MEDIA, _media)
)
