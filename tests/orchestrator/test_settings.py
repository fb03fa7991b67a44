"""Settings: read once, frozen, and every mistake is told with the variable's name."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from actions.errors import ConfigError
from orchestrator.api.bounds import DEADLINE_S
from orchestrator.settings import PREFIX, Settings, load_settings, unknown_variables

SECRET = "s3cret"
URL = f"redis://umbel:{SECRET}@redis.example:6380/2"


def test_without_variables_the_defaults_hold_and_the_server_is_embedded():
    settings = load_settings({})
    assert settings.is_embedded
    assert settings.redacted_url == "(embedded)"
    assert (settings.namespace, settings.cell, settings.room) == ("umbel", "a", 500)
    assert (settings.lease_ms, settings.renew_ms, settings.tick_ms, settings.linger_ms) == (
        10_000,
        3_000,
        1_000,
        2_000,
    )
    assert (settings.patience_ms, settings.tenant_share, settings.result_cap) == (30_000, 50, 2**20)
    assert (settings.turn_cap, settings.conversation_cap, settings.tenant_cap, settings.isolated) == (
        32,
        64,
        0,
        1,
    )
    assert settings.concurrency >= 1
    assert settings.home.is_absolute()


def test_an_empty_variable_counts_as_not_set():
    assert load_settings({"UMBEL_REDIS_URL": "", "UMBEL_ACTIONS": "", "UMBEL_ROOM": ""}) == load_settings({})


def test_modules_are_parted_by_commas():
    assert load_settings({"UMBEL_ACTIONS": " shop.actions, shop.more ,"}).actions == (
        "shop.actions",
        "shop.more",
    )


def test_origins_and_a_rate_are_taken_as_they_are_written():
    settings = load_settings(
        {"UMBEL_API_CORS": "https://a.example.com, http://localhost:3000", "UMBEL_API_RATE": "100/1s"}
    )
    assert settings.api_cors == ("https://a.example.com", "http://localhost:3000")
    assert settings.api_rate == "100/1s"
    assert load_settings({"UMBEL_API_CORS": "*"}).api_cors == ("*",)


def test_a_clients_variables_are_no_slip():
    assert not unknown_variables({"UMBEL_API_URL": "x", "UMBEL_API_KEY": "y"})


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("250ms", timedelta(milliseconds=250)),
        ("1.5s", timedelta(seconds=1.5)),
        ("2 m", timedelta(minutes=2)),
        ("12h", timedelta(hours=12)),
        ("7d", timedelta(days=7)),
    ],
)
def test_a_duration_is_written_with_its_unit(text, span):
    assert load_settings({"UMBEL_RUN_TTL": text}).run_ttl == span


def test_the_home_folder_follows_xdg(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert load_settings({}).home == tmp_path / "umbel"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings({}).home == tmp_path / ".local" / "share" / "umbel"
    assert load_settings({"UMBEL_HOME": "~/here"}).home == tmp_path / "here"


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError):
        load_settings({}).room = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("variable", "value", "advice"),
    [
        ("UMBEL_REDIS_URL", "http://localhost", "redis://"),
        ("UMBEL_REDIS_URL", "localhost:6379", "redis://"),
        ("UMBEL_REDIS_URL", "redis://", "names no host"),
        ("UMBEL_REDIS_URL", "redis://localhost:99999", "port"),
        ("UMBEL_REDIS_URL", "redis://localhost:port", "port"),
        ("UMBEL_REDIS_URL", "redis://localhost/first", "database"),
        ("UMBEL_API_RATE", "often", "100/1s"),
        ("UMBEL_API_CORS", "app.example.com", "https://app.example.com"),
        ("UMBEL_API_CORS", "https://app.example.com/", "without a path"),
        ("UMBEL_API_PORT", "70000", "UMBEL_API_PORT"),
        ("UMBEL_API_BODY_CAP", "4MB", "UMBEL_API_BODY_CAP"),
        ("UMBEL_ROOM", "many", "UMBEL_ROOM is 'many', which is not a whole number ("),
        ("UMBEL_PATIENCE_MS", "30s", "is '30s', which is not a whole number: write 30000"),
        ("UMBEL_ROOM", "0", "greater than or equal to 1"),
        ("UMBEL_GRACE", "10", "250ms"),
        ("UMBEL_GRACE", "0s", "greater than"),
        ("UMBEL_RUN_TTL", "20000d", "less than"),
        ("UMBEL_NAMESPACE", "{x}", "pattern"),
        ("UMBEL_CELL", "AB", "pattern"),
        ("UMBEL_LOG_LEVEL", "loud", "'debug', 'info'"),
        ("UMBEL_MODEL_URL", "localhost:8000", "http://"),
        ("UMBEL_FLOWER_AUTH", "me", "user:password"),
        ("UMBEL_FLOWER_AUTH", "me:", "user:password"),
        ("UMBEL_TENANT_SHARE", "0", "greater than or equal to 1"),
        ("UMBEL_TENANT_SHARE", "101", "less than or equal to 100"),
        ("UMBEL_TURN_CAP", "0", "greater than or equal to 1"),
        ("UMBEL_RESULT_CAP", "10", "greater than or equal to 1024"),
        ("UMBEL_ISOLATED", "0", "greater than or equal to 1"),
        ("UMBEL_RENEW_MS", "6000", "UMBEL_LEASE_MS (10000)"),
    ],
)
def test_a_wrong_value_is_told_with_its_variable_and_what_to_do(variable, value, advice):
    with pytest.raises(ConfigError) as raised:
        load_settings({variable: value})
    assert variable in str(raised.value)
    assert advice in str(raised.value)
    assert raised.value.exit_code == 78


def test_all_wrong_values_are_told_at_once():
    with pytest.raises(ConfigError, match=r"UMBEL_ROOM .*UMBEL_THREADS "):
        load_settings({"UMBEL_ROOM": "a", "UMBEL_THREADS": "b"})


def test_a_password_is_never_shown():
    env = {"UMBEL_REDIS_URL": URL, "UMBEL_MODEL_KEY": SECRET, "UMBEL_FLOWER_AUTH": f"me:{SECRET}"}
    settings = load_settings(env)
    assert settings.redacted_url == "redis://umbel:***@redis.example:6380/2"
    assert SECRET not in f"{settings!r} {settings} {settings.redacted_url} {settings.model_dump_json()}"
    assert settings.store_url == URL


def test_a_password_in_a_wrong_url_is_not_shown_either():
    with pytest.raises(ConfigError) as raised:
        load_settings({"UMBEL_REDIS_URL": f"redis://:{SECRET}@host:70000/x"})
    assert SECRET not in str(raised.value)


def test_the_store_url_of_an_embedded_installation_is_an_error_until_it_is_filled_in():
    with pytest.raises(ConfigError, match="UMBEL_REDIS_URL"):
        _ = load_settings({}).store_url
    assert load_settings({}).model_copy(update={"redis_url": SecretStr(URL)}).store_url == URL


def test_a_slip_of_the_pen_is_found():
    assert unknown_variables({"UMBEL_REDIS_URI": "x", "UMBEL_HOME": "y", "HOME": "z"}) == ("UMBEL_REDIS_URI",)


def test_secrets_of_handlers_and_the_tests_own_variables_are_no_slip():
    assert not unknown_variables({"UMBEL_SECRET_BROKER": "x", "UMBEL_TEST_REDIS_URL": "y"})
    assert unknown_variables({"UMBEL_SECRETS_BROKER": "x"})


@given(
    room=st.integers(1, 10_000),
    grace_ms=st.integers(1, 10**9),
    modules=st.lists(st.from_regex(r"\A[a-z]{1,9}(\.[a-z]{1,9})?\Z"), max_size=4),
)
def test_a_child_process_loads_the_same_settings_from_environ(room, grace_ms, modules):
    settings = Settings(
        redis_url=SecretStr(URL),
        room=room,
        grace=timedelta(milliseconds=grace_ms),
        actions=tuple(modules),
        home=Path("somewhere"),
    )
    assert load_settings(settings.environ()) == settings


def test_each_setting_has_one_sentence():
    for name, field in Settings.model_fields.items():
        assert field.description, f"{PREFIX}{name.upper()} is not explained"
        assert field.description.endswith("."), name


def test_reading_the_module_reads_no_environment():
    code = "import os; os.environ['UMBEL_ROOM'] = 'nonsense'; import orchestrator.settings"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_a_mistake_is_told_with_what_the_setting_means_in_one_line():
    with pytest.raises(ConfigError) as raised:
        load_settings({"UMBEL_PATIENCE_MS": "long"})
    assert str(raised.value).endswith("a longer wait gives up its places, so that others pass.)")
    assert "\n" not in str(raised.value)


def test_the_time_that_a_request_has_is_the_one_that_is_written_down():
    text = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
    assert f"a request has {DEADLINE_S:g} s (waits" in " ".join(text.split())
