"""Innermost: every message a caller sends keeps the rules written in the contract."""

import protovalidate
from google.protobuf.message import Message
from protovalidate import FieldPathElementPb

from core.domain.errors import InvalidArgument, Violation
from server.call import Call
from server.interceptors.base import Proceed
from server.interceptors.pattern_words import pattern_words

_LONGEST_KEY = 64
_PATTERN = "string.pattern"


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
            violations = [_violation(violation) for violation in found]
            text = (
                f"The request breaks {len(found)} rules of the contract."
                if len(found) > 1
                else _sentence(violations[0])
            )
            raise InvalidArgument("REQUEST_INVALID", text, violations=violations)


def _violation(found: protovalidate.Violation) -> Violation:
    rule = found.proto.rule_id
    words = pattern_words(str(found.rule_value)) if rule == _PATTERN else found.proto.message
    return Violation(field=_path(found), description=words, reason=rule)


def _sentence(violation: Violation) -> str:
    return f"The field {violation.field or 'combination'} breaks a rule: {violation.description}."


def _path(found: protovalidate.Violation) -> str:
    """Writes the field's path as protobuf's own tools do: ``contact.attributes["city"]``, ``names[3]``."""
    elements = found.proto.field.elements if found.proto.field else ()
    return ".".join(element.field_name + _subscript(element) for element in elements)


def _subscript(element: FieldPathElementPb) -> str:
    if element.subscript is None:
        return ""
    if element.subscript.field == "string_key":
        return f'["{element.subscript.value[:_LONGEST_KEY]}"]'
    return f"[{element.subscript.value}]"
