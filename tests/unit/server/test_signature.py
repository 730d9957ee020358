"""The signature of webhooks: over the raw bytes, under either secret, and nothing else."""

import pytest

from server.webhooks.signature import app_secrets, is_signed, is_token, sign

SECRET = b"app-secret"
BODY = b'{"name":"J\\u00f6rg","url":"https:\\/\\/example.org"}'


def test_a_known_vector() -> None:
    """The vector of RFC 4231, test case 2."""
    expected = b"sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert sign(b"what do ya want for nothing?", b"Jefe") == expected
    assert is_signed(b"what do ya want for nothing?", expected, secrets=[b"Jefe"])


def test_only_the_very_bytes_are_signed() -> None:
    header = sign(BODY, SECRET)
    assert is_signed(BODY, header, secrets=[SECRET])
    assert not is_signed('{"name":"Jörg","url":"https://example.org"}'.encode(), header, secrets=[SECRET])
    assert not is_signed(BODY + b" ", header, secrets=[SECRET])


@pytest.mark.parametrize("header", [b"", b"sha256=", b"sha1=" + b"0" * 64, b"sha256=" + b"0" * 64, b"\xff" * 71])
def test_other_headers_are_refused(header: bytes) -> None:
    assert not is_signed(BODY, header, secrets=[SECRET])


def test_while_the_secret_is_changed_both_are_good() -> None:
    secrets = app_secrets("new-secret, old-secret")
    assert all(is_signed(BODY, sign(BODY, secret), secrets=secrets) for secret in (b"new-secret", b"old-secret"))
    assert not is_signed(BODY, sign(BODY, b"older-secret"), secrets=secrets)


def test_without_a_secret_nothing_is_signed() -> None:
    assert app_secrets("") == ()
    assert not is_signed(BODY, sign(BODY, b""), secrets=[b""])


def test_an_empty_token_matches_nothing() -> None:
    assert is_token("verify", "verify")
    assert not is_token("", "")
    assert not is_token("verify ", "verify")
