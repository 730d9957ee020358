"""The settings: from the environment to one object, or to a message that helps."""

from pathlib import Path

import pytest

from core.settings import Settings, SettingsError, main, variables


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in variables():
        monkeypatch.delenv(name, raising=False)


def test_every_setting_has_a_harmless_default() -> None:
    settings = Settings.load()
    assert (settings.grpc_host, settings.webhooks_host) == ("127.0.0.1", "127.0.0.1")
    assert settings.whatsapp_access_token.get_secret_value() == ""


def test_the_pace_lives_with_the_queue_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAPPE_QUEUE_URL", "redis://queue:1/0")
    assert Settings.load().pace_url == "redis://queue:1/0"
    monkeypatch.setenv("CHAPPE_PACE_URL", "redis://pace:1/0")
    assert Settings.load().pace_url == "redis://pace:1/0"


def test_a_misspelt_variable_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAPPE_DATABSE_URL", "postgresql://somewhere")
    with pytest.raises(SettingsError, match="unknown variables: CHAPPE_DATABSE_URL"):
        Settings.load()


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"CHAPPE_GRPC_PORT": "70000"}, "CHAPPE_GRPC_PORT"),
        ({"CHAPPE_WHATSAPP_API_VERSION": "25"}, "CHAPPE_WHATSAPP_API_VERSION"),
        ({"CHAPPE_LOG_LEVEL": "LOUD"}, "CHAPPE_LOG_LEVEL"),
        ({"CHAPPE_DEFAULT_REGION": "France"}, "CHAPPE_DEFAULT_REGION"),
        ({"CHAPPE_TLS_CERT_FILE": "/cert"}, "CHAPPE_TLS_KEY_FILE"),
        ({"CHAPPE_TLS_CLIENT_CA_FILE": "/ca"}, "CHAPPE_TLS_CERT_FILE"),
        ({"CHAPPE_DATABASE_URL": "db.example.com:5432/chappe"}, "CHAPPE_DATABASE_URL must start with postgresql://"),
        ({"CHAPPE_CACHE_URL": "cache:6379"}, "CHAPPE_CACHE_URL must start with redis://"),
        ({"CHAPPE_WHATSAPP_BASE_URL": "graph.facebook.com"}, "CHAPPE_WHATSAPP_BASE_URL must start with https://"),
        ({"CHAPPE_QUEUE_URL": "amqp://queue"}, "CHAPPE_QUEUE_URL must start with"),
        ({"CHAPPE_QUEUE_URL": "nats://queue:4222"}, "CHAPPE_PACE_URL"),
        ({"CHAPPE_PACE_URL": "nats://queue:4222"}, "CHAPPE_PACE_URL"),
        ({"CHAPPE_UNCONFIRMED_GRACE_SECONDS": "90000"}, "CHAPPE_UNCONFIRMED_DEADLINE_SECONDS"),
    ],
)
def test_a_value_that_does_not_fit_is_named(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], complaint: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=complaint):
        Settings.load()


def test_no_password_of_several_servers_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAPPE_QUEUE_URL", "nats://me:hush@one:4222,nats://me:hush@two:4222")
    monkeypatch.setenv("CHAPPE_PACE_URL", "redis://:hu,sh@pace:1/0")
    shown = Settings.load().public()
    assert shown["queue_url"] == "nats://one:4222,nats://two:4222"
    assert shown["pace_url"] == "redis://pace:1/0"


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAPPE_DATABASE_URL", "postgresql://me:hush@db/chappe")
    monkeypatch.setenv("CHAPPE_WHATSAPP_APP_SECRET", "hush")
    monkeypatch.setenv("CHAPPE_WHATSAPP_ACCESS_TOKENS", '{"second": "hush"}')
    settings = Settings.load()
    shown = repr(settings) + str(settings.public())
    assert "hush" not in shown
    assert "postgresql://db/chappe" in shown
    assert settings.whatsapp_access_tokens["second"].get_secret_value() == "hush"


def test_a_wrong_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAPPE_WHATSAPP_ACCESS_TOKENS", "hush")
    with pytest.raises(SettingsError) as refusal:
        Settings.load()
    assert "whatsapp_access_tokens" in str(refusal.value)
    assert "hush" not in str(refusal.value)


def test_the_page_in_the_docs_is_the_one_the_code_prints(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    assert (Path(__file__).parents[2] / "docs/settings.md").read_text() == capsys.readouterr().out
