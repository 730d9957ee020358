"""Scenarios: one JSON for accounts, settings, faults and planned events, over HTTP and from a file."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.eventually import eventually
from tests.helpers.processes import Processes
from tests.integration.simulator.helpers import ACCESS_TOKEN, NUMBER, WABA, Meta, Receiver

ACCOUNTS = {
    "wabas": [
        {
            "id": "8",
            "phone_numbers": [{"id": "7", "display_phone_number": "+1 555 010 0009"}],
            "templates": [
                {
                    "name": "hi",
                    "language": "de",
                    "category": "UTILITY",
                    "components": [{"type": "BODY", "text": "Hallo"}],
                }
            ],
        }
    ]
}


def _example() -> dict[str, Any]:
    return dict(json.loads(resources.files("simulator").joinpath("example_scenario.json").read_text(encoding="utf-8")))


async def test_a_scenario_starts_over_with_its_accounts_settings_rules_and_fates(
    meta: Meta, receiver: Receiver
) -> None:
    await meta.send()
    scenario = {
        "accounts": ACCOUNTS,
        "settings": {"limits": {"pair_capacity": 2}},
        "rules": [{"trigger": "next", "code": 2}],
        "outcomes": [{"recipients": ["+15550100777"], "outcome": {"fail": 131026}}],
    }
    await meta.sim("POST", "scenario", scenario)
    assert (await meta.summary())["accepted"] == 0
    hello: dict[str, Any] = {"number": "7", "name": "hi", "language": "de", "values": ()}
    replies = [await meta.send(**hello) for _ in range(4)]
    assert [reply.code for reply in replies] == [2, 0, 0, 131056]
    await eventually(lambda: receiver.names(replies[1].wamid) == ["failed"])
    assert (await meta.send(number=NUMBER)).code == 100


async def test_a_scenario_keeps_nothing_of_an_earlier_one(meta: Meta) -> None:
    before = await meta.sim("GET", "settings")
    first = {"seed": 9, "accounts": ACCOUNTS, "settings": {"limits": {"pair_capacity": 2}, "suffixes": False}}
    await meta.sim("POST", "scenario", {**first, "clock": {"factor": 60}})
    answer = await meta.sim("POST", "scenario", {"settings": {"limits": {"pair": False}}})
    after = await meta.sim("GET", "settings")
    before["limits"]["pair"] = False
    assert after == before
    assert answer["accounts"] == [WABA]
    assert (await meta.sim("GET", "clock"))["factor"] == 1


async def test_events_happen_at_their_simulated_time(meta: Meta, receiver: Receiver) -> None:
    events = [
        {"after": 3600, "do": "POST inbound", "body": {"from": "+15550100777", "body": "Stop"}},
        {"after": 7200, "do": "POST webhooks/bad", "body": {"mode": "wrong_signature"}},
    ]
    await meta.sim("POST", "scenario", {"clock": {"factor": 0}, "events": events})
    assert (await meta.summary())["planned"] == 2
    await meta.sim("POST", "clock", {"advance": 3600})
    await eventually(lambda: [message["text"]["body"] for message in receiver.inbound()] == ["Stop"])
    assert receiver.refused == 0
    await meta.sim("POST", "clock", {"advance": 3600})
    await eventually(lambda: receiver.refused == 1)


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ({"setings": {}}, "setings"),
        ({"settings": {"limits": {"pears": True}}}, "limits.pears"),
        ({"accounts": {"wabas": []}}, "wabas"),
        ({"accounts": {"wabas": [{"id": "8", "phones": []}]}}, "wabas.0.phones"),
        ({"rules": [{"trigger": "rarely"}]}, "trigger"),
        ({"outcomes": [{"recipients": ["1"], "outcome": {"fails": 1}}]}, "fails"),
        ({"events": [{"after": 1, "do": "POST nothing"}]}, "POST nothing"),
        ({"events": [{"after": 1, "do": "POST clock", "body": {"factor": -1}}]}, "factor"),
    ],
)
async def test_a_scenario_that_does_not_fit_is_refused_by_name_and_changes_nothing(
    meta: Meta, scenario: dict[str, Any], words: str
) -> None:
    await meta.send()
    before = await meta.sim("GET", "settings")
    reply = await meta.call("POST", "/_sim/scenario", json={"seed": 99, "clock": {"factor": 0}, **scenario})
    assert (reply.status, words in reply.json["error"]) == (400, True), reply.raw
    assert (await meta.summary())["accepted"] == 1
    assert await meta.sim("GET", "settings") == before


async def test_the_example_of_the_docs_plays_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "scenario.json"
    file.write_text(json.dumps(_example()), encoding="utf-8")
    variables = {"SIMULATOR_SCENARIO": str(file), "SIMULATOR_ACCESS_TOKEN": ACCESS_TOKEN}
    with Processes(directory=tmp_path, settings={}) as processes:
        _, url = processes.start_simulator(settings=variables)
        async with Meta(url) as meta:
            assert len((await meta.sim("GET", "rules"))["rules"]) == 2
            assert (await meta.sim("GET", "clock"))["factor"] == 60
            assert (await meta.sim("GET", "settings"))["seed"] == 7
            assert (await meta.summary())["planned"] == 4
