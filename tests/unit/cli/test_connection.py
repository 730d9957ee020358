"""How the command calls: over TLS when it is told whom to trust."""

from pathlib import Path

import pytest
import typer
from chappe_client import v1

from cli.connection import call, tls
from core.settings import Settings


def test_without_authorities_nothing_is_encrypted() -> None:
    assert tls(Settings()) is None


def test_the_files_that_are_named_are_read(tmp_path: Path) -> None:
    authorities, certificate, key = (tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem"))
    for file in (authorities, certificate, key):
        file.write_text(file.name)
    made = tls(Settings(api_tls_ca_file=authorities, api_tls_cert_file=certificate, api_tls_key_file=key))
    assert made is not None
    assert (made.root_certificates, made.certificate_chain, made.private_key) == (b"ca.pem", b"cert.pem", b"key.pem")


def test_where_no_server_answers_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CHAPPE_API_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("CHAPPE_API_KEY", "key")
    asked = v1.GetCampaignRequest(name="campaigns/x")
    with pytest.raises(typer.Exit):
        call(lambda client: client.campaigns.get_campaign(asked, timeout=0.5))
    assert "no server answers at 127.0.0.1:1 (CHAPPE_API_ADDRESS)" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        tls(Settings(api_tls_ca_file=tmp_path / "nowhere.pem"))
    assert "nowhere.pem" in "".join(capsys.readouterr().err.split())
