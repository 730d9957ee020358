"""How the command calls: over TLS when it is told whom to trust."""

from pathlib import Path

import pytest
import typer

from cli.connection import tls
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


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        tls(Settings(api_tls_ca_file=tmp_path / "nowhere.pem"))
    assert "nowhere.pem" in "".join(capsys.readouterr().err.split())
