"""Uploaded files and the form they come in."""

from itertools import count

import pytest

from simulator.errors import Refusal
from simulator.media import MediaStore, parse_multipart

FORM = (
    b'preamble\r\n--XyZ\r\nContent-Disposition: form-data; name="messaging_product"\r\n\r\nwhatsapp\r\n'
    b'--XyZ\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    b"\x89PNG\r\n\r\n--Xy\x00\xff\r\n--XyZ--\r\n"
)


def test_a_form_is_taken_apart_byte_for_byte() -> None:
    parts = parse_multipart("multipart/form-data; boundary=XyZ", FORM)
    assert parts == {"messaging_product": (b"whatsapp", ""), "file": (b"\x89PNG\r\n\r\n--Xy\x00\xff", "image/png")}


def test_what_is_no_form_is_refused() -> None:
    with pytest.raises(Refusal):
        parse_multipart("application/json", b"{}")


@pytest.mark.parametrize(("mime_type", "size"), [("image/gif", 1), ("", 1), ("image/png", 5 * 1024 * 1024 + 1)])
def test_unknown_types_and_large_files_are_refused(mime_type: str, size: int) -> None:
    with pytest.raises(Refusal) as refused:
        MediaStore(count(1)).add(number_id="1", mime_type=mime_type, data=b"x" * size, now=0.0, limit=10**9)
    assert refused.value.code == 131053


def test_files_live_thirty_days() -> None:
    store = MediaStore(count(1))
    media = store.add(number_id="1", mime_type="image/png", data=b"x", now=0.0, limit=100)
    assert store.get(media.id, now=29 * 86_400) is media
    assert store.get(media.id, now=31 * 86_400) is None


def test_beyond_the_limit_the_oldest_file_goes() -> None:
    store = MediaStore(count(1))
    ids = [store.add(number_id="1", mime_type="image/png", data=b"x" * 40, now=0.0, limit=100).id for _ in range(3)]
    assert [store.get(media_id, now=1.0) is not None for media_id in ids] == [False, True, True]
