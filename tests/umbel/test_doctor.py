"""`umbel doctor` says what is in the way and what to do, and ends with a code that scripts can use."""

from __future__ import annotations

import asyncio
import json
import time
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from actions.definition import action
from actions.registry import Registry
from orchestrator import keyring
from orchestrator.store.health import facts_of
from orchestrator.store.store import Store
from umbel import Umbel
from umbel.checkup import machine, server
from umbel.checkup.examination import examine
from umbel.cli.doctor import doctor
from umbel.demo.loopback import Answer, Loopback
from umbel.supervisor.ports import free_port
from umbel.supervisor.wire import Address, ask

GOOD = (
    "redis_version:7.2.4\r\nvalkey_version:9.1.2\r\naof_enabled:1\r\naof_last_write_status:ok\r\n"
    "rdb_last_bgsave_status:ok\r\nmaxmemory_policy:noeviction\r\ncluster_enabled:0\r\nrole:master\r\n"
    "used_memory:1048576\r\nmaxmemory:0\r\n"
)


@action("POUR", queue="kitchen")
async def pour() -> None:
    """Pour tea."""


def findings(env):
    return {finding.name: finding for finding in examine(env)}


def states(env):
    return {name: finding.state for name, finding in findings(env).items()}


def told_of(monkeypatch, info, skew_s=0.0):
    """What is said of a server with this INFO and this clock, by name."""
    now = time.time() + skew_s
    answers = {"INFO": info, "TIME": [str(int(now)), str(int(now % 1 * 1e6))]}
    monkeypatch.setattr(server, "ask", lambda _, word, **__: answers[word])
    monkeypatch.setattr("umbel.checkup.house.examine", lambda *_: iter(()))
    return findings({"UMBEL_REDIS_URL": "redis://127.0.0.1/0"})


def in_store(settings, work):
    async def do():
        store = Store(settings)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(do())


def test_a_good_house_is_fine(settings):
    async def work(store):
        await store.runs.tick(["actions", "turns"])

    in_store(settings, work)
    ask(Address.of(settings.store_url), "CONFIG", "SET", "maxmemory-policy", "noeviction")
    found = states(settings.environ())
    assert set(found.values()) == {"ok"}
    assert {"server", "aof", "eviction", "memory", "clock", "queues", "keys"} <= set(found)


def test_a_server_that_may_evict_is_a_warning_with_its_cure(settings):
    address = Address.of(settings.store_url)
    ask(address, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    try:
        finding = findings(settings.environ())["eviction"]
    finally:
        ask(address, "CONFIG", "SET", "maxmemory-policy", "noeviction")
    assert finding.state == "warning"
    assert "CONFIG SET maxmemory-policy noeviction" in finding.text


@pytest.mark.parametrize(
    ("changed", "name", "state", "words"),
    [
        ({"cluster_enabled": "1"}, "cluster", "problem", "cluster mode, which is not supported"),
        ({"role": "slave"}, "replica", "problem", "name its primary"),
        ({"redis_version": "6.2.1"}, "server", "problem", "version 7 or newer is needed"),
        ({"redis_version": "what"}, "server", "problem", "version 7 or newer is needed"),
        ({"aof_enabled": "0"}, "aof", "warning", "CONFIG SET appendonly yes"),
        ({"aof_last_write_status": "err"}, "aof", "warning", "room on its disk"),
        ({"rdb_last_bgsave_status": "err"}, "snapshot", "warning", "CONFIG SET save ''"),
        ({"maxmemory": "1200000"}, "memory", "warning", "Raise maxmemory"),
        ({"maxmemory": "9000000"}, "memory", "ok", "12% of maxmemory"),
    ],
)
def test_what_the_server_says_of_itself_is_judged(monkeypatch, changed, name, state, words):
    lines = [line.partition(":")[0::2] for line in GOOD.splitlines()]
    info = "\r\n".join(f"{key}:{changed.get(key, value)}" for key, value in lines)
    found = told_of(monkeypatch, info)
    assert found[name].state == state
    assert words in found[name].text
    assert (found[name].exit_code == 69) is (state == "problem")


def test_the_same_facts_are_read_out_of_info_here_and_in_readyz():
    facts = facts_of(GOOD)
    assert (facts.product, facts.version, facts.compatible) == ("Valkey", "9.1.2", "7.2.4")
    assert (facts.policy, facts.append_only, facts.append_only_works) == ("noeviction", True, True)
    assert facts_of("").append_only is None


@pytest.mark.parametrize(("skew_s", "word"), [(5.0, "behind"), (-5.0, "ahead of")])
def test_clocks_that_differ_are_a_warning(monkeypatch, skew_s, word):
    finding = told_of(monkeypatch, GOOD, skew_s)["clock"]
    assert finding.state == "warning"
    assert f"5.0 s {word} Redis's" in finding.text
    assert told_of(monkeypatch, GOOD)["clock"].state == "ok"


def test_a_wrong_password_is_a_problem_that_does_not_show_it(valkey):
    address = Address.of(valkey)
    result = CliRunner().invoke(
        doctor, env={"UMBEL_REDIS_URL": f"redis://:wr0ng@{address.host}:{address.port}/0"}
    )
    assert result.exit_code == 69
    assert "WRONGPASS" in result.output
    assert "wr0ng" not in result.output


def test_a_server_that_is_not_there_is_a_problem_and_the_rest_is_looked_at():
    with Loopback(lambda _: Answer(200, {"ready": True})) as api:
        env = {"UMBEL_REDIS_URL": f"redis://127.0.0.1:{free_port()}/0", "UMBEL_API_URL": api.url}
        result = CliRunner().invoke(doctor, env=env)
    assert result.exit_code == 69
    assert "does not answer" in result.output
    assert f"{api.url} is ready" in result.output


# What stands in the store


def test_a_queue_that_nobody_serves_is_named_with_what_waits_there(settings):
    async def work(store):
        await store.runs.tick(["actions"])
        async with Umbel(settings, Registry([pour])) as umbel:
            await umbel.submit("POUR")

    in_store(settings, work)
    finding = findings(settings.environ())["queues"]
    assert finding.state == "warning"
    assert finding.text == "no worker serves kitchen (1 run is ready), turns: umbel worker -Q kitchen,turns"


def test_keys_that_open_nothing_any_more_are_named(settings):
    assert "none yet" in findings(settings.environ())["keys"].text

    async def work(store):
        make = {"scopes": ("read",), "by": "test"}
        await keyring.create(store, **make)
        return (await keyring.create(store, **make, expires=datetime.now(UTC) + timedelta(days=2)))[0].id

    ends = in_store(settings, work)
    finding = findings(settings.environ())["keys"]
    assert (finding.state, "2 open the HTTP API" in finding.text) == ("warning", True)
    assert f"{ends} will expire within a week" in finding.text


def test_a_key_whose_time_is_over_is_a_warning(settings, monkeypatch):
    async def work(store):
        soon = datetime.now(UTC) + timedelta(hours=1)
        return (await keyring.create(store, scopes=("read",), by="test", expires=soon))[0].id

    over = in_store(settings, work)
    clock = time.time
    monkeypatch.setattr("umbel.checkup.house.time.time", lambda: clock() + 7_200)
    finding = findings(settings.environ())["keys"]
    assert finding.state == "warning"
    assert f"expired: {over}. `umbel keys revoke`" in finding.text


# The service


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [(503, "warning", "workers: none"), (404, "problem", "Correct UMBEL_API_URL")],
)
def test_a_service_that_is_not_ready_says_why(status, state, words):
    body = {"ready": False, "checks": [{"name": "workers", "ok": False, "detail": "none"}]}
    with Loopback(lambda _: Answer(status, body)) as api:
        finding = findings({"UMBEL_API_URL": api.url})["api"]
    assert (finding.state, words in finding.text) == (state, True)


@pytest.mark.parametrize(("status", "state"), [(200, "ok"), (403, "ok"), (401, "problem"), (500, "warning")])
def test_the_key_of_the_client_is_tried_and_never_shown(status, state):
    def answer(request):
        if request.path == "/readyz":
            return Answer(200, {"ready": True})
        assert request.headers["authorization"] == "Bearer umb_x_secret"
        return Answer(status, {})

    with Loopback(answer) as api:
        result = CliRunner().invoke(
            doctor, ["--json"], env={"UMBEL_API_URL": api.url, "UMBEL_API_KEY": "umb_x_secret"}
        )
    (finding,) = [each for each in json.loads(result.stdout)["findings"] if each["name"] == "api key"]
    assert finding["state"] == state
    assert "secret" not in result.stdout


def test_a_service_that_does_not_answer_is_a_problem():
    assert states({"UMBEL_API_URL": f"http://127.0.0.1:{free_port()}"})["api"] == "problem"
    assert states({"UMBEL_API_URL": "not a url"})["api"] == "problem"


# This machine


def test_a_wrong_setting_is_a_problem():
    result = CliRunner().invoke(doctor, env={"UMBEL_ROOM": "many"})
    assert result.exit_code == 78
    assert "UMBEL_ROOM" in result.output


def test_a_home_that_cannot_be_written_is_a_problem(tmp_path):
    (tmp_path / "file").write_text("")
    assert states({"UMBEL_HOME": str(tmp_path / "file" / "home")})["home"] == "problem"


def test_a_slip_of_the_pen_is_a_warning():
    found = [f.state for f in examine({"UMBEL_REDIS_URI": "x", "UMBEL_API_KEY": ""}) if f.name == "settings"]
    assert found == ["warning", "ok"]


def test_the_versions_that_are_looked_for_are_those_of_the_package():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    for name, (least, too_new) in machine.LIBRARIES.items():
        bounds = f">={'.'.join(map(str, least))}" + (f",<{'.'.join(map(str, too_new))}" if too_new else "")
        assert {f"{name}{bounds}", f"{name}[hiredis]{bounds}"} & set(wanted), f"{name}{bounds}"


@pytest.mark.parametrize(
    ("installed", "fits"),
    [("5.7.3", True), ("5.6.9", False), ("5.8.0", False), ("5.7.0rc1", True), ("6", False)],
)
def test_a_library_of_another_version_is_a_warning_with_its_cure(monkeypatch, installed, fits):
    monkeypatch.setattr(machine, "_installed", lambda name: installed if name == "celery" else None)
    told = [finding.text for finding in machine.versions() if finding.name == "library"]
    assert told == (
        [] if fits else [f"celery {installed} is not what Umbel is tried with: install 'celery>=5.7,<5.8'"]
    )


@pytest.mark.parametrize("value", ["500", "many"])
def test_json_is_one_object(value):
    result = CliRunner().invoke(doctor, ["--json"], env={"UMBEL_ROOM": value})
    answer = json.loads(result.stdout)
    assert answer["ok"] is (result.exit_code == 0)
    assert {"name", "state", "text", "exit_code"} == set(answer["findings"][0])
