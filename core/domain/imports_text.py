"""Bytes of a file into text: which encoding it is in, found out as far as the bytes have come."""

import codecs
import io
from typing import Final

from core.domain.errors import InvalidArgument

DAMAGED: Final = "\ufffd"  # stands where bytes mean nothing in the file's encoding
_LONGEST_CHARACTER: Final = 4
_SAMPLE: Final = 64  # bytes that tell UTF-16 from what is no text
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins like UTF-16's, so it is looked for first
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_TEXT_FAMILIES: Final = (
    "ascii", "utf", "iso8859", "latin", "cp", "koi8", "mac", "shift_jis", "euc", "gb", "big5", "johab", "tis", "hp",
)  # fmt: skip
_NO_TEXT: Final = (
    (b"PK\x03\x04", "This is a spreadsheet workbook; save it as CSV and import that."),
    (b"\xd0\xcf\x11\xe0", "This is a spreadsheet workbook; save it as CSV and import that."),
    (b"%PDF", "This is a PDF document, not a CSV file."),
    (b"\x1f\x8b", "This file is compressed; unpack it first."),
)


class TextReader:
    """Decodes a file cut into pieces anywhere; all line ends come out as one newline.

    A byte order mark decides; else text is UTF-8 unless its bytes say that it cannot be, then Windows-1252, which
    spreadsheets on Windows write and which holds all of Latin-1. Refuses what is no text with ``ENCODING_UNKNOWN``.
    """

    def __init__(self, encoding: str = "") -> None:
        self._asked = _known(encoding) if encoding else ""
        self._begun = False
        self._held = b""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._newlines = io.IncrementalNewlineDecoder(None, translate=True)
        self.encoding = self._asked

    def feed(self, piece: bytes, *, final: bool = False) -> str:
        """Returns what the bytes so far add to the text; the last piece may be empty."""
        self._held += piece
        if not self._begun and not self._begin(final=final):
            return ""
        return self._newlines.decode(self._decode(final=final), final=final)

    def _begin(self, *, final: bool) -> bool:
        if len(self._held) < _SAMPLE and not final:
            return False
        self._begun = True
        _check_text(self._held)
        for mark, encoding in _BOMS:
            if self._held.startswith(mark):
                self._held = self._held[len(mark) :]
                self._open(self._asked or encoding)
                return True
        wide = self._asked or _wide_encoding(self._held)
        if wide:
            self._open(wide)
        return True

    def _open(self, encoding: str) -> codecs.IncrementalDecoder:
        self.encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        return self._decoder

    def _decode(self, *, final: bool) -> str:
        if self._decoder is None:
            return self._decode_undecided(final=final)
        held, self._held = self._held, b""
        return self._decoder.decode(held, final)

    def _decode_undecided(self, *, final: bool) -> str:
        """ASCII so far: it is the same in both encodings, so the choice waits for the first byte that tells."""
        first = _first_beyond_ascii(self._held)
        told = self._held[first:]
        if told and (final or len(told) >= _LONGEST_CHARACTER):
            self._open(_narrow_encoding(told))
            return self._decode(final=final)
        plain, self._held = self._held[:first], told
        if final:
            self.encoding = "utf-8"
        return plain.decode("ascii")


def _known(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        name = ""
    if name == "utf-8-sig":
        return "utf-8"
    if not name.startswith(_TEXT_FAMILIES):
        raise InvalidArgument("ENCODING_UNKNOWN", "This encoding is not known; leave it empty to have it found out.")
    return name


def _check_text(begin: bytes) -> None:
    for mark, description in _NO_TEXT:
        if begin.startswith(mark):
            raise InvalidArgument("ENCODING_UNKNOWN", description)


def _wide_encoding(begin: bytes) -> str:
    """UTF-16 without its mark: every other byte of a header is zero."""
    sample = begin[:_SAMPLE]
    if b"\0" not in sample:
        return ""
    half = len(sample) // 2
    for name, high in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
        if half and high.count(0) >= half * 0.9 and sample.count(0) <= half * 1.1:
            return name
    raise InvalidArgument("ENCODING_UNKNOWN", "The file begins with NUL bytes, which no text has; is it a CSV file?")


def _first_beyond_ascii(held: bytes) -> int:
    if held.isascii():
        return len(held)
    return next(index for index, byte in enumerate(held) if byte > 127)  # noqa: PLR2004  # the last of ASCII


def _narrow_encoding(told: bytes) -> str:
    """UTF-8 with a few damaged bytes is still UTF-8: what is read rightly outweighs what is not."""
    text = codecs.getincrementaldecoder("utf-8")(errors="replace").decode(told)
    damaged = text.count(DAMAGED)
    right = sum(1 for letter in text if letter > "\x7f") - damaged
    return "utf-8" if right > damaged or not damaged else "windows-1252"
