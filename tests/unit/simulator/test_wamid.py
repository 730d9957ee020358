"""The shape of message ids."""

import base64

from simulator import wamid


def test_an_outgoing_id_has_the_shape_of_whatsapps_own() -> None:
    name, _, packed = wamid.outgoing(digits="15550100001", nonce=bytes(range(10))).partition(".")
    record = base64.b64decode(packed)
    assert name == "wamid"
    assert record[:3] == b"\x1c\x18\x0b"
    assert record[3:14] == b"15550100001"
    assert record[14:20] == bytes.fromhex("150200111812")
    assert record[20:38] == b"000102030405060708"
    assert record[38:] == b"\x00"


def test_an_incoming_id_has_its_own_marks_and_twenty_hex_characters() -> None:
    record = base64.b64decode(wamid.incoming(digits="15550100001", nonce=bytes(range(10))).removeprefix("wamid."))
    assert record[14:20] == bytes.fromhex("150200121814")
    assert record[20:40] == b"00010203040506070809"


def test_ids_of_a_campaign_begin_as_real_ones_do() -> None:
    assert wamid.outgoing(digits="15550100001", nonce=bytes(10)).startswith("wamid.HBgL")
