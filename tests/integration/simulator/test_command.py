"""The command: ready, stopped gracefully, and silent about its secrets."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.helpers.eventually import eventually
from tests.integration.simulator.helpers import Meta, Receiver


@asynccontextmanager
async def _running(
    folder: Path, *flags: str, **variables: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    port_file = folder / "port"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--port", "0", "--port-file", str(port_file), *flags),
        env={**os.environ, **variables},
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        await eventually(port_file.exists)
        yield process, int(port_file.read_text(encoding="ascii"))
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_it_serves_until_it_is_terminated_and_never_prints_a_secret(tmp_path: Path, receiver: Receiver) -> None:
    secrets = {"SIMULATOR_APP_SECRET": "the-app-secret", "SIMULATOR_ACCESS_TOKEN": "one-token,the-access-token"}
    flags = ("--profile", "fast", "--seed", "7", "--webhook-url", receiver.url, "--verbose")
    async with _running(tmp_path, *flags, **secrets) as (process, port):
        async with Meta(f"http://127.0.0.1:{port}") as meta:
            assert await meta.sim("GET", "health") == {"ready": True, "profile": "fast", "seed": 7}
            reply = await meta.send()
            await eventually(lambda: receiver.names(reply.wamid) == ["sent", "delivered", "read"])
        process.send_signal(signal.SIGTERM)
        out, err = await asyncio.wait_for(process.communicate(), 5)
        assert process.returncode == 0
        assert b"listening on" in err
        assert not any(word in out + err for word in (b"the-app-secret", b"one-token", b"15550100777"))


async def test_accounts_can_come_from_a_file(tmp_path: Path) -> None:
    number = {"id": "7", "display_phone_number": "+1 555 010 0009", "throughput": 20}
    template = {
        "name": "hi",
        "language": "de",
        "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Hallo"}],
    }
    seed_file = tmp_path / "seed.json"
    seed_file.write_text(json.dumps({"wabas": [{"id": "8", "phone_numbers": [number], "templates": [template]}]}))
    flags = ("--seed-file", str(seed_file), "--access-token", "the-access-token", "--set", "limits.pair_capacity=1")
    async with _running(tmp_path, *flags) as (_, port), Meta(f"http://127.0.0.1:{port}") as meta:
        reply = await meta.send(number="7", name="hi", language="de", values=())
        assert reply.status == 200
        assert (await meta.send(number="7", name="hi", language="de", values=())).code == 131056


async def test_a_seed_that_is_none_ends_with_a_reason(tmp_path: Path) -> None:
    seed_file = tmp_path / "seed.json"
    seed_file.write_text("[]")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--port", "0", "--seed-file", str(seed_file)),
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 2
    assert b"must hold a JSON object" in err


async def test_a_profile_of_the_environment_that_is_none_ends_with_a_reason() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--port", "0"),
        env={**os.environ, "SIMULATOR_PROFILE": "typo"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 2
    assert b"'typo' is none of" in err
    assert b"Traceback" not in err
