"""`chappe webhooks` beyond the door: what was not understood, and having it applied once more."""

import asyncio
import json
import re
import sys
from io import BytesIO

import aiohttp

from server.webhooks.signature import sign
from stack import programs
from stack.stack import Stack
from tests.helpers.webhook_bodies import body


async def run(stack: Stack, *words: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", "webhooks", *words, cwd=programs.ROOT,
        env=programs.environment({**stack.settings, "COLUMNS": "200"}),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def test_what_was_not_understood_is_shown_and_applied_once_more(stack: Stack) -> None:
    secret = json.loads((stack.directory / "secrets.json").read_text())["app_secret"].encode()
    raw = body(field="smart_glasses", things=[1])
    headers = {"X-Hub-Signature-256": sign(raw, secret).decode()}
    async with (
        aiohttp.ClientSession() as session,
        session.post(stack.webhooks_url, data=BytesIO(raw), headers=headers) as answer,
    ):
        assert answer.status == 200

    async with asyncio.timeout(20):
        while "field smart_glasses" not in (shown := (await run(stack, "unknown"))[1]):
            pass
    assert re.search(r"field smart_glasses +1 ", shown)

    assert (await run(stack, "replay"))[0] == 1, "what to apply must be said"
    code, dry = await run(stack, "replay", "--only-strange", "--dry-run")
    assert (code, "given back" in dry) == (0, False)
    code, done = await run(stack, "replay", "--only-strange")
    assert code == 0
    assert "applied again; 0 could not be applied." in done
