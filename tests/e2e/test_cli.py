"""The `chappe` command as a person types it, against a running stack."""

import asyncio
import re
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from core.db import Database
from stack import programs
from stack.stack import Stack
from tests.helpers.eventually import eventually
from tests.helpers.walk import Walk
from tests.helpers.whatsapp import WhatsApp

FILE = "Name;Telefon;Stadt\nJürgen;06 39 98 40 01;Köln\nNobody;12;Köln\nÉmile;+33 (0)6 39 98 40 02;Lille\n"


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs commands with a key in the environment."""

    environment: dict[str, str]

    async def run(self, *words: str) -> tuple[int, str]:
        """Returns the exit code and all that was printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli", *words, cwd=programs.ROOT, env=self.environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode()


@pytest.fixture
def shell(stack: Stack, key: str) -> Shell:
    """A shell in which the printed `export` line was typed."""
    return Shell(programs.environment({**stack.settings, "CHAPPE_API_KEY": key, "COLUMNS": "200"}))


async def test_a_file_is_imported_its_rejects_mended_and_imported_again(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "kunden.csv"
    file.write_bytes(FILE.encode("windows-1252"))
    code, output = await shell.run("contacts", "import", str(file), "--category", "Kunden", "--region", "FR")
    assert (code, "2 created" in output, "1 rejected" in output) == (3, True, True)

    rejects = tmp_path / "kunden.rejects.csv"
    assert "Nobody,12,Köln,3," in rejects.read_text(encoding="utf-8-sig")
    rejects.write_text(rejects.read_text(encoding="utf-8-sig").replace(",12,", ",06 39 98 40 03,"), encoding="utf-8")
    code, output = await shell.run("contacts", "import", str(rejects), "--category", "Kunden", "--region", "FR")
    assert (code, "1 created" in output) == (0, True)

    code, output = await shell.run("contacts", "import", str(file), "--category", "Kunden", "--region", "fr")
    assert "0 created, 0 updated, 2 unchanged" in output
    code, output = await shell.run("categories", "list")
    assert re.search(r"Kunden +3\b", output)


async def test_rows_rejected_again_keep_one_set_of_reasons(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "again.csv"
    file.write_text("name,phone,reject_line,reject_column,reject_reason\nAda,12,7,phone,Old\n", encoding="utf-8")
    code, _ = await shell.run("contacts", "import", str(file), "--region", "FR")
    lines = (tmp_path / "again.rejects.csv").read_text(encoding="utf-8-sig").splitlines()
    assert (code, lines[0]) == (3, "name,phone,reject_line,reject_column,reject_reason")
    assert lines[1].startswith("Ada,12,2,phone,")
    assert "Old" not in lines[1]


async def test_rejects_that_could_not_be_written_stop_an_import_before_it_begins(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "unwritten.csv"
    file.write_text("name,phone\nNobody,+33639984099\n", encoding="utf-8")
    code, output = await shell.run("contacts", "import", str(file), "--rejects", str(tmp_path / "nowhere" / "x.csv"))
    assert (code, "Traceback" in output, "--rejects" in output) == (1, False, True)
    _, output = await shell.run("contacts", "import", str(file), "--dry-run")
    assert "1 created" in output


@pytest.mark.parametrize("spoiled", ["clé", "two\nlines"])
async def test_a_key_that_can_be_none_is_refused_in_words(shell: Shell, spoiled: str) -> None:
    code, output = await Shell({**shell.environment, "CHAPPE_API_KEY": spoiled}).run("stats")
    assert (code, "Traceback" in output, "CHAPPE_API_KEY" in output) == (1, False, True)


async def test_what_is_no_name_is_refused_in_words(shell: Shell) -> None:
    code, output = await shell.run("stats", "nonsense")
    assert (code, "must be a name like campaigns/{id}" in output) == (1, True)


async def test_a_campaign_is_made_previewed_started_and_counted(shell: Shell, walk: Walk, whatsapp: WhatsApp) -> None:
    category = await walk.import_numbers(["+33639984101", "+33639984102"])
    _, templates = await shell.run("templates", "list")
    assert re.search(r"spring_sale +en_US .*body.1, body.2, button0.payload", templates)
    code, campaign = await shell.run(
        "campaigns", "create", "By hand", "--sender", walk.sender.name, "--template", walk.template.name,
        "--category", category, "--bind", "body.1=field:display_name|friend", "--bind", "body.2=literal:25 %",
    )  # fmt: skip
    name = campaign.strip()
    assert (code, name.startswith("campaigns/")) == (0, True)
    _, preview = await shell.run("campaigns", "preview", name)
    assert "2 contacts, 2 will get a message, in about a second" in preview
    assert "Hello Contact" in preview

    code, _ = await shell.run("campaigns", "start", name, "--watch")
    assert (code, await whatsapp.accepted_count()) == (0, 2)
    code, output = await shell.run("campaigns", "start", name)
    assert (code, "CAMPAIGN_NOT_STARTABLE" in output) == (1, True)
    _, output = await shell.run("stats", f"{name}/stats")
    assert re.search(r"accepted +2\b", output)
    code, output = await shell.run("recount", name)
    assert (code, "counters equal messages" in output) == (0, True)
    _, output = await shell.run("messages", "list", name)
    assert "+33639984101" in output
    _, output = await shell.run("messages", "export", name)
    assert "2 messages" in output
    code, output = await shell.run("messages", "list", name, "--state", "LOST")
    assert (code, "UNCONFIRMED" in output) == (2, True)


async def test_a_counter_that_is_wrong_is_told_and_set_right(shell: Shell, stack: Stack, walk: Walk) -> None:
    code, message = await shell.run(
        "messages", "send", "+33639984202", "--sender", walk.sender.name, "--template", walk.template.name,
        "--bind", "body.1=literal:you", "--bind", "body.2=literal:25 %",
    )  # fmt: skip
    assert code == 0, message
    campaign = message.strip().partition("/messages/")[0]
    async with Database(url=stack.servers.postgres.url(), pool_size=1) as database, database.connection() as connection:
        wrong = "INSERT INTO counters VALUES ($1, 'HELD', 0, 7, 2)"
        await connection.execute(wrong, UUID(campaign.removeprefix("campaigns/")))
    code, output = await shell.run("recount", campaign)
    assert (code, f"{campaign} HELD" in output, "differing by 2" in output) == (1, True, True), output
    code, output = await shell.run("recount", campaign, "--repair")
    assert (code, "differing by 2, set right" in output) == (0, True), output
    code, output = await shell.run("recount", campaign)
    assert (code, "counters equal messages" in output) == (0, True), output


async def test_a_single_message_is_sent(shell: Shell, walk: Walk, whatsapp: WhatsApp) -> None:
    code, name = await shell.run(
        "messages", "send", "+33639984201", "--sender", walk.sender.name, "--template", walk.template.name,
        "--bind", "body.1=literal:you", "--bind", "body.2=literal:25 %",
    )  # fmt: skip
    assert (code, "/messages/" in name) == (0, True), name

    async def is_accepted() -> bool:
        return await whatsapp.accepted_count() == 1

    await eventually(is_accepted, message="the single message is accepted")


async def test_what_goes_wrong_is_said_in_one_line(shell: Shell, stack: Stack) -> None:
    stranger = Shell({**shell.environment, "CHAPPE_API_KEY": "chappe_v_wrong"})
    unknown = Shell({**shell.environment, "CHAPPE_API_KEEY": "typo"})
    astray = Shell({**shell.environment, "CHAPPE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"})
    for where, words, expected in (
        (stranger, ("categories", "list"), "API_KEY_INVALID"),
        (unknown, ("categories", "list"), "CHAPPE_API_KEEY"),
        (shell, ("campaigns", "start", "campaigns/nonsense"), "name"),
        (astray, ("migrate",), "database does not answer"),
        (astray, ("serve",), "database does not answer"),
        (astray, ("webhooks",), "database does not answer"),
        (astray, ("worker",), "database does not answer"),
        (shell, ("recount", "campaigns/nonsense"), "nonsense"),
        (shell, ("recount", f"campaigns/{UUID(int=1)}"), "no such campaign"),
        (shell, ("campaigns", "create", "x", "--sender", "s", "--template", "t", "--bind", "nonsense"), "nonsense"),
    ):
        code, output = await where.run(*words)
        assert code != 0
        assert expected in output
        assert "Traceback" not in output


async def test_the_doctor_finds_everything_well(shell: Shell) -> None:
    code, output = await shell.run("doctor")
    assert (code, "✗" in output) == (0, False), output


async def test_the_doctor_says_what_is_wrong_in_words(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never answers
        base_url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        amiss = {"CHAPPE_HASH_KEY": "", "CHAPPE_WHATSAPP_APP_SECRET": "", "CHAPPE_WHATSAPP_BASE_URL": base_url}
        code, output = await Shell({**shell.environment, **amiss}).run("doctor")
    assert code == 1
    assert "✗ WhatsApp   no answer within 5 s" in output
    assert "✗ webhooks   CHAPPE_WHATSAPP_APP_SECRET not set; no webhook can be taken" in output
    assert "✗ opt-outs   CHAPPE_HASH_KEY is not set" in output


async def test_the_doctor_does_not_take_an_error_for_an_answer(shell: Shell) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        code, output = await Shell({**shell.environment, "CHAPPE_WHATSAPP_BASE_URL": base_url}).run("doctor")
    assert code == 1
    assert "answers with an error of its own: 503" in " ".join(output.split())
