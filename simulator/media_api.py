"""Simulator, media endpoints: upload, describe, download, delete."""

from __future__ import annotations

import hashlib
import hmac

from simulator.accounts import Number
from simulator.answers import json_response, query_of
from simulator.errors import Refusal
from simulator.http import Request, Response
from simulator.media import URL_SECONDS, Media, parse_multipart
from simulator.state import World


def upload_media(world: World, number: Number, request: Request) -> Response:
    """Answers `POST /{phone_number_id}/media`."""
    parts = parse_multipart(request.header(b"content-type"), request.body)
    if parts.get("messaging_product", (b"", ""))[0] != b"whatsapp":
        raise Refusal(100, "Parameter 'messaging_product' must be 'whatsapp'.")
    if "file" not in parts:
        raise Refusal(100, "Parameter 'file' is required.")
    data, kind = parts["file"]
    media = world.media.add(
        number_id=number.id,
        mime_type=kind or parts.get("type", (b"", ""))[0].decode("latin-1"),
        data=data,
        now=world.clock.now(),
        limit=world.settings.media_bytes_limit,
    )
    return json_response({"id": media.id})


def get_media(world: World, media: Media, request: Request) -> Response:
    """Answers `GET /{media_id}` with a url that works for five minutes."""
    _check_owner(media, request)
    end = str(int(world.clock.now() + URL_SECONDS))
    return json_response(
        {
            "messaging_product": "whatsapp",
            "url": f"http://{request.header(b'host')}/_media/{media.id}/{end}/{_token(world, media.id, end)}",
            "mime_type": media.mime_type,
            "sha256": media.sha256,
            "file_size": len(media.data),
            "id": media.id,
        }
    )


def delete_media(world: World, media: Media, request: Request) -> Response:
    """Answers `DELETE /{media_id}`."""
    _check_owner(media, request)
    world.media.remove(media.id)
    return json_response({"success": True})


def _check_owner(media: Media, request: Request) -> None:
    if query_of(request).get("phone_number_id", media.number_id) != media.number_id:
        raise Refusal(100, "The media was uploaded by another phone number.")


def _token(world: World, media_id: str, end: str) -> str:
    return hmac.new(world.run, f"{media_id}/{end}".encode(), hashlib.sha256).hexdigest()[:32]


def download_media(world: World, parts: list[str]) -> Response:
    """Answers `GET {url}`; 404 once the url has expired."""
    media_id, end, token, *_ = (*parts[1:], "", "", "")
    now = world.clock.now()
    media = world.media.get(media_id, now=now)
    # Only a time that we wrote ourselves is read as one.
    if media is None or token != _token(world, media_id, end) or float(end) <= now:
        return Response(status=404, body=b"", content_type="text/plain")
    return Response(body=media.data, content_type=media.mime_type)
