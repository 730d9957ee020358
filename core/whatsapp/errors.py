"""What each error of the Cloud API means, as data: retry or not, when, whose fault, what the user is told."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from core.domain.outcomes import Effect, ErrorClass, Scope, Verdict
from core.domain.retries import RetryChoice

_EXPONENTIAL = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
_HOLD = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
_CALLS = (60.0, 300.0, 900.0)
_HOUR, _DAY = 3600.0, 86_400.0
_PAIR = (1.0, 4.0, 16.0, 64.0, 256.0)


def _retry(
    words: str,
    *,
    delays: tuple[float, ...] = _EXPONENTIAL,
    tries: int = 6,
    systematic: bool = False,
    scope: Scope = Scope.NONE,
    jitter: bool = True,
) -> Verdict:
    return Verdict(
        error_class=ErrorClass.RETRY_LATER,
        scope=scope,
        words=words,
        delays=delays,
        max_tries=tries,
        jitter=jitter,
        systematic=systematic,
    )


def _slow(words: str, *, delays: tuple[float, ...], scope: Scope = Scope.SENDER) -> Verdict:
    effect = Effect.SLOW_SENDER if scope is Scope.SENDER else Effect.NONE
    return Verdict(
        error_class=ErrorClass.RETRY_LATER, scope=scope, words=words, effect=effect, delays=delays, max_tries=6
    )


def _throttle(words: str, *, delays: tuple[float, ...] = _HOLD, scope: Scope = Scope.SENDER) -> Verdict:
    return Verdict(
        error_class=ErrorClass.THROTTLE,
        scope=scope,
        words=words,
        effect=Effect.SLOW_SENDER,
        delays=delays,
        counts=False,
    )


def _message(words: str, *, systematic: bool = False, effect: Effect = Effect.NONE) -> Verdict:
    return Verdict(
        error_class=ErrorClass.PERMANENT_RECIPIENT,
        scope=Scope.MESSAGE,
        words=words,
        effect=effect,
        systematic=systematic,
    )


def _contact(words: str, *, effect: Effect = Effect.NONE) -> Verdict:
    return Verdict(error_class=ErrorClass.PERMANENT_RECIPIENT, scope=Scope.CONTACT, words=words, effect=effect)


def _stop(
    error_class: ErrorClass, scope: Scope, words: str, *, systematic: bool = False, probe: float = 0.0
) -> Verdict:
    return Verdict(
        error_class=error_class,
        scope=scope,
        words=words,
        effect=Effect.PAUSE,
        counts=False,
        systematic=systematic,
        probe_seconds=probe,
    )


def _template(words: str, *, systematic: bool = False) -> Verdict:
    return _stop(ErrorClass.PERMANENT_TEMPLATE, Scope.TEMPLATE, words, systematic=systematic)


def _auth(words: str) -> Verdict:
    return _stop(ErrorClass.AUTH, Scope.CREDENTIAL, words)


def _sender(words: str, *, probe: float = 0.0) -> Verdict:
    return _stop(ErrorClass.ACCOUNT, Scope.SENDER, words, probe=probe)


def _account(words: str, *, probe: float = 0.0) -> Verdict:
    return _stop(ErrorClass.ACCOUNT, Scope.ACCOUNT, words, probe=probe)


def _ignored(words: str) -> Verdict:
    return Verdict(error_class=ErrorClass.IGNORED, scope=Scope.NONE, words=words, counts=False)


_NO_ACCESS = _auth("WhatsApp refused our access token or its permissions.")
_SETUP = _sender("The sender's registration with WhatsApp is not in order.")
_ELSEWHERE = _ignored("An error of a part of WhatsApp that Chappe does not use.")

TABLE: Mapping[int, Verdict] = MappingProxyType(
    {
        0: _NO_ACCESS,
        3: _auth("The WhatsApp app lacks a capability it needs to send."),
        10: _auth("The WhatsApp app lacks a permission it needs to send."),
        102: _NO_ACCESS,
        104: _NO_ACCESS,
        190: _auth("The access token has expired or is not valid any more."),
        131005: _NO_ACCESS,
        1: _retry("WhatsApp could not handle the request.", tries=3, systematic=True),
        2: _retry("WhatsApp is down or overloaded.", delays=(300.0,)),
        4: _throttle("The app has used up its calls to WhatsApp.", delays=_CALLS, scope=Scope.APP),
        613: _throttle("The app calls WhatsApp too often.", delays=_CALLS, scope=Scope.APP),
        80007: _throttle("The WhatsApp account has used up its calls.", delays=_CALLS, scope=Scope.ACCOUNT),
        80008: _throttle("The WhatsApp account has used up its calls.", delays=_CALLS, scope=Scope.ACCOUNT),
        130429: _throttle("The sender was faster than WhatsApp allows."),
        131056: Verdict(
            error_class=ErrorClass.THROTTLE_PAIR,
            scope=Scope.PAIR,
            words="Too many messages to this contact in a short time.",
            delays=_PAIR,
            counts=False,
        ),
        131048: _sender("WhatsApp restricted the sender because too many people blocked or reported it.", probe=_HOUR),
        131064: _account("WhatsApp limited the account because templates were put in the wrong category.", probe=_DAY),
        133016: _retry(
            "The sender was registered too often; WhatsApp wants a pause of hours.", delays=(3600.0,), jitter=False
        ),
        33: _sender("WhatsApp does not know the sender (any more)."),
        368: _account("WhatsApp blocked the account for a while because of a policy violation."),
        131031: _account("WhatsApp locked or restricted the account."),
        130497: _message("The account may not message people in this country.", effect=Effect.RESTRICT_COUNTRY),
        131042: _account("There is a problem with the account's payment method."),
        131045: _SETUP,
        133010: _sender("The sender is not registered with WhatsApp."),
        131037: _sender("The sender's display name is not approved yet."),
        131057: _retry("WhatsApp is upgrading the sender.", delays=(60.0,), tries=10, scope=Scope.SENDER, jitter=False),
        134011: _account("The terms of WhatsApp Payments are not accepted yet."),
        131000: _retry("Something went wrong at WhatsApp.", tries=3, systematic=True),
        131016: _retry("WhatsApp is not available.", delays=(30.0, 60.0, 120.0, 240.0, 300.0), jitter=False),
        133004: _retry("WhatsApp is not available."),
        135000: _template("WhatsApp rejected the message's parameters.", systematic=True),
        100: _message("A parameter of the message is not valid.", systematic=True),
        131008: _message("The message lacks a parameter.", systematic=True),
        131009: _message("A value in the message is not valid.", systematic=True),
        131021: _contact("The contact is the sender itself.", effect=Effect.MARK_ABSENT),
        131030: _message("A test number can only write to numbers on its list."),
        131062: _message("This message cannot go to a contact without a phone number."),
        137000: _message("The contact's WhatsApp identity has changed."),
        130403: _contact("We have blocked this contact.", effect=Effect.MARK_ABSENT),
        131026: _contact("The contact is not on WhatsApp, or cannot get this message.", effect=Effect.MARK_ABSENT),
        131047: _message("More than 24 hours have passed since the contact last wrote; only a template may be sent."),
        131049: _message("WhatsApp held this back so that the contact does not get too much marketing."),
        131050: _contact("The contact has stopped marketing messages from this business.", effect=Effect.OPT_OUT),
        130472: _message("WhatsApp left the contact out because of an experiment of its own."),
        131051: _message("WhatsApp does not support this kind of message.", systematic=True),
        131052: _ignored("WhatsApp could not load a file the contact sent."),
        131053: _retry(
            "WhatsApp could not load the message's media.", delays=(60.0, 600.0), tries=3, systematic=True, jitter=False
        ),
        132000: _template("The number of values does not fit the template."),
        132001: _template("The template does not exist in this language, or is not approved."),
        132005: _message("The message is too long with this contact's values.", systematic=True),
        132007: _template("The template's content violates a WhatsApp policy."),
        132008: _message("A value does not fit the template.", systematic=True),
        132012: _message("A value does not fit the template.", systematic=True),
        132015: _template("WhatsApp paused the template because of its quality."),
        132016: _template("WhatsApp disabled the template for good."),
        132018: _message("A value breaks a rule of the template, such as a line break.", systematic=True),
        132068: _template("The template's flow is blocked."),
        132069: _retry("The template's flow is limited to a few messages an hour.", delays=(3600.0,), jitter=False),
        131063: _template("Marketing is switched off for this way of sending."),
        131055: _template("This way of sending takes marketing templates only."),
        134100: _template("This way of sending takes marketing templates only."),
        134101: _retry("WhatsApp is still preparing the template.", delays=(600.0,), jitter=False),
        134102: _template("The template cannot be sent this way."),
        133000: _SETUP,
        133005: _SETUP,
        133006: _SETUP,
        133008: _SETUP,
        133009: _SETUP,
        133015: _SETUP,
        2494100: _ignored("An error of setting up an account or a template."),
        131020: _ELSEWHERE,
        131041: _ELSEWHERE,
        131059: _ELSEWHERE,
    }
)

# First and last code of a range, looked up when the code itself is not in the table.
RANGES: tuple[tuple[int, int, Verdict], ...] = (
    (200, 299, _NO_ACCESS),
    (131200, 131299, _ELSEWHERE),
    (138000, 138999, _ELSEWHERE),
    (139100, 139199, _ELSEWHERE),
    (147000, 147999, _ELSEWHERE),
    (2388000, 2388999, _ignored("An error of setting up an account or a template.")),
)

# The same code means something else when it comes in a receipt, minutes after WhatsApp took the message.
IN_RECEIPTS: Mapping[int, Verdict] = MappingProxyType(
    {
        # So a receipt reads that names no error at all: that says nothing of our token.
        0: _message("WhatsApp does not say why the message failed.", systematic=True),
        131000: _retry("Something went wrong at WhatsApp.", delays=(300.0,), tries=2, systematic=True, jitter=False),
        # A throttle that comes so late costs a message each time: it must end.
        130429: _slow("The sender was faster than WhatsApp allows.", delays=_EXPONENTIAL),
        131056: _slow("Too many messages to this contact in a short time.", delays=_PAIR[2:], scope=Scope.PAIR),
        135000: _account("WhatsApp stopped the campaign after a check of its quality."),
    }
)

# Codes that another try cannot help: the fault is the contact's, or WhatsApp punishes those who try again too soon.
HOPELESS = frozenset({131049, 130472, 130497, *(code for code, found in TABLE.items() if found.scope is Scope.CONTACT)})

# Codes after which WhatsApp wants a contact left alone for a day: who tries sooner is kept from them for longer.
RESTING = frozenset({131049})
REST = timedelta(hours=24)

# Codes whose end WhatsApp announces: it approves the template, frees the account, flags the number no longer.
ENDS_WITH_APPROVAL = frozenset({132001, 132007, 132015, 132016})
ENDS_WITH_RESTRICTION = frozenset({368, 131031, 131064})
ENDS_WITH_FLAG = frozenset({131048})
ACCOUNT_RESTRICTED = 368
COUNTRY_RESTRICTED = 130497
UPGRADING = 131057
# Codes that show that what we know of a template may be out of date.
DOUBTS_TEMPLATE = frozenset({132001})
# As which error a template counts that is in a state in which WhatsApp does not take it.
UNUSABLE_TEMPLATES: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {132015: ("PAUSED",), 132016: ("DISABLED",), 132001: ("PENDING", "REJECTED", "DELETED", "OTHER")}
)

UNKNOWN_CODE = _message("WhatsApp refused the message for a reason that is new to Chappe.", systematic=True)
NO_CODE_THROTTLED = _throttle("The sender was faster than WhatsApp allows.")
NO_CODE_REFUSED = _retry("Something between us and WhatsApp refused the call.", tries=6, systematic=True)
LOST = Verdict(
    error_class=ErrorClass.UNKNOWN, scope=Scope.NONE, words="It is not known whether WhatsApp took the message."
)

_TOO_MANY_REQUESTS = 429
# The call may have been carried on by whoever grew tired of waiting (408, and nginx's 499).
_GAVE_UP_WAITING = frozenset({408, 499})
_CLIENT_ERROR = 400
_SERVER_ERROR = 500


def verdict(code: int, *, in_receipt: bool = False) -> Verdict:
    """Returns what a code means; a code nobody has seen yet fails its message and trips the breaker."""
    if in_receipt and code in IN_RECEIPTS:
        return IN_RECEIPTS[code]
    known = TABLE.get(code)
    if known is not None:
        return known
    return next((found for first, last, found in RANGES if first <= code <= last), UNKNOWN_CODE)


def verdict_without_code(http_status: int) -> Verdict:
    """Returns what an answer means that carries no code of the Cloud API."""
    if http_status == _TOO_MANY_REQUESTS:
        return NO_CODE_THROTTLED
    refused = _CLIENT_ERROR <= http_status < _SERVER_ERROR and http_status not in _GAVE_UP_WAITING
    return NO_CODE_REFUSED if refused else LOST


def retry_choice(error_codes: Iterable[int], *, now: datetime) -> RetryChoice:
    """Returns what a retry of these codes, or of none in particular, tries again."""
    return RetryChoice(
        error_codes=tuple(error_codes),
        hopeless=tuple(sorted(HOPELESS)),
        resting=tuple(sorted(RESTING)),
        rest_since=now - REST,
    )


def words(code: int) -> str:
    """Returns what the user is told about a code."""
    return verdict(code).words
