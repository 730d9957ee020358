"""Every row of the Cloud API's list of errors, as its documents and our policy have it, held against what we do."""

import pytest

from core.domain.outcomes import Effect, ErrorClass, Scope, Verdict, next_try
from core.whatsapp.errors import HOPELESS, verdict

# One row a line: codes, class, † for what trips the breaker, then what is particular to it:
# n3 at most three tries, delays in seconds (j: spread from nothing up to them), >3600 probed after so many seconds,
# (c) the contact's fault, N the number's, W the account's, T the template's, A the credential's,
# app that of the app.
ROWS = """
0 3 10 102 104 190 200 250 299 131005 | AUTH | A
1 | RETRY † | n3 j5,10
2 | RETRY | n6 j300,300
4 613 | THROTTLE | app 60,300,900
80007 80008 | THROTTLE | W 60,300,900
130429 | THROTTLE | N 1,2,4,8,16,32,60,60
131056 | PAIR | 1,4,16,64,256
131048 | ACCOUNT | N >3600
131064 | ACCOUNT | W >86400
133016 | RETRY | n6 3600,3600
33 131045 133010 131037 | ACCOUNT | N
133000 133005 133006 133008 133009 133015 | ACCOUNT | N
368 131031 131042 134011 | ACCOUNT | W
130497 131030 131062 137000 131047 131049 130472 | RECIPIENT |
131021 130403 131026 131050 | RECIPIENT | (c)
100 131008 131009 131051 132005 132008 132012 132018 | RECIPIENT † |
131999 132999 555555 | RECIPIENT † |
131057 | RETRY | n10 60,60
131000 | RETRY † | n3 j5,10
131016 | RETRY | n6 30,60,120,240,300
133004 | RETRY | n6 j5,10,20,40,80
135000 | TEMPLATE † | T
132000 132001 132007 132015 132016 132068 131063 131055 134100 134102 | TEMPLATE | T
132069 | RETRY | n6 3600
131053 | RETRY † | n3 60,600
134101 | RETRY | n6 600
131052 131020 131041 131059 131200 138001 139100 147000 2388001 2494100 | IGNORED |
"""
# What differs when a receipt tells of it, minutes after WhatsApp took the message.
IN_RECEIPTS = """
0 | RECIPIENT † |
131000 | RETRY † | n2 300
131016 | RETRY | n6 30,60,120,240,300
131053 | RETRY † | n3 60,600
133004 | RETRY | n6 j5,10
130429 | RETRY | N n6 5,10,20
131056 | RETRY | n6 16,64,256
135000 | ACCOUNT | W
132015 | TEMPLATE | T
131031 131042 | ACCOUNT | W
131048 | ACCOUNT | N >3600
131045 | ACCOUNT | N
131026 131050 130403 | RECIPIENT | (c)
131047 131049 130472 130497 137000 | RECIPIENT |
131051 131998 | RECIPIENT † |
"""
CLASSES = {
    "AUTH": ErrorClass.AUTH,
    "RETRY": ErrorClass.RETRY_LATER,
    "THROTTLE": ErrorClass.THROTTLE,
    "PAIR": ErrorClass.THROTTLE_PAIR,
    "ACCOUNT": ErrorClass.ACCOUNT,
    "RECIPIENT": ErrorClass.PERMANENT_RECIPIENT,
    "TEMPLATE": ErrorClass.PERMANENT_TEMPLATE,
    "IGNORED": ErrorClass.IGNORED,
}
SCOPES = {
    "A": Scope.CREDENTIAL,
    "N": Scope.SENDER,
    "W": Scope.ACCOUNT,
    "T": Scope.TEMPLATE,
    "app": Scope.APP,
    "(c)": Scope.CONTACT,
}
PAUSING = {"AUTH", "ACCOUNT", "TEMPLATE"}


def rows(table: str) -> list[tuple[int, str, bool, list[str]]]:
    read = []
    for line in table.strip().splitlines():
        codes, kind, more = (part.strip() for part in line.split("|"))
        read += [(int(code), kind.split()[0], "†" in kind, more.split()) for code in codes.split()]
    return read


def waits(found: Verdict, count: int, *, luck: float) -> list[float]:
    """The delays of as many tries as are asked for, each after the one before has failed."""
    tries = []
    for n in range(count):
        charged = n if found.counts else 0
        again = next_try(found, attempt=n + 1, retry_count=charged, luck=luck)
        assert again is not None
        assert again.counts == found.counts
        tries.append(again.delay)
    return tries


def check(found: Verdict, kind: str, *, systematic: bool, more: list[str]) -> None:
    assert (found.error_class, found.systematic) == (CLASSES[kind], systematic)
    scope = next((SCOPES[word] for word in more if word in SCOPES), None)
    assert scope is None or found.scope is scope
    assert (found.effect is Effect.PAUSE) == (kind in PAUSING)
    assert found.counts == (kind in {"RETRY", "RECIPIENT"})
    assert found.probe_seconds == next((float(word[1:]) for word in more if word.startswith(">")), 0.0)
    assert found.words[0].isupper()
    assert found.words.endswith(".")
    delays = next((word for word in more if word.strip("j")[0].isdigit() and not word.startswith("n")), "")
    expected = [float(part) for part in delays.strip("j").split(",") if part]
    assert waits(found, len(expected), luck=1.0) == expected
    assert not delays.startswith("j") or waits(found, len(expected), luck=0.0) == [0.0] * len(expected)
    assert delays.startswith("j") or waits(found, len(expected), luck=0.0) == expected
    if kind not in {"RETRY", "THROTTLE", "PAIR"}:
        assert next_try(found, attempt=1, retry_count=0, luck=1.0) is None


@pytest.mark.parametrize(("code", "kind", "systematic", "more"), rows(ROWS))
def test_an_answer_means_what_the_documents_say(code: int, kind: str, systematic: bool, more: list[str]) -> None:
    found = verdict(code)
    check(found, kind, systematic=systematic, more=more)
    limit = next((int(word[1:]) for word in more if word.startswith("n")), None)
    if limit is not None:
        assert next_try(found, attempt=limit, retry_count=limit - 2, luck=1.0) is not None
        assert next_try(found, attempt=limit, retry_count=limit - 1, luck=1.0) is None
    elif kind in {"THROTTLE", "PAIR"}:
        assert next_try(found, attempt=10_000, retry_count=0, luck=1.0) is not None


@pytest.mark.parametrize(("code", "kind", "systematic", "more"), rows(IN_RECEIPTS))
def test_a_receipt_means_what_the_documents_say(code: int, kind: str, systematic: bool, more: list[str]) -> None:
    found = verdict(code, in_receipt=True)
    check(found, kind, systematic=systematic, more=more)
    limit = next((int(word[1:]) for word in more if word.startswith("n")), None)
    assert limit is None or next_try(found, attempt=limit, retry_count=limit - 1, luck=1.0) is None
    # Each try after a receipt is a message more on its way: none goes on for ever.
    assert next_try(found, attempt=100, retry_count=99, luck=1.0) is None


@pytest.mark.parametrize(
    ("code", "effect"),
    [
        (130429, Effect.SLOW_SENDER),
        (4, Effect.SLOW_SENDER),
        (131056, Effect.NONE),
        (131026, Effect.MARK_ABSENT),
        (131021, Effect.MARK_ABSENT),
        (130403, Effect.MARK_ABSENT),
        (131050, Effect.OPT_OUT),
        (131049, Effect.NONE),
        (130497, Effect.RESTRICT_COUNTRY),
    ],
)
def test_some_errors_change_more_than_their_message(code: int, effect: Effect) -> None:
    assert verdict(code).effect is effect


def test_what_another_try_cannot_help_is_left_out_where_all_failed_ones_are_tried_again() -> None:
    assert {131049, 130472, 130497, 131021, 131026, 131050, 130403} <= HOPELESS
    assert not HOPELESS & {131000, 131053, 131009, 132012}
