"""`umbel doctor` says what is in the way, and ends with a code that scripts can use."""

import json

import pytest
from click.testing import CliRunner

from umbel.cli.doctor import doctor, examine
from umbel.supervisor.ports import free_port
from umbel.supervisor.wire import Address, ask


def states(env):
    return {finding.name: finding.state for finding in examine(env)}


def test_a_good_server_is_fine(valkey, tmp_path):
    ask(Address.of(valkey), "CONFIG", "SET", "maxmemory-policy", "noeviction")
    env = {"UMBEL_REDIS_URL": valkey, "UMBEL_HOME": str(tmp_path)}
    assert set(states(env).values()) == {"ok"}


def test_a_server_that_may_evict_is_a_warning_with_its_cure(valkey, tmp_path):
    ask(Address.of(valkey), "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    try:
        [finding] = [f for f in examine({"UMBEL_REDIS_URL": valkey}) if f.name == "eviction"]
    finally:
        ask(Address.of(valkey), "CONFIG", "SET", "maxmemory-policy", "noeviction")
    assert finding.state == "warning"
    assert "CONFIG SET maxmemory-policy noeviction" in finding.text


def test_a_server_in_cluster_mode_is_a_problem(monkeypatch):
    facts = "redis_version:7.2.0\r\naof_enabled:1\r\nmaxmemory_policy:noeviction\r\ncluster_enabled:1\r\n"
    monkeypatch.setattr("umbel.cli.doctor.ask", lambda *_, **__: facts)
    result = CliRunner().invoke(doctor, env={"UMBEL_REDIS_URL": "redis://127.0.0.1/0"})
    assert result.exit_code == 69
    assert "cluster mode, which is not supported" in result.output


def test_a_wrong_password_is_a_problem_that_does_not_show_it(valkey):
    address = Address.of(valkey)
    result = CliRunner().invoke(
        doctor, env={"UMBEL_REDIS_URL": f"redis://:wr0ng@{address.host}:{address.port}/0"}
    )
    assert result.exit_code == 69
    assert "WRONGPASS" in result.output
    assert "wr0ng" not in result.output


def test_a_server_that_is_not_there_is_a_problem():
    result = CliRunner().invoke(doctor, env={"UMBEL_REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"})
    assert result.exit_code == 69
    assert "does not answer" in result.output


def test_a_wrong_setting_is_a_problem():
    result = CliRunner().invoke(doctor, env={"UMBEL_ROOM": "many"})
    assert result.exit_code == 78
    assert "UMBEL_ROOM" in result.output


def test_a_home_that_cannot_be_written_is_a_problem(tmp_path):
    (tmp_path / "file").write_text("")
    assert states({"UMBEL_HOME": str(tmp_path / "file" / "home")})["home"] == "problem"


def test_a_slip_of_the_pen_is_a_warning():
    assert "warning" in [f.state for f in examine({"UMBEL_REDIS_URI": "x"}) if f.name == "settings"]


@pytest.mark.parametrize("value", ["500", "many"])
def test_json_is_one_object(value):
    result = CliRunner().invoke(doctor, ["--json"], env={"UMBEL_ROOM": value})
    answer = json.loads(result.stdout)
    assert answer["ok"] is (result.exit_code == 0)
    assert {"name", "state", "text", "exit_code"} == set(answer["findings"][0])
