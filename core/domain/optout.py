"""When a person says stop: the words that count as it, and what WhatsApp itself tells about preferences."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.domain.interactions import Inbound, InteractionKind, Person

# What a whole reply must say, after normalisation. A word inside a sentence does not count: "don't stop" is no opt-out.
STOP_WORDS: Final = frozenset(
    {
        # English
        "stop", "stop all", "stopall", "unsubscribe", "opt out", "optout", "cancel", "quit", "end", "remove me",
        "stop promotions", "stop marketing", "no more messages",
        # French
        "arret", "arreter", "desabonner", "desinscription", "me desabonner", "stop pub",
        # Spanish
        "baja", "parar", "salir", "alto", "detener", "cancelar suscripcion", "darme de baja", "no mas mensajes",
        # Portuguese
        "sair", "cancelar", "descadastrar", "remover", "parar mensagens", "cancelar inscricao",
        # German
        "stopp", "abmelden", "abbestellen", "austragen", "keine werbung",
        # Italian
        "ferma", "annulla", "cancellami", "disiscrivimi", "basta",
        # Dutch
        "afmelden", "uitschrijven", "stoppen",
        # Scandinavian
        "avsluta", "avregistrera", "avmeld", "afmeld", "lopeta",
        # Polish, Czech, Romanian, Turkish, Indonesian
        "wypisz", "rezygnuje", "odhlasit", "zrusit", "dezabonare", "dezabonează", "dur", "iptal", "ret", "berhenti",
        # Russian, Ukrainian
        "стоп", "отписаться", "отмена", "відписатися",
        # Arabic, Hebrew, Hindi
        "توقف", "إيقاف", "الغاء", "إلغاء", "ايقاف", "הסר", "הסרה", "रोकें", "बंद करो", "बंद करें",
        # Chinese, Japanese, Korean
        "停止", "退订", "退訂", "取消订阅", "配信停止", "수신거부", "중지",
    }
)  # fmt: skip

_NOT_WORDS = re.compile(r"[^\w\s]|_", re.UNICODE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """Holds a person's choice about marketing, made in WhatsApp's own settings."""

    person: Person
    phone_number_id: str
    consent: str
    event_time: datetime


def says_stop(text: str) -> bool:
    """Tells whether the whole text, whatever its case, accents, spaces and punctuation, is a word of opting out."""
    return len(text) <= 64 and normalise(text) in _NORMALISED  # noqa: PLR2004  # longer is a letter, not a word


def normalise(text: str) -> str:
    """Returns the text without case, accents, punctuation, emoji and doubled spaces."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in decomposed if not _is_mark(letter))
    return " ".join(_NOT_WORDS.sub(" ", bare).split())


def is_opt_out(inbound: Inbound) -> bool:
    """Tells whether a reply or a tapped button opts out; a caption or a reaction never does."""
    if inbound.kind is InteractionKind.TEXT:
        return says_stop(inbound.text)
    if inbound.kind is InteractionKind.BUTTON:
        return says_stop(inbound.text) or says_stop(str(inbound.payload.get("payload", "")))
    return False


def _is_mark(letter: str) -> bool:
    """Tells what NFKD splits off and what joins letters invisibly; vowel signs (Mc) and half letters stay."""
    return unicodedata.category(letter) in {"Mn", "Cf"}


_NORMALISED: Final = frozenset(normalise(word) for word in STOP_WORDS)
