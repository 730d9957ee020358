"""The server as a process: it starts or says why not, serves, and leaves without cutting anyone off."""

import asyncio
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import grpc
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from redis.asyncio import Redis

from core.db import Database
from core.repositories.rooms import Store
from server.keys import create_key
from stack import programs
from stack.ports import Ports
from stack.postgres import Postgres
from stack.process import Command, Process
from stack.ready import by_port_file
from tests.helpers.doors import Stub
from tests.helpers.eventually import eventually
from tests.helpers.frozen import closed
from tests.helpers.servers import Databases

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
Settings = dict[str, str]


@pytest.fixture
def settings(database_url: str, cache_url: str, queue_url: str) -> Settings:
    urls = {"DATABASE_URL": database_url, "CACHE_URL": cache_url, "QUEUE_URL": queue_url, "GRPC_PORT": "0"}
    return {f"CHAPPE_{name}": url for name, url in urls.items()}


def server(settings: Settings, directory: Path, *arguments: str) -> Process:
    port_file = directory / "server.port"
    return Process(
        Command(
            name="server",
            argv=(sys.executable, "-m", "server", *arguments),
            log_file=directory / "server.log",
            ready=by_port_file(port_file),
            port_file=port_file,
            env=programs.environment({**settings, "CHAPPE_PORT_FILE": str(port_file)}),
        )
    )


@asynccontextmanager
async def channel_to(
    process: Process, credentials: grpc.ChannelCredentials | None = None
) -> AsyncIterator[grpc.aio.Channel]:
    assert process.command.port_file is not None
    address = f"127.0.0.1:{process.command.port_file.read_text().strip()}"
    options = [("grpc.ssl_target_name_override", "chappe.test"), ("grpc.use_local_subchannel_pool", 1)]
    if credentials is None:
        async with grpc.aio.insecure_channel(address, options=options[1:]) as channel:
            yield channel
    else:
        async with grpc.aio.secure_channel(address, credentials, options=options) as channel:
            yield channel


async def state(channel: grpc.aio.Channel) -> int:
    reply = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
    return int(reply.status)


async def test_a_key_made_in_the_database_opens_the_door(settings: Settings, tmp_path: Path) -> None:
    async with Database(url=settings["CHAPPE_DATABASE_URL"]) as database:
        key = await create_key(Store(database), role="VIEWER")
    with server(settings, tmp_path) as process:
        async with channel_to(process) as channel:
            assert await state(channel) == SERVING
            stub: Stub = channel.unary_unary("/chappe.v1.TemplatesService/ListTemplates")
            made = stub(b"", metadata=[("authorization", f"Bearer {key}")])
            await made
            metadata = dict(await made.trailing_metadata())
    assert metadata["chappe-cache"] == "miss"
    assert key not in (tmp_path / "server.log").read_text()


async def test_calls_that_come_while_the_server_is_held_up_wait(settings: Settings, tmp_path: Path) -> None:
    check = health_pb2.HealthCheckRequest()
    with server(settings, tmp_path) as process:
        async with channel_to(process) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            assert await state(channel) == SERVING
            psutil.Process(process.pid).suspend()
            calls = [asyncio.ensure_future(stub.Check(check, timeout=60)) for _ in range(3000)]
            answered, _ = await asyncio.wait(calls, timeout=1)
            psutil.Process(process.pid).resume()
            replies = await asyncio.gather(*calls)
    assert not answered
    assert {reply.status for reply in replies} == {SERVING}


async def test_a_stopping_server_says_so_ends_its_watches_and_exits_well(settings: Settings, tmp_path: Path) -> None:
    with server(settings, tmp_path) as process:
        child = psutil.Process(process.pid)
        async with channel_to(process) as channel:
            watching = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
            assert (await watching.read()).status == SERVING
            process.send(signal.SIGTERM)
            assert (await watching.read()).status == NOT_SERVING
            assert await watching.read() is grpc.aio.EOF
            assert await watching.code() is grpc.StatusCode.OK
        assert child.wait(timeout=4) == 0  # well before the grace of five seconds: nobody was waited for


async def test_several_processes_share_a_port_and_end_together(settings: Settings, tmp_path: Path) -> None:
    with server(settings, tmp_path, "--processes", "2") as process:
        members = psutil.Process(process.pid).children()
        assert len(members) == 2
        for _ in range(4):
            async with channel_to(process) as channel:
                assert await state(channel) == SERVING
        process.send(signal.SIGTERM)
        gone, alive = psutil.wait_procs(members, timeout=8)
        assert (len(gone), alive) == (2, [])


@pytest.mark.parametrize("first", [0, Ports().take()])
async def test_several_processes_serve_each_on_a_port_of_its_own(
    settings: Settings, tmp_path: Path, first: int
) -> None:
    apart = {**settings, "CHAPPE_GRPC_PORT": str(first)}
    with server(apart, tmp_path, "--processes", "2", "--ports-apart") as process:
        ports = [int(line) for line in (tmp_path / "server.port").read_text().splitlines()]
        assert len(set(ports)) == 2
        assert not first or ports == [first, first + 1]
        for member in psutil.Process(process.pid).children():
            (port,) = {each.laddr.port for each in member.net_connections() if each.status == psutil.CONN_LISTEN}
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                assert await state(channel) == SERVING
            ports.remove(port)
        assert not ports


async def test_members_of_a_group_do_not_outlive_a_killed_parent(settings: Settings, tmp_path: Path) -> None:
    with server(settings, tmp_path, "--processes", "2") as process:
        members = psutil.Process(process.pid).children()
        psutil.Process(process.pid).kill()
        gone, alive = psutil.wait_procs(members, timeout=8)
    assert (len(gone), alive) == (2, [])


async def test_a_member_that_is_stuck_holds_up_no_group(settings: Settings, tmp_path: Path) -> None:
    with server({**settings, "CHAPPE_STOP_GRACE_SECONDS": "0"}, tmp_path, "--processes", "2") as process:
        parent = psutil.Process(process.pid)
        members = parent.children()
        members[0].suspend()
        process.send(signal.SIGTERM)
        assert parent.wait(timeout=12) == 0
        assert not any(member.is_running() for member in members)
    log = (tmp_path / "server.log").read_text()
    assert "did not stop in time" in log
    assert f'"pid":{members[0].pid}' in log


async def test_a_group_that_loses_a_member_ends_and_says_so(settings: Settings, tmp_path: Path) -> None:
    with server(settings, tmp_path, "--processes", "2") as process:
        parent = psutil.Process(process.pid)
        parent.children()[0].kill()
        assert parent.wait(timeout=10) == 1
    assert re.search(r"process [12] of 2 ended by itself \(SIGKILL\)", (tmp_path / "server.log").read_text())


def member_on(parent: psutil.Process, port: int) -> psutil.Process | None:
    members = [each for each in parent.children() if "--member" in each.cmdline()]
    return next((each for each in members if each.environ()["CHAPPE_GRPC_PORT"] == str(port)), None)


async def test_a_group_says_which_of_it_does_not_start_also_while_another_is_stuck(
    settings: Settings, tmp_path: Path
) -> None:
    first = Ports().take()
    apart = {**settings, "CHAPPE_GRPC_PORT": str(first), "CHAPPE_STOP_GRACE_SECONDS": "0"}
    with socket.create_server(("127.0.0.1", first + 1)):
        process = server(apart, tmp_path, "--processes", "2", "--ports-apart")
        process.launch()
        try:
            parent = psutil.Process(process.pid)
            stuck: psutil.Process = await eventually(partial(member_on, parent, first))
            stuck.suspend()
            assert parent.wait(timeout=12) == 1
        finally:
            process.stop()
    assert "process 2 of 2 did not start (exit code 1)" in process.last_lines()


def refusal_to_start(settings: Settings, directory: Path) -> str:
    """Starts a server that cannot start and returns what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "server"],
        env=programs.environment(settings),
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr


async def test_it_says_in_one_line_why_it_does_not_start(
    settings: Settings, databases: Databases, tmp_path: Path
) -> None:
    away = refusal_to_start({**settings, "CHAPPE_DATABASE_URL": "postgresql://u:secret@127.0.0.1:1/x"}, tmp_path)
    assert away.startswith("chappe serve: the database does not answer (CHAPPE_DATABASE_URL)")
    assert away.count("\n") == 1
    assert "secret" not in away
    with databases.empty() as url:
        bare = refusal_to_start({**settings, "CHAPPE_DATABASE_URL": url}, tmp_path)
    assert "run chappe migrate" in bare
    assert bare.count("\n") == 1
    unknown = refusal_to_start({**settings, "CHAPPE_GRPC_PROT": "1"}, tmp_path)
    assert "CHAPPE_GRPC_PROT" in unknown
    with server(settings, tmp_path) as process:
        assert process.command.port_file is not None
        port = process.command.port_file.read_text().strip()
        taken = refusal_to_start({**settings, "CHAPPE_GRPC_PORT": port}, tmp_path)
    assert "cannot listen" in taken


async def test_it_refuses_a_queue_that_evicts(settings: Settings, tmp_path: Path) -> None:
    async with Redis.from_url(settings["CHAPPE_QUEUE_URL"]) as redis:
        await redis.config_set("maxmemory-policy", "allkeys-lru")
        try:
            said = refusal_to_start(settings, tmp_path)
        finally:
            await redis.config_set("maxmemory-policy", "noeviction")
    assert said == "chappe serve: the queue's server evicts (allkeys-lru); it needs maxmemory-policy noeviction\n"


async def is_in(channel: grpc.aio.Channel, expected: int) -> bool:
    return await state(channel) == expected


async def test_health_follows_the_database(settings: Settings, postgres: Postgres, tmp_path: Path) -> None:
    with server(settings, tmp_path) as process:
        async with channel_to(process) as channel:
            assert await state(channel) == SERVING
            with closed(postgres, settings["CHAPPE_DATABASE_URL"]):
                assert await eventually(partial(is_in, channel, NOT_SERVING))
            assert await eventually(partial(is_in, channel, SERVING))


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A folder with an authority, and certificates of a server and of a caller it has signed."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here to make certificates with")

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], cwd=tmp_path, check=True, capture_output=True)

    new = ("req", "-newkey", "rsa:2048", "-nodes")
    run(*new, "-x509", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority", "-days", "2")
    (tmp_path / "names").write_text("subjectAltName=DNS:chappe.test")
    for who in ("server", "caller"):
        run(*new, "-keyout", f"{who}.key", "-out", f"{who}.csr", "-subj", f"/CN={who}")
        sign = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
        run("x509", "-req", "-in", f"{who}.csr", "-out", f"{who}.pem", *sign)
    return tmp_path


async def test_mutual_tls_lets_in_only_callers_with_a_certificate(settings: Settings, certificates: Path) -> None:
    tls = {"TLS_CERT_FILE": "server.pem", "TLS_KEY_FILE": "server.key", "TLS_CLIENT_CA_FILE": "ca.pem"}
    secured = {**settings, **{f"CHAPPE_{name}": str(certificates / file) for name, file in tls.items()}}
    authority, key, chain = ((certificates / name).read_bytes() for name in ("ca.pem", "caller.key", "caller.pem"))
    with server(secured, certificates) as process:
        async with channel_to(process, grpc.ssl_channel_credentials(authority, key, chain)) as channel:
            assert await state(channel) == SERVING
        for credentials in (grpc.ssl_channel_credentials(authority), None):
            async with channel_to(process, credentials) as channel:
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await state(channel)
                assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_certificate_with_another_ones_key_is_named_as_what_is_wrong(settings: Settings, certificates: Path) -> None:
    secured = settings | {
        "CHAPPE_TLS_CERT_FILE": str(certificates / "server.pem"),
        "CHAPPE_TLS_KEY_FILE": str(certificates / "caller.key"),
    }
    said = refusal_to_start(secured, certificates)
    assert "CHAPPE_TLS_KEY_FILE" in said.splitlines()[0]
    assert "CHAPPE_GRPC_PORT" not in said
