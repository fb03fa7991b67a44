"""`umbel keys` makes keys and shows each once, lists and revokes them; `umbel api` lets nobody in by mistake."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from orchestrator import keyring
from orchestrator.store.store import Store
from umbel.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ask(settings):
    def run(*arguments: str):
        return CliRunner().invoke(main, list(arguments), env=settings.environ())

    return run


def listed(ask):
    return json.loads(ask("keys", "list", "--json").stdout)


def test_a_key_is_shown_once_and_listed_without_its_secret(ask, settings):
    made = ask(
        "keys", "create", "--scope", "submit", "--scope", "operate", "--tenant", "acme", "--principal", "billing",
        "--permission", "trade", "--rate", "100/1s", "--note", "for bills",
        "--expires", "90d", "--by", "ann",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    whole = made.stdout.strip()
    key_id, secret = keyring.parse(whole)
    assert key_id in made.stderr
    for told in (
        ask("keys", "list").output,
        ask("keys", "list", "--json").output,
        ask("audit", "--json").output,
    ):
        assert key_id in told
        assert secret not in told
    [key] = listed(ask)
    expected = {
        "id": key_id, "tenant": "acme", "principal": "billing", "scopes": ["submit", "operate"],
        "permissions": ["trade"], "rate": "100/1s", "note": "for bills", "by": "ann",
    }  # fmt: skip
    assert key.items() >= expected.items()
    assert key["expires"] > key["created"]

    async def opens():
        store = Store(settings, connections=2)
        found = await store.api_keys.get(key_id)
        await store.close()
        return keyring.matches(secret, found)

    assert asyncio.run(opens())


def test_json_has_the_key_and_what_it_opens(ask):
    told = json.loads(ask("keys", "create", "--scope", "read", "--json").stdout)
    assert keyring.parse(told["key"])[0] == told["id"]
    assert told["principal"] == f"key:{told['id']}"
    assert told["expires"] is None


def test_a_revoked_key_is_gone(ask):
    first, second = (ask("keys", "create", "--scope", "read").stdout.strip() for _ in range(2))
    done = ask("keys", "revoke", keyring.parse(first)[0])
    assert (done.exit_code, done.stdout) == (0, f"{keyring.parse(first)[0]}  revoked\n")
    whole = ask("keys", "revoke", second, "--json")
    assert json.loads(whole.stdout) == {keyring.parse(second)[0]: "revoked"}
    assert keyring.parse(second)[1] not in whole.output
    assert listed(ask) == []
    again = ask("keys", "revoke", keyring.parse(first)[0], "nonsense")
    assert again.exit_code == 1
    assert again.stdout.count("no such key") == 2


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--scope", "everything"), "submit, read, operate, admin"),
        (("--scope", "read", "--rate", "fast"), "100/1s"),
        (("--scope", "read", "--tenant", "a b"), "tenant"),
        (("--scope", "read", "--expires", "2020-01-01"), "over already"),
        (("--scope", "read", "--expires", "soon"), "write how long from now (12h, 90d) or a date"),
        ((), "--scope"),
    ],
)
def test_what_cannot_be_granted_is_one_line_and_no_key(ask, arguments, word):
    done = ask("keys", "create", *arguments)
    assert done.exit_code != 0
    assert word in done.output
    assert "Traceback" not in done.output
    assert listed(ask) == []


def test_without_keys_the_list_says_how_to_make_one(ask):
    assert "umbel keys create" in ask("keys", "list").stdout


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])
def test_an_open_api_is_refused_on_any_address_but_loopback(ask, host):
    done = ask("api", "--insecure", "--host", host, "--port", "0")
    assert done.exit_code == 78
    assert done.stderr.count("\n") == 1
    assert "--insecure" in done.stderr


def test_a_port_that_is_taken_is_one_line(ask):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = ask("api", "--port", str(taken.getsockname()[1]))
    assert done.exit_code == 69
    assert done.stderr.count("\n") == 1
    assert "UMBEL_API_PORT" in done.stderr


@pytest.mark.processes
def test_the_command_says_where_it_listens_warns_each_time_when_it_is_open_and_ends_in_order(settings):
    env = {**os.environ, **settings.environ(), "PYTHONPATH": str(ROOT), "UMBEL_LOG_LEVEL": "info"}
    command = [sys.executable, "-m", "umbel", "api", "--insecure", "--port", "0"]
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        line = process.stdout.readline()
        url = re.fullmatch(r"umbel api: (http://127\.0\.0\.1:\d+)\n", line)[1]
        assert httpx.get(f"{url}/livez").status_code == 200
        assert httpx.get(f"{url}/v1/runs").status_code == 200
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert rest == ""
    assert "INSECURE" in errors
    assert "GET /v1/runs 200" in errors
    assert "Traceback" not in errors
