"""What holds for the bell on NATS alone; what every bell keeps to stands in test_bells.py."""

import subprocess
import sys
from collections.abc import AsyncIterator
from uuid import UUID

import nats
import pytest
from nats.js import JetStreamContext
from nats.js.api import RetentionPolicy, StreamConfig

from core.queue.jetstream import CONSUMER, ForeignStreamError, stream_name
from core.queue.wakeups import MESSAGES_STREAM, Wakeups
from core.settings import is_nats
from stack.programs import environment
from tests.helpers.bells import STREAM, NatsServer, bell, listener, notes, opened, ring
from tests.helpers.eventually import eventually
from tests.helpers.nats import Nats
from tests.helpers.nats import nats as started
from tests.helpers.sending import CLOCK


@pytest.fixture
async def streams(nats_server: Nats) -> AsyncIterator[JetStreamContext]:
    """A client of the emptied server."""
    await NatsServer(nats_server.url).lose_everything()
    async with await nats.connect(nats_server.url) as client:
        yield client.jetstream()


async def test_the_stream_is_a_bounded_work_queue_with_ends_to_waiting(
    nats_server: Nats, streams: JetStreamContext
) -> None:
    async with opened(nats_server.url) as bells:
        await ring(bells.ringer(MESSAGES_STREAM), "a")
    stream = (await streams.stream_info(stream_name(MESSAGES_STREAM))).config
    consumer = (await streams.consumer_info(stream_name(MESSAGES_STREAM), CONSUMER)).config
    assert (stream.retention, stream.max_msgs, stream.max_age) == (RetentionPolicy.WORK_QUEUE, 10_000, 3600)
    assert (consumer.ack_wait, consumer.max_deliver) == (30, 5)


async def test_a_stream_of_another_kind_is_refused_and_not_quietly_used(
    nats_server: Nats, streams: JetStreamContext
) -> None:
    name = stream_name(MESSAGES_STREAM)
    await streams.add_stream(StreamConfig(name=name, subjects=["queue.messages"], retention=RetentionPolicy.LIMITS))
    wakeups = Wakeups.connect(nats_server.url, clock=CLOCK)
    with pytest.raises(ForeignStreamError, match=name):
        await wakeups.examine()
    assert not await wakeups.pump_sender(UUID(int=1))
    await wakeups.close()
    assert (await streams.stream_info(name)).state.messages == 0


async def test_a_ring_carries_an_id_and_is_json(nats_server: Nats, streams: JetStreamContext) -> None:
    wakeups = Wakeups.connect(nats_server.url, clock=CLOCK)
    assert await wakeups.pump_sender(UUID(int=1))
    await wakeups.close()
    kept = await streams.get_msg(stream_name(MESSAGES_STREAM), seq=1)
    assert kept.data is not None
    assert kept.data.startswith(b"{")
    assert str(UUID(int=1)).encode() in kept.data


async def test_a_server_that_was_restarted_is_heard_again_and_kept_what_was_rung() -> None:
    heard, note = notes()
    with started() as server:
        async with opened(server.url) as bells, listener(bell(bells), note):
            await ring(bells.ringer(STREAM), "before")
            await eventually(lambda: heard == ["before"])
            server.process.kill()
            server.start()
            await ring(bells.ringer(STREAM), "after")
            await eventually(lambda: heard == ["before", "after"], 15)


def test_without_the_extra_the_refusal_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['taskiq_nats'] = None\n"
        "from core.queue.bells import open_bells; open_bells('redis://localhost'); open_bells('nats://localhost')"
    )
    ended = subprocess.run([sys.executable, "-c", program], env=environment({}), capture_output=True, check=False)
    assert b"SettingsError: CHAPPE_QUEUE_URL names NATS" in ended.stderr
    assert b"chappe[nats]" in ended.stderr


def test_addresses_with_tls_are_nats_as_well() -> None:
    assert is_nats("tls://nats.example:4222")
