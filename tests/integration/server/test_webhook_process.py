"""The webhook door as a process: it says where it listens, leaves politely, and keeps what it heard out of its logs."""

import signal
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from server.webhooks.signature import sign
from stack.process import StartError
from tests.helpers.eventually import eventually
from tests.helpers.processes import Processes, port_of

SECRET = b"app-secret"
BODY = (
    b'{"entry":[{"changes":[{"field":"messages","value":{"messages":[{"from":"4917012345678","text":"private"}]}}]}]}'
)


@pytest.fixture
def processes(fresh_database_url: str, queue_url: str, tmp_path: Path) -> Iterator[Processes]:
    given = {
        "CHAPPE_DATABASE_URL": fresh_database_url, "CHAPPE_QUEUE_URL": queue_url, "CHAPPE_WEBHOOKS_PORT": "0",
        "CHAPPE_WHATSAPP_APP_SECRET": SECRET.decode(), "CHAPPE_WHATSAPP_VERIFY_TOKEN": "verify-me",
        "CHAPPE_LOG_LEVEL": "DEBUG",
    }  # fmt: skip
    with Processes(directory=tmp_path, settings=given) as processes:
        yield processes


async def test_it_serves_then_leaves_politely_and_its_log_holds_nothing_it_heard(processes: Processes) -> None:
    door = processes.start("webhooks")
    async with aiohttp.ClientSession(base_url=f"http://127.0.0.1:{port_of(door)}") as session:
        for secret, status in ((SECRET, 200), (b"wrong", 403)):
            signature = sign(BODY, secret).decode()
            headers = {"X-Hub-Signature-256": signature}
            async with session.post("/webhooks/whatsapp", data=BODY, headers=headers) as reply:
                assert reply.status == status
    door.send(signal.SIGTERM)
    await eventually(lambda: not door.is_running())
    log = door.command.log_file.read_text()
    assert "the webhook door is closed" in log
    assert not any(secret in log for secret in ("4917012345678", "private", "sha256=", SECRET.decode(), "verify-me"))


async def test_it_says_in_one_line_that_its_port_is_taken(processes: Processes) -> None:
    first = processes.start("webhooks")
    with pytest.raises(StartError, match="chappe webhooks: cannot listen on port"):
        processes.start("webhooks", name="second", settings={"CHAPPE_WEBHOOKS_PORT": str(port_of(first))})
