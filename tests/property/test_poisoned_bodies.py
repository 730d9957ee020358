"""Bodies of every shape, bent at random: nothing raises, none holds up another, each ends applied or with a reason."""

import json
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain.messages import MessageRef
from core.whatsapp.bodies import may_say_stop
from core.whatsapp.redaction import redact
from core.whatsapp.webhooks import UnreadableBody, parse
from tests.helpers.sending import plan
from tests.helpers.webhook_bodies import PHONE_NUMBER_ID, body, status
from tests.property.stage import Stage
from workers.tasks.receipts import apply_batch

ZOO = sorted((Path(__file__).parents[1] / "unit/core/webhooks").glob("*.json"))
OURS = [path.read_bytes().replace(b"100200300400500", PHONE_NUMBER_ID.encode()) for path in ZOO]
NOW = datetime(2040, 1, 1, 12, tzinfo=UTC)
NUMBER = "+491700000001"
ODD: list[Any] = [
    None, True, 0, -1, 10**30, 1e308, 0.5, "", "x" * 5000, "\x00", "\ud83d", [], {}, [None], {"id": {}},
    "1760000010000", "9" * 20, "stop", "STOP", NUMBER[1:], "wamid." + "A" * 4000, "\u202e\u0000", "2" * 5000,
]  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """Returns each place of a document as its holder and key."""
    if isinstance(value, dict):
        return [place for key, item in value.items() for place in [(value, key), *places(item)]]
    if isinstance(value, list):
        return [place for key, item in enumerate(value) for place in [(value, key), *places(item)]]
    return []


@st.composite
def bent(draw: st.DrawFn) -> bytes:
    """Draws a body of the zoo in which a few values are others, are missing, or stand twice."""
    document = orjson.loads(draw(st.sampled_from(OURS)))
    for _ in range(draw(st.integers(0, 4))):
        found = places(document)
        if not found:
            break
        holder, key = draw(st.sampled_from(found))
        match draw(st.sampled_from(["other", "gone", "twice"])):
            case "other":
                holder[key] = deepcopy(draw(st.sampled_from(ODD)))
            case "gone":
                del holder[key]
            case "twice":
                holder[key] = [holder[key], deepcopy(holder[key])]
    return written(document)


def written(document: Any) -> bytes:
    """Writes even what is no proper text or number, as a sender with a fault would."""
    return json.dumps(document).encode()


@settings(max_examples=600, deadline=None)
@given(bent())
def test_reading_never_fails(raw: bytes) -> None:
    may_say_stop(raw)
    redact(raw, {NUMBER[1:]})
    with suppress(UnreadableBody):
        told = parse(raw)
        assert all(isinstance(count, int) for count in told.unknown.values())
        orjson.dumps(dict(told.unknown))


@pytest.mark.timeout(600)
def test_no_body_keeps_another_from_being_applied(fresh_database_url: str) -> None:
    with Stage(fresh_database_url) as stage:

        @settings(
            max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(st.lists(bent(), min_size=1, max_size=6))
        def check(bodies: list[bytes]) -> None:
            stage.open()
            try:
                play(stage, bodies)
            finally:
                stage.close()

        check()


def play(stage: Stage, bodies: list[bytes]) -> None:
    """Applies strange bodies around a good one; the good one counts, and each of the others is done with."""
    planned = stage.run(plan(stage.connection, [NUMBER]))
    stage.do("UPDATE messages SET state = 'ACCEPTED', attempt = 1, accept_time = now(), whatsapp_message_id = 'wamid.G'"
             " WHERE campaign_id = $1", planned.campaign_id)  # fmt: skip
    ref = MessageRef(campaign_id=planned.campaign_id, message_id=stage.value("SELECT id FROM messages"), attempt=1)
    good = body(statuses=[status("delivered", NOW, wamid="wamid.G", ref=ref)])

    async def work() -> None:
        async with stage.store.connection() as rooms:
            await rooms.deliveries.append_deliveries([*bodies, good, *bodies])
        while (await apply_batch(stage.store, now=NOW, hash_key=b"key")).more:
            pass

    stage.run(work())
    assert stage.value("SELECT state FROM messages") == "DELIVERED"
    left = stage.fetch("SELECT body, error FROM webhook_deliveries WHERE apply_time IS NULL")
    assert left == []
    told = stage.fetch("SELECT DISTINCT error FROM webhook_deliveries WHERE error <> ''")
    assert {row["error"] for row in told} <= {"the body is not an object", "the body is not JSON"}
