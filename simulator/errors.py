"""Simulator, errors: Meta's codes as data, and the two shapes they travel in (REST answer, failed status)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Final

HREF: Final = "/documentation/business-messaging/whatsapp/support/error-codes"


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """One row of the table: the HTTP status of the REST answer and the words of both shapes."""

    http: int
    title: str
    details: str = ""
    prefixed: bool = True


def _row(http: int, title: str, details: str = "", *, prefixed: bool = True) -> ErrorKind:
    return ErrorKind(http=http, title=title, details=details, prefixed=prefixed)


ERRORS: Final[dict[int, ErrorKind]] = {
    0: _row(401, "Authentication exception", prefixed=False),
    1: _row(400, "Unknown API call", "The request was malformed or the call is unknown."),
    2: _row(503, "Service temporarily unavailable", prefixed=False),
    3: _row(500, "Application does not have the capability to make this API call"),
    4: _row(400, "Application request limit reached"),
    10: _row(403, "Application does not have permission for this action"),
    33: _row(400, "The business phone number has been deleted"),
    100: _row(400, "Invalid parameter", "A parameter of the request is not valid.", prefixed=False),
    102: _row(401, "Session key invalid or no longer valid", prefixed=False),
    104: _row(401, "Session key required", prefixed=False),
    190: _row(401, "Invalid OAuth access token - Cannot parse access token", prefixed=False),
    200: _row(403, "Permissions error"),
    368: _row(403, "Temporarily blocked for policies violations"),
    613: _row(429, "Calls to this api have exceeded the rate limit"),
    80007: _row(400, "There have been too many calls to this WhatsApp Business account"),
    80008: _row(400, "There have been too many calls from this WhatsApp Business account"),
    130403: _row(400, "Blocked recipient", "The business has blocked this user."),
    130429: _row(429, "Rate limit hit", "Cloud API message throughput has been reached."),
    130472: _row(400, "User's number is part of an experiment", "The message was not sent as part of an experiment."),
    130497: _row(403, "Business account is restricted from messaging users in this country"),
    131000: _row(500, "Something went wrong", "Message failed to send because of an unknown error."),
    131005: _row(403, "Access denied", "The permission is not granted or was removed."),
    131008: _row(400, "Required parameter is missing", "The request lacks a required parameter."),
    131009: _row(400, "Parameter value is not valid", "A parameter value is not of the expected form."),
    131016: _row(500, "Service unavailable", "A service is temporarily unavailable."),
    131021: _row(400, "Recipient cannot be sender", "The recipient is the sending number itself."),
    131026: _row(400, "Message undeliverable", "The message could not be delivered to this recipient."),
    131030: _row(
        400, "Recipient phone number not in allowed list", "Add the number to the list of allowed recipients."
    ),
    131031: _row(403, "Business Account locked", "The account was locked or restricted."),
    131037: _row(400, "Display name approval needed"),
    131042: _row(400, "Business eligibility payment issue", "There is a problem with the payment method."),
    131045: _row(500, "Incorrect certificate", "The phone number registration has failed."),
    131047: _row(400, "Re-engagement message", "More than 24 hours have passed since the recipient last replied."),
    131048: _row(429, "Spam rate limit hit", "Too many messages from this number were blocked or reported as spam."),
    131049: _row(
        400,
        "This message was not delivered to maintain healthy ecosystem engagement.",
        "The per-user limit of marketing messages was reached.",
    ),
    131050: _row(
        400, "Unable to deliver the message", "The recipient has stopped marketing messages of this business."
    ),
    131051: _row(400, "Unsupported message type", "The message type is not supported."),
    131052: _row(400, "Media download error"),
    131053: _row(400, "Media upload error", "The media could not be fetched or its type is not supported."),
    131055: _row(400, "Method not allowed", "Only marketing templates can be sent through this endpoint."),
    131056: _row(
        400,
        "(Business Account, Consumer Account) pair rate limit hit",
        "Too many messages from this number to the same recipient in a short time.",
    ),
    131057: _row(500, "Account in maintenance mode", "The throughput of this number is being upgraded."),
    131062: _row(400, "Business-scoped user ids are not supported for this message"),
    131063: _row(400, "Marketing messages are disabled on Cloud API"),
    131064: _row(400, "Template misclassification limit"),
    132000: _row(
        400,
        "Number of parameters does not match the expected number of params",
        "body: number of localizable_params (1) does not match the expected number of params (2)",
    ),
    132001: _row(404, "Template name does not exist in the translation"),
    132005: _row(400, "Translated text too long"),
    132007: _row(400, "Template format character policy violated"),
    132008: _row(400, "Parameter value does not match the expected format"),
    132012: _row(400, "Parameter format does not match format in the created template"),
    132015: _row(400, "Template is paused", "The template is paused because of low quality."),
    132016: _row(400, "Template is disabled", "The template was paused too many times and is disabled."),
    132018: _row(400, "Template validation error"),
    132068: _row(400, "Flow is blocked"),
    132069: _row(400, "Flow is throttled", "The flow was sent ten times within the last hour."),
    133000: _row(500, "Incomplete deregistration"),
    133004: _row(503, "Server temporarily unavailable"),
    133005: _row(400, "Two step verification PIN mismatch"),
    133006: _row(400, "Phone number re-verification needed"),
    133008: _row(400, "Too many two step verification PIN guesses"),
    133009: _row(400, "Two step verification PIN guessed too fast"),
    133010: _row(400, "Phone number not registered", "The number is not registered on the platform."),
    133015: _row(400, "The phone number was deleted a moment ago"),
    133016: _row(400, "Too many registration attempts"),
    134011: _row(400, "WhatsApp Payments terms pending"),
    134100: _row(400, "Only marketing messages supported"),
    134101: _row(400, "Template is still being synchronised"),
    134102: _row(500, "Template unavailable for use"),
    135000: _row(
        400, "Generic user error", "The message could not be sent because of an unknown error in its parameters."
    ),
    137000: _row(400, "Recipient identity key mismatch"),
}

_UNKNOWN: Final = ErrorKind(http=400, title="Unknown error")


class Refusal(Exception):
    """A request is refused with one of Meta's codes."""

    def __init__(
        self, code: int, details: str | None = None, *, http: int | None = None, title: str | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.details = details
        self.http = http
        self.title = title
        self.headers: tuple[tuple[str, str], ...] = ()

    @property
    def status(self) -> int:
        """The HTTP status: what the refusal asks for, else the table's."""
        return self.http or ERRORS.get(self.code, _UNKNOWN).http


def rest_error(refusal: Refusal) -> dict[str, Any]:
    """Returns the body of a refused request."""
    kind = ERRORS.get(refusal.code, _UNKNOWN)
    title = refusal.title or kind.title
    error: dict[str, Any] = {
        "message": f"(#{refusal.code}) {title}" if kind.prefixed and not title.startswith("(#") else title,
        "type": "OAuthException",
        "code": refusal.code,
    }
    details = refusal.details or kind.details
    if details and (refusal.details or not refusal.title):
        error["error_data"] = {"messaging_product": "whatsapp", "details": details}
    if refusal.code in (1, 2, 131000, 131016):
        error["is_transient"] = refusal.code != 1
    error["fbtrace_id"] = "A" + os.urandom(10).hex()
    return {"error": error}


def status_error(code: int, details: str | None = None) -> dict[str, Any]:
    """Returns an item of `statuses[].errors[]`."""
    kind = ERRORS.get(code, _UNKNOWN)
    return {
        "code": code,
        "title": kind.title,
        "message": kind.title,
        "error_data": {"details": details or kind.details or kind.title},
        "href": HREF,
    }
