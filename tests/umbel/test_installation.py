"""What `umbel up` runs: ports, plain commands, the first key, the ready file, and when it is ready."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from actions.approvals import Approval
from actions.definition import Action, action
from actions.errors import ConfigError, OperatorError, PortInUse
from actions.registry import Registry
from orchestrator import keyring
from orchestrator.settings import Settings
from orchestrator.store.store import Store
from umbel import home, starting
from umbel.demo.loopback import Answer, Loopback
from umbel.installation import claim, gates
from umbel.installation.example import Example, template
from umbel.installation.first_key import first_key
from umbel.installation.plan import Plan, Ports, choose_ports, parts, plain_commands
from umbel.installation.ready_file import ReadyFile
from umbel.installation.telling import JsonLines, Lines
from umbel.supervisor import Process


@action("BUY", permissions={"trade"}, queue="trading")
async def buy(item: str, quantity: int, note: str = "") -> None:
    """Buy something."""


@action("SELL", permissions={"trade", "sell"})
async def sell() -> None:
    """Sell something."""


@action("PICK", permissions={"trade"})
async def pick(
    colour: Literal["red", "blue"], size: Annotated[int, Field(examples=[7])], note: str = ""
) -> None:
    """Pick something."""


@action("ASK_FIRST", approval=Approval(expires="1h"))
async def ask_first() -> None:
    """Do something once a person said yes."""


@pytest.fixture
def taken():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def plan(settings: Settings, **more: object) -> Plan:
    given = {"workers": 2, "concurrency": None, "ports": Ports(8701, 5556), "login": "me:hidden"}
    registry = Registry([buy])
    return Plan(
        **{"settings": settings, "registry": registry, "login_told": "", "key": "umb_x_y"} | given | more
    )


# Ports


def test_ports_that_are_taken_are_told_in_one_line_before_anything_starts(taken):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        second = other.getsockname()[1]
        with pytest.raises(PortInUse) as error:
            choose_ports(Settings(), api=taken, flower=second)
    text = str(error.value)
    assert f"port {taken}, meant for the API, is in use" in text
    assert f"port {second}, meant for Flower, is in use" in text
    assert "UMBEL_API_PORT and UMBEL_FLOWER_PORT" in text
    assert "\n" not in text


def test_one_port_cannot_serve_both():
    with pytest.raises(PortInUse, match="both the API and Flower"):
        choose_ports(Settings(), api=18_700, flower=18_700)


def test_port_0_is_any_free_one_and_never_the_same_one_twice():
    found = choose_ports(Settings(), api=0, flower=0)
    assert found.api
    assert found.flower
    assert found.api != found.flower
    assert choose_ports(Settings(), api=None, flower=None) == Ports(None, None)


def test_an_address_that_this_machine_does_not_have_is_told_as_such():
    with pytest.raises(PortInUse, match="address that this machine does not have"):
        choose_ports(Settings(api_host="203.0.113.7"), api=8_700, flower=None)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8701"),
        ("0.0.0.0", "http://127.0.0.1:8701"),
        ("::1", "http://[::1]:8701"),
    ],
)
def test_the_url_of_the_api_is_one_that_programs_here_can_use(settings, host, url):
    assert plan(settings.model_copy(update={"api_host": host})).api_url == url


# Commands


def test_the_plain_commands_can_be_copied_and_hold_no_secret(settings):
    secret = settings.model_copy(update={"flower_auth": None, "model_key": None})
    told = plain_commands(plan(secret), None)
    assert list(told) == ["worker-1", "worker-2", "turns", "api", "flower"]
    assert told["worker-2"].startswith("celery -A workers.main worker -Q actions,trading -c ")
    assert told["api"] == "umbel api"
    assert told["flower"] == "celery -A workers.main flower --address=127.0.0.1 --port=5556"
    password = settings.store_url.partition("@")[0].rpartition(":")[2]
    assert password
    for line in [*told.values(), *(" ".join(part.command) for part in parts(plan(secret)))]:
        assert password not in line
        assert "hidden" not in line
        assert "umb_x_y" not in line
    assert "hidden" not in repr(parts(plan(secret)))
    assert "umb_x_y" not in repr(plan(secret))


def test_without_api_and_flower_neither_is_started(settings):
    names = [part.name for part in parts(plan(settings, ports=Ports(None, None), workers=1))]
    assert names == ["worker-1", "turns"]


def registry(*actions: Action) -> Registry:
    """These beside those that every registry has, as `umbel up` loads them."""
    return Registry(actions, builtins=Registry.from_modules(()).actions)


def test_the_example_takes_its_values_from_the_schema():
    example = Example.of(registry(pick), own=True)
    assert example.submit() == "umbel submit PICK 'colour=\"red\"' size=7 --permission trade --wait"
    curl = example.curl("http://127.0.0.1:1", Path("/somewhere/api-key.header"))
    assert curl.startswith("curl -s -H @/somewhere/api-key.header ")
    assert '{"action": "PICK", "arguments": {"colour": "red", "size": 7}}' in curl
    assert template(registry(pick)) == "umbel submit PICK colour=COLOUR size=SIZE --permission trade --wait"


@pytest.mark.parametrize(("mine", "own"), [([buy], True), ([ask_first], True), ([pick], False)])
def test_where_a_value_would_be_invented_or_a_person_asked_the_example_is_the_harmless_action(mine, own):
    example = Example.of(registry(*mine), own=own)
    assert example.submit() == "umbel submit NONE --wait"
    assert example.celery() == "celery -A workers.main call NONE"


def test_the_last_line_is_a_curl_that_ends_well_and_every_line_is_one_to_copy(settings, capsys):
    own = settings.model_copy(update={"actions": ("shop",)})
    given = plan(own, registry=registry(buy))
    Lines().ready(given, plain_commands(given, None), embedded=False)
    *_, ready, curl = capsys.readouterr().out.splitlines()
    assert ready.startswith("ready in 0 s; Ctrl-C stops everything")
    assert curl.startswith("  curl -s ")
    assert '{"action": "NONE", "arguments": {}}' in curl
    Lines().ready(given, plain_commands(given, None), embedded=False)
    assert (
        "\n  umbel submit BUY item=ITEM quantity=QUANTITY --permission trade --wait   #"
        in capsys.readouterr().out
    )


# One for a home folder


def test_a_second_one_for_the_same_home_folder_is_refused_and_changes_nothing(tmp_path):
    folder = tmp_path / "home"
    claim.refuse_second(folder)
    assert not folder.exists()
    with claim.claimed(folder):
        (folder / home.ENV_FILE).write_text("of the first")
        for second in (lambda: claim.refuse_second(folder), lambda: claim.claimed(folder).__enter__()):
            with pytest.raises(ConfigError, match=rf"runs already .*\(process {os.getpid()}\).*UMBEL_HOME"):
                second()
        assert (folder / home.ENV_FILE).read_text() == "of the first"
    claim.refuse_second(folder)
    with claim.claimed(folder):
        pass


def test_a_home_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="UMBEL_HOME"), claim.claimed(tmp_path / "file" / "home"):
        pass


def test_the_env_file_has_what_the_commands_need_and_a_workers_environment_has_no_key(settings, monkeypatch):
    with home.env_file(settings, {"UMBEL_API_KEY": "umb_x_y", "FLOWER_BASIC_AUTH": "me:hid den"}) as path:
        text = path.read_text()
        assert "export UMBEL_API_KEY=umb_x_y\n" in text
        assert "export FLOWER_BASIC_AUTH='me:hid den'\n" in text
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()
    monkeypatch.setenv("UMBEL_API_KEY", "umb_x_y")
    assert "UMBEL_API_KEY" not in starting.environment(settings)


# The first key


def keys_in(settings):
    async def look():
        store = Store(settings)
        try:
            return await store.api_keys.list()
        finally:
            await store.close()

    return asyncio.run(look())


def revoke(settings, key_id):
    async def work():
        store = Store(settings)
        try:
            assert await keyring.revoke(store, key_id, by="test")
        finally:
            await store.close()

    asyncio.run(work())


def test_the_first_key_is_made_once_and_opens_everything(settings):
    first = first_key(settings, Registry([buy]), by="me")
    assert first_key(settings, Registry([buy]), by="me") == first
    (stored,) = keys_in(settings)
    assert set(stored.scopes) == set(keyring.SCOPES)
    assert (stored.tenant, stored.principal, stored.permissions) == ("", "local", ("trade",))
    kept, header = (settings.home / name for name in (home.API_KEY_FILE, home.API_HEADER_FILE))
    assert kept.read_text() == f"{first}\n"
    assert header.read_text() == f"Authorization: Bearer {first}\n"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (kept, header)} == {0o600}


def test_a_key_that_the_store_does_not_know_is_made_anew(settings):
    first = first_key(settings, Registry([buy]), by="me")
    revoke(settings, keys_in(settings)[0].id)
    second = first_key(settings, Registry([buy]), by="me")
    assert second != first
    assert (settings.home / home.API_KEY_FILE).read_text().strip() == second


def test_a_key_that_may_less_than_the_actions_ask_for_is_replaced(settings):
    first = first_key(settings, Registry([buy]), by="me")
    second = first_key(settings, Registry([buy, sell]), by="me")
    assert second != first
    (stored,) = keys_in(settings)
    assert set(stored.permissions) == {"trade", "sell"}
    assert first_key(settings, Registry([buy]), by="me") == second


@pytest.mark.parametrize("kept", ["", "umb_short", "umb_abcdefghijkl_" + "x" * 43, "\xff"])
def test_whatever_stands_in_the_file_a_key_comes_out(settings, kept):
    settings.home.mkdir(parents=True)
    (settings.home / home.API_KEY_FILE).write_text(kept, encoding="latin-1")
    assert keyring.parse(first_key(settings, Registry([buy]), by="me"))


# The ready file


def test_the_ready_file_is_the_owners_alone_and_tells_what_the_contract_says(settings, tmp_path):
    path = tmp_path / "ready.json"
    path.write_text("left by one that was killed")
    with ReadyFile(path) as file:
        assert not path.exists()
        file.write(plan(settings), {"umbel": 1, "api": 2})
        told = json.loads(path.read_text())
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        file.write(plan(settings), {"umbel": 1, "api": 3})
        assert json.loads(path.read_text())["pids"] == {"umbel": 1, "api": 3}
        assert [each.name for each in tmp_path.iterdir()] == ["ready.json"]
    assert not path.exists()
    assert told == {
        "version": 1,
        "api": "http://127.0.0.1:8701",
        "flower": "http://127.0.0.1:5556",
        "redis": settings.store_url,
        "key": "umb_x_y",
        "ports": {
            "api": 8701,
            "flower": 5556,
            "redis": int(settings.store_url.rpartition(":")[2].split("/")[0]),
        },
        "pids": {"umbel": 1, "api": 2},
        "home": str(settings.home),
    }


def test_a_ready_file_in_no_folder_is_refused_before_anything_starts(tmp_path):
    with pytest.raises(ConfigError, match="folder that exists"):
        ReadyFile(tmp_path / "nowhere" / "ready.json")
    with pytest.raises(ConfigError, match="folder that exists"):
        ReadyFile(tmp_path)


# Gates


@pytest.fixture
def child(tmp_path):
    with Process(
        "the child", [sys.executable, "-c", "import time; time.sleep(60)"], log=tmp_path / "log"
    ) as process:
        yield process


def readiness(status: int, *failed: str) -> Answer:
    checks = [
        {"name": "scripts", "ok": True},
        *({"name": n, "ok": False, "detail": f"{n} is bad"} for n in failed),
    ]
    return Answer(status, {"ready": status == 200, "checks": checks})


@pytest.mark.processes
def test_what_is_not_ready_in_time_says_why_in_its_own_words(child):
    with Loopback(lambda _: readiness(503, "redis_writable", "worker:trading")) as api:
        gate = gates.api_gate(child, api.url, forgive=None)
        with pytest.raises(OperatorError) as error:
            gates.wait_for([gate], timedelta(seconds=0.2))
    assert "redis_writable: redis_writable is bad; worker:trading: worker:trading is bad" in str(error.value)


@pytest.mark.processes
def test_a_redis_of_the_users_own_that_may_lose_runs_is_a_warning_told_once(child):
    warned: list[str] = []
    with Loopback(lambda _: readiness(503, "append_only", "noeviction")) as api:
        gate = gates.api_gate(child, api.url, forgive=warned.append)
        gates.wait_for([gate], timedelta(seconds=5))
        assert gate.why_not() == ""
        assert len(warned) == 1
        assert "append_only is bad" in warned[0]
        assert gates.api_gate(child, api.url, forgive=None).why_not()
    with Loopback(lambda _: readiness(503, "append_only", "redis_writable")) as api:
        assert gates.api_gate(child, api.url, forgive=warned.append).why_not()


@pytest.mark.processes
def test_what_dies_before_it_is_ready_is_an_error_with_its_last_lines(tmp_path):
    code = "import sys; print('the port is a fish'); sys.exit(3)"
    process = Process("api", [sys.executable, "-c", code], log=tmp_path / "log")
    match = r"api ended by itself with exit code 3 .*the port is a fish"
    with process, pytest.raises(OperatorError, match=match):
        gates.wait_for([gates.web_gate(process, "http://127.0.0.1:9/")], timedelta(seconds=20))


# Signals


def test_sigterm_ends_the_block_with_the_code_that_shells_know():
    with pytest.raises(SystemExit) as error, starting.stops_on_sigterm():
        os.kill(os.getpid(), signal.SIGTERM)
    assert error.value.code == 143


@pytest.mark.parametrize("telling", [Lines, JsonLines])
def test_a_house_goes_on_although_nobody_hears_what_it_says(telling, monkeypatch):
    class Gone:
        def write(self, _: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", Gone())
    monkeypatch.setattr("sys.stderr", Gone())
    told = telling()
    told.restarted("api", 1)
    told.warn("something")
    told.stopping()
