"""What counts as saying stop."""

from datetime import UTC, datetime

import pytest

from core.domain.interactions import Inbound, InteractionKind, Person
from core.domain.optout import STOP_WORDS, is_opt_out, says_stop

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "STOP", "stop", " Stop. ", "STOP!!!", "*stop*", "Stopp", "ARRÊT", "arrêt", "arret", "Désabonner",
        "BAJA", "salir",
        "Parar", "unsubscribe", "Opt-out", "opt out", "stop\u200b",
        "ＳＴＯＰ", "STOP 🛑",
        "СТОП", "отписаться", "إلغاء", "הסר", "停止", "退订", "수신거부", "बंद करो", "Darme de baja", "STOP_PROMOTIONS",
        "cancelar inscrição", "Odhlásit",
    ],
)  # fmt: skip
def test_these_say_stop(text: str) -> None:
    assert says_stop(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "don't stop",
        "Where is the bus stop?",
        "stop by tomorrow",
        "I can't stop laughing",
        "nonstop",
        "🛑",
        "?",
        "s t o p",
        "no",
        "stop " * 30,
    ],
)
def test_these_do_not(text: str) -> None:
    assert not says_stop(text)


def test_every_word_is_found_as_it_is_written_and_in_capitals() -> None:
    assert all(says_stop(word) and says_stop(word.upper()) for word in STOP_WORDS)


@pytest.mark.parametrize(
    ("kind", "text", "payload", "expected"),
    [
        (InteractionKind.TEXT, "stop", {}, True),
        (InteractionKind.BUTTON, "Stop promotions", {}, True),
        (InteractionKind.BUTTON, "No thanks", {"payload": "STOP"}, True),
        (InteractionKind.BUTTON, "Yes", {"payload": "YES"}, False),
        (InteractionKind.MEDIA, "stop", {}, False),
        (InteractionKind.REACTION, "stop", {}, False),
    ],
)
def test_texts_and_buttons_opt_out_and_captions_do_not(
    kind: InteractionKind, text: str, payload: dict[str, str], *, expected: bool
) -> None:
    inbound = Inbound(
        whatsapp_message_id="wamid.1",
        phone_number_id="1",
        person=Person(),
        kind=kind,
        interaction_time=NOON,
        text=text,
        payload=payload,
    )
    assert is_opt_out(inbound) is expected
