"""Files: their urls, each of which lives its own five minutes, and their ids, which never come again."""

import aiohttp

from tests.integration.simulator.helpers import NUMBER, Meta


async def _upload(meta: Meta) -> str:
    form = aiohttp.FormData()
    form.add_field("messaging_product", "whatsapp")
    form.add_field("file", b"\x89PNG", content_type="image/png", filename="a.png")
    reply = await meta.call("POST", f"/v25.0/{NUMBER}/media", data=form)
    return str(reply.json["id"])


async def _url(meta: Meta, media_id: str) -> str:
    return str((await meta.call("GET", f"/v25.0/{media_id}")).json["url"])


async def test_a_second_url_leaves_the_first_one_its_five_minutes(meta: Meta) -> None:
    await meta.sim("POST", "clock", {"factor": 0})
    media_id = await _upload(meta)
    first = await _url(meta, media_id)
    await meta.sim("POST", "clock", {"advance": 200})
    second = await _url(meta, media_id)
    assert [(await meta.call("GET", url)).status for url in (first, second)] == [200, 200]
    await meta.sim("POST", "clock", {"advance": 100})
    assert [(await meta.call("GET", url)).status for url in (first, second)] == [404, 200]
    await meta.sim("POST", "clock", {"advance": 200})
    assert (await meta.call("GET", second)).status == 404


async def test_a_url_is_for_one_file_and_one_time(meta: Meta) -> None:
    first, second = await _upload(meta), await _upload(meta)
    url = await _url(meta, first)
    *start, _, end, token = url.split("/")
    for strange in (url.replace(first, second), f"{url}0", "/".join((*start, first, f"{end}0", token))):
        assert (await meta.call("GET", strange)).status == 404, strange
    assert (await meta.call("GET", url, token="wrong")).status == 401


async def test_an_id_does_not_come_again_after_a_reset(meta: Meta) -> None:
    first = await _upload(meta)
    await meta.sim("POST", "reset")
    assert (await meta.call("GET", f"/v25.0/{first}")).code == 100
    assert await _upload(meta) != first
