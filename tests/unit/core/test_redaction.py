"""A person is taken out of a body: their items and cards go, everyone else's stay and can be applied again."""

from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.messages import MessageRef
from core.domain.traces import trace
from core.whatsapp.named import named_in, named_in_bytes
from core.whatsapp.redaction import redact
from core.whatsapp.webhooks import parse
from tests.helpers.receiving import NOW
from tests.helpers.webhook_bodies import body, reply, status, user_id_update

NOW_ID, IDS = UUID(int=1), (UUID(int=2), UUID(int=3))
ANN, BOB = "+4917011112222", "+4917033334444"
CARDS = [
    {"profile": {"name": "Ann Lee"}, "wa_id": ANN[1:], "user_id": "DE.Ann1"},
    {"profile": {"name": "Bob"}, "wa_id": BOB[1:]},
]
BOTH = body(
    messages=[reply("secret", NOW, wamid="wamid.A", phone=ANN), reply("hello", NOW, wamid="wamid.B", phone=BOB)],
    contacts=CARDS,
)


def test_one_person_goes_and_the_other_stays_as_they_were() -> None:
    left = redact(BOTH, {ANN[1:]})
    assert left is not None
    for word in (b"secret", b"Ann", ANN[1:].encode(), b"wamid.A"):
        assert word not in left
    assert [item.text for item in parse(left).inbounds] == ["hello"]
    assert parse(left).inbounds[0].person.display_name == "Bob"
    assert not parse(left).unknown, "what was redacted is not strange"


def test_of_a_conversation_that_another_app_answers_others_stay_as_well() -> None:
    document = orjson.loads(BOTH)
    [change] = document["entry"][0]["changes"]
    value = change["value"]
    change["field"] = "standby"
    value["standby"] = {key: value.pop(key) for key in ("messages", "contacts")}
    left = redact(orjson.dumps(document), {ANN[1:]})
    assert left is not None
    assert b"Ann" not in left
    assert [(item.text, item.person.display_name) for item in parse(left).inbounds] == [("hello", "Bob")]


def test_whoever_is_not_in_a_body_leaves_it_as_it_is() -> None:
    assert redact(BOTH, {"4917099999999"}) is None


def test_a_card_goes_with_the_item_that_names_its_person_otherwise() -> None:
    left = redact(BOTH, {"wamid.A"})
    assert left is not None
    assert b"Ann" not in left
    assert b"Bob" in left


def test_a_card_that_names_nobody_goes_with_the_last_item_beside_it() -> None:
    cards = [{"profile": {"name": "Ann Lee"}}]
    changes = [user_id_update("DE.Ann1", "DE.Ann2", NOW), user_id_update("DE.Bob1", "DE.Bob2", NOW)]
    told = body("user_id_update", user_id_update=changes, contacts=cards)
    left = redact(told, {"DE.Ann2"})
    assert left is not None
    assert b"Ann Lee" in left, "it may be Bob's"
    left = redact(left, {"DE.Bob1"})
    assert left is not None
    assert b"Ann Lee" not in left
    assert not parse(left).unknown


def test_a_card_that_names_someone_else_stays_beside_items_that_are_gone() -> None:
    told = body(messages=[reply("secret", NOW, wamid="wamid.A", phone=ANN)], contacts=CARDS)
    left = redact(told, {ANN[1:]})
    assert left is not None
    assert b"Ann" not in left
    assert b"Bob" in left


def test_a_receipt_is_found_by_our_own_words_and_keeps_what_is_nobodys() -> None:
    refs = [MessageRef(campaign_id=NOW_ID, message_id=one, attempt=1) for one in IDS]
    told = body(statuses=[status("sent", NOW, wamid=f"wamid.{n}", ref=ref) for n, ref in enumerate(refs)])
    left = redact(told, {str(IDS[0])})
    assert left is not None
    assert b"wamid.0" not in left
    assert [item.whatsapp_message_id for item in parse(left).receipts] == ["wamid.1"]
    assert orjson.loads(left)["entry"][0]["changes"][0]["value"]["statuses"][0]["status"] == "sent"


def test_a_person_in_a_field_nobody_knows_is_found_too() -> None:
    calls = body(field="calls", calls=[{"id": "c1", "from": ANN[1:], "event": "connect"}, {"from": BOB[1:]}])
    assert ANN[1:] in parse(calls).mentioned
    left = redact(calls, {ANN[1:]})
    assert left is not None
    assert ANN[1:].encode() not in left
    assert BOB[1:].encode() in left


@pytest.mark.parametrize("raw", [b'{"entry": "4917011112222', b"<4917011112222>"])
def test_what_cannot_be_read_is_emptied_when_it_tells_of_the_person(raw: bytes) -> None:
    assert redact(raw, {ANN[1:]}) == b""
    assert redact(raw, {BOB[1:]}) is None


def test_times_and_our_own_numbers_identify_nobody() -> None:
    assert set(named_in(orjson.loads(BOTH))) == {ANN[1:], BOB[1:], "DE.Ann1", "wamid.A", "wamid.B"}


def test_traces_differ_by_key_and_by_person() -> None:
    assert len({trace(b"k", ANN), trace(b"k", BOB), trace(b"other", ANN)}) == 3


VALUES = st.recursive(
    st.sampled_from([ANN[1:], int(ANN), "x", None]), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(VALUES)
def test_wherever_a_number_stands_it_is_gone_afterwards(value: object) -> None:
    told = body(field="of_the_future", things=[value], thing={"inner": value})
    left = redact(told, {ANN[1:]})
    assert ANN[1:].encode() not in (told if left is None else left)


def test_a_number_in_what_cannot_be_read_is_found_however_it_is_written() -> None:
    assert named_in_bytes(b'{"id": "wamid.HB\\/gLab==", "to": "+4917011112222') == {"wamid.HB/gLab==", ANN[1:]}


def test_a_body_full_of_receipts_that_nobody_understands_is_read_to_its_end() -> None:
    # Each walking all cards again would take longer than a test may.
    strange = [{**status("warning", NOW, wamid=f"wamid.{n}"), "recipient_id": f"4917{n:08}"} for n in range(20_000)]
    cards = [{"wa_id": each["recipient_id"]} for each in strange]
    assert len(parse(body(statuses=strange, contacts=cards)).mentioned) == 2 * len(strange)
