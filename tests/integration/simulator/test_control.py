"""The control API: the list of what was accepted, summary, fates, clock and reset."""

import asyncio
import json

import pytest

from tests.helpers.eventually import eventually
from tests.integration.simulator.helpers import FAST_NUMBER, NUMBER, Meta, Receiver, until


async def test_the_summary_counts_recipients_and_doubles(meta: Meta, receiver: Receiver) -> None:
    for person in ("0001", "0002", "0001"):
        await meta.send(f"+1555010{person}")
    await eventually(lambda: len(receiver.statuses()) == 9)
    summary = await meta.summary()
    assert (summary["accepted"], summary["recipients"], summary["recipients_with_more_than_one"]) == (3, 2, 1)
    assert summary["statuses"] == {"sent": 3, "delivered": 3, "read": 3}
    doubled = await meta.sim("GET", "doubled")
    assert [len(rows) for rows in doubled["messages"].values()] == [2]


async def test_the_list_of_accepted_messages_is_paged_and_filtered(meta: Meta) -> None:
    for n in range(5):
        await meta.send(f"+155501000{n:02d}", biz_opaque_callback_data=f"ours-{n}")
    await meta.send("+15550100005", number=NUMBER)
    first = await meta.sim("GET", "accepted?limit=4")
    rest = await meta.sim("GET", f"accepted?limit=4&after={first['next']}")
    assert [len(first["data"]), len(rest["data"]), "next" in rest] == [4, 2, False]
    by_number = await meta.sim("GET", f"accepted?phone_number_id={FAST_NUMBER}")
    assert len(by_number["data"]) == 5
    (row,) = (await meta.sim("GET", "accepted?callback_data=ours-3"))["data"]
    assert (row["to"], row["type"]) == ("15550100003", "template")
    assert len((await meta.sim("GET", "accepted?to=%2B15550100003"))["data"]) == 1


async def test_the_export_has_a_line_for_every_accepted_message(meta: Meta) -> None:
    await meta.sim("PATCH", "settings", {"limits": {"throughput": False}})
    for start in range(0, 1200, 200):
        await asyncio.gather(*(meta.send(f"+155502{n:05d}00") for n in range(start, start + 200)))
    reply = await meta.call("GET", "/_sim/accepted.ndjson")
    rows = [json.loads(line) for line in reply.raw.splitlines()]
    accepted = (await meta.summary())["accepted"]
    assert accepted > 1000
    assert [row["index"] for row in rows] == list(range(accepted))


async def test_a_fate_can_be_set_for_a_recipient(meta: Meta, receiver: Receiver) -> None:
    body = {"recipients": ["+1 555 010 0777"], "outcome": {"fail": 131026}}
    await meta.sim("POST", "outcomes", body)
    await meta.sim("POST", "outcomes", {"recipients": ["15550100778"], "outcome": {"statuses": ["sent"]}})
    failed, only_sent = await meta.send("+15550100777"), await meta.send("+15550100778")
    await eventually(lambda: receiver.names(failed.wamid) == ["failed"])
    await eventually(lambda: receiver.names(only_sent.wamid) == ["sent"])
    await meta.sim("DELETE", "outcomes")
    healed = await meta.send("+15550100777")
    await eventually(lambda: receiver.names(healed.wamid) == ["sent", "delivered", "read"])


async def test_without_suffixes_every_number_is_ordinary(meta: Meta) -> None:
    await meta.sim("PATCH", "settings", {"suffixes": False})
    assert (await meta.send("+15550109102")).status == 200


async def test_hours_pass_in_no_time_with_a_fast_clock(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("PATCH", "settings", {"timeline": {"read_delay": [7000, 8000]}})
    await meta.sim("POST", "clock", {"factor": 36_000})
    reply = await meta.send()
    await eventually(lambda: receiver.names(reply.wamid) == ["sent", "delivered", "read"], timeout=3.0)
    times = [int(status["timestamp"]) for status in receiver.statuses(reply.wamid)]
    assert 6990 < times[2] - times[1] < 8010


async def test_a_reset_forgets_messages_faults_and_changed_accounts(meta: Meta) -> None:
    await meta.send()
    await meta.sim("POST", "rules", {"code": 2})
    await meta.sim("POST", f"numbers/{NUMBER}", {"refuse_code": 131045})
    await meta.sim("POST", "reset", {"seed": 5})
    assert (await meta.send(number=NUMBER)).status == 200
    summary = await meta.summary()
    assert (summary["accepted"], summary["recipients"]) == (1, 1)


async def test_one_seed_is_one_run(meta: Meta, receiver: Receiver) -> None:
    timeline = {"failure_rate": 0.3, "read_rate": 0.5, "read_only_rate": 0.1, "undelivered_rate": 0.2}
    await meta.sim("PATCH", "settings", {"timeline": timeline})
    runs = []
    for people in (range(200, 260), reversed(range(200, 260))):
        await meta.sim("POST", "reset", {"seed": 42})
        await asyncio.gather(*(meta.send(f"+1555010{n:04d}") for n in people))

        async def quiet() -> bool:
            return bool((await meta.summary())["planned"] == 0)

        await until(quiet)
        rows = (await meta.sim("GET", "accepted"))["data"]
        runs.append({row["to"]: [status["status"] for status in row["statuses"]] for row in rows})
    assert runs[0] == runs[1]
    assert len({tuple(statuses) for statuses in runs[0].values()}) > 3


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "settings", {"nothing": 1}),
        ("PATCH", "settings", {"profile": "demo"}),
        ("POST", "rules", {"action": "explode"}),
        ("POST", "outcomes", {"recipients": ["1"], "outcome": {"x": 1}}),
        ("POST", "outcomes", {"recipients": ["1"]}),
        ("POST", "inbound", {}),
        ("POST", "inbound", {"from": "15550100777", "type": "hologram"}),
        ("POST", "user_preferences", {"wa_id": "15550100777", "value": "perhaps"}),
        ("POST", "templates/nothing:xx", {}),
        ("POST", "numbers/1", {}),
        ("POST", "clock", {"advance": -1}),
        ("POST", "webhooks/bad", {"mode": "worse"}),
        ("GET", "pace?seconds=0", {}),
    ],
)
async def test_a_wrong_control_request_is_told_so(meta: Meta, method: str, path: str, body: dict[str, object]) -> None:
    reply = await meta.call(method, "/_sim/" + path, json=body)
    assert reply.status == 400
    assert reply.json["error"]


async def test_an_unknown_control_path_is_not_found(meta: Meta) -> None:
    assert (await meta.call("GET", "/_sim/nothing")).status == 404
