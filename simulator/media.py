"""Simulator, media: uploaded files in memory, with Meta's limits of type, size and time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from simulator.errors import Refusal

URL_SECONDS: Final = 300
KEEP_SECONDS: Final = 30 * 86_400
INBOUND_KEEP_SECONDS: Final = 7 * 86_400
_KB: Final = 1024
_MB: Final = 1024 * 1024

# MIME type → most bytes.
TYPES: Final[dict[str, int]] = {
    **dict.fromkeys(("image/jpeg", "image/png"), 5 * _MB),
    "image/webp": 500 * _KB,
    **dict.fromkeys(("video/mp4", "video/3gpp"), 16 * _MB),
    **dict.fromkeys(("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"), 16 * _MB),
    **dict.fromkeys(
        (
            "text/plain",
            "application/pdf",
            "application/msword",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ),
        100 * _MB,
    ),
}


@dataclass(slots=True, eq=False)
class Media:
    """One file; each of its urls works for five minutes after it was asked for."""

    id: str
    number_id: str
    mime_type: str
    data: bytes
    sha256: str
    expire_time: float


class MediaStore:
    """Files by id; beyond the limit of bytes the oldest are forgotten."""

    def __init__(self, ids: Iterator[int]) -> None:
        self._files: dict[str, Media] = {}
        self._bytes = 0
        self._ids = ids

    def add(
        self,
        *,
        number_id: str,
        mime_type: str,
        data: bytes,
        now: float,
        limit: int,
        keep_seconds: float = KEEP_SECONDS,
    ) -> Media:
        """Stores a file; refuses unknown types and files that are too large."""
        base = mime_type.partition(";")[0].strip().lower()
        if base not in TYPES:
            raise Refusal(131053, f"Media type {base or 'unknown'} is not supported.")
        if len(data) > TYPES[base]:
            raise Refusal(131053, f"A file of type {base} has at most {TYPES[base]} bytes.")
        media = Media(
            id=str(next(self._ids)),
            number_id=number_id,
            mime_type=base,
            data=data,
            sha256=hashlib.sha256(data).hexdigest(),
            expire_time=now + keep_seconds,
        )
        self._files[media.id] = media
        self._bytes += len(data)
        while self._bytes > limit and len(self._files) > 1:
            self.remove(next(iter(self._files)))
        return media

    def get(self, media_id: str, *, now: float) -> Media | None:
        """Returns a file that has not expired."""
        media = self._files.get(media_id)
        return media if media is not None and media.expire_time > now else None

    def remove(self, media_id: str) -> None:
        """Forgets a file."""
        media = self._files.pop(media_id, None)
        if media is not None:
            self._bytes -= len(media.data)


def parse_multipart(content_type: str, body: bytes) -> dict[str, tuple[bytes, str]]:
    """Returns the parts of a form by name, each with its own content type; refuses what is no form."""
    _, _, rest = content_type.partition("boundary=")
    boundary = rest.split(";")[0].strip().strip('"').encode()
    if not content_type.lower().startswith("multipart/form-data") or not boundary:
        raise Refusal(100, "The request must be multipart/form-data.")
    parts: dict[str, tuple[bytes, str]] = {}
    for piece in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:]:
        head, separator, data = piece.partition(b"\r\n\r\n")
        if separator:
            name, kind = _part_head(head.decode("utf-8", "replace"))
            parts[name] = (data, kind)
    return parts


def _part_head(head: str) -> tuple[str, str]:
    name = kind = ""
    for line in head.split("\r\n"):
        label, _, value = line.partition(":")
        if label.strip().lower() == "content-type":
            kind = value.strip()
        elif label.strip().lower() == "content-disposition":
            _, _, rest = value.partition(' name="')
            name = rest.partition('"')[0] or value.partition(" name=")[2].split(";")[0].strip()
    return name, kind
