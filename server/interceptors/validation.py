"""Innermost: every message a caller sends keeps the rules written in the contract."""

from collections.abc import Sequence
from typing import Any

import protovalidate
from google.protobuf.message import Message
from protovalidate import FieldPathElementPb

from core.domain.errors import InvalidArgument, Violation
from server.call import Call
from server.interceptors.base import Proceed
from server.interceptors.pattern_words import pattern_words

_LONGEST_KEY = 64


class Validation:
    """Checks each message as it is read: the one of a unary call, and all of a stream."""

    def __init__(self) -> None:
        self._validator = protovalidate.Validator()

    async def around(self, call: Call, proceed: Proceed) -> bytes:
        """Hands the call its check."""
        call.check = self._check
        return await proceed()

    def _check(self, message: Message) -> None:
        found = self._validator.collect_violations(message)
        if found:
            violations = [_violation(message, violation) for violation in found]
            text = (
                f"The request breaks {len(found)} rules of the contract."
                if len(found) > 1
                else _sentence(violations[0])
            )
            raise InvalidArgument("REQUEST_INVALID", text, violations=violations)


def _violation(message: Message, found: protovalidate.Violation) -> Violation:
    return Violation(field=_path(found), description=_words(message, found), reason=found.proto.rule_id)


def _words(message: Message, found: protovalidate.Violation) -> str:
    """Says what the field must be; of patterns and of an enum's numbers the validator's own words tell little."""
    match found.proto.rule_id:
        case "string.pattern":
            return pattern_words(str(found.rule_value))
        case "enum.in":
            return f"must be {_value_names(message, found)}"
        case "enum.not_in":
            return f"must not be {_value_names(message, found)}"
    return found.proto.message


def _value_names(message: Message, found: protovalidate.Violation) -> str:
    """Names the values of an enum that the rule lists by number."""
    *path, last = _elements(found)
    holder: Any = message.DESCRIPTOR
    for element in path:
        holder = holder.fields_by_name[element.field_name].message_type
    values = holder.fields_by_name[last.field_name].enum_type.values_by_number
    return " or ".join(values[number].name for number in found.rule_value)


def _sentence(violation: Violation) -> str:
    return f"The field {violation.field or 'combination'} breaks a rule: {violation.description}."


def _path(found: protovalidate.Violation) -> str:
    """Writes the field's path as protobuf's own tools do: ``contact.attributes["city"]``, ``names[3]``."""
    return ".".join(element.field_name + _subscript(element) for element in _elements(found))


def _elements(found: protovalidate.Violation) -> Sequence[FieldPathElementPb]:
    return found.proto.field.elements if found.proto.field else ()


def _subscript(element: FieldPathElementPb) -> str:
    if element.subscript is None:
        return ""
    if element.subscript.field == "string_key":
        return f'["{element.subscript.value[:_LONGEST_KEY]}"]'
    return f"[{element.subscript.value}]"
