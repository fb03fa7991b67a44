"""The commands that start things: what is wrong is one line and an exit code; what is right runs, and ends."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from actions.errors import ConfigError
from orchestrator.settings import Settings
from umbel import home, preflight, starting

ROOT = Path(__file__).parents[2]
ACTIONS = '''
from umbel import action

@action("GREET")
async def greet(name: str) -> str:
    """Greet somebody."""
    return f"hello {name}"
'''


@pytest.fixture
def env(tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UMBEL_")}
    return kept | {"UMBEL_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}


def umbel(*arguments: str, env, cwd):
    return subprocess.run(
        [sys.executable, "-m", "umbel", *arguments],
        cwd=cwd, env=env, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def assert_one_line(done, code, *words: str):
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("umbel: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("command", ["worker", "flower"])
def test_without_a_redis_the_way_to_one_is_told(env, tmp_path, command):
    assert_one_line(umbel(command, env=env, cwd=tmp_path), 78, "UMBEL_REDIS_URL", "umbel up")


@pytest.mark.parametrize("command", ["up", "worker", "flower", "demo", "api"])
def test_a_redis_that_does_not_answer_is_told_before_anything_starts(env, tmp_path, command):
    env["UMBEL_REDIS_URL"] = f"redis://:secret@127.0.0.1:{free_port()}/0"
    env |= {"UMBEL_FLOWER_PORT": "0", "UMBEL_API_PORT": "0"}
    done = umbel(command, *(["--json"] if command == "demo" else []), env=env, cwd=tmp_path)
    text = done.stderr.splitlines()
    done.stderr = text[-1] + "\n"  # the demo also says where its logs are
    assert_one_line(done, 69, "does not answer")
    assert "secret" not in "".join(text) + done.stdout


def test_a_wrong_password_is_told_as_such(env, tmp_path, valkey):
    if "@" not in valkey:
        pytest.skip("this server asks for no password")
    env["UMBEL_REDIS_URL"] = f"redis://:wrong@{valkey.rpartition('@')[2]}"
    assert_one_line(umbel("worker", env=env, cwd=tmp_path), 69, "WRONGPASS", "***")


def test_a_module_of_actions_that_is_missing_is_named(env, tmp_path):
    env["UMBEL_ACTIONS"] = "nowhere.actions"
    assert_one_line(umbel("up", "--no-flower", env=env, cwd=tmp_path), 78, "nowhere.actions")


def test_a_port_in_use_is_named(env, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = umbel("up", "--port", str(port), "--api-port", str(port), env=env, cwd=tmp_path)
        assert_one_line(done, 69, str(port), "UMBEL_API_PORT and UMBEL_FLOWER_PORT")
    assert not (tmp_path / "home").exists()


def test_flowers_port_that_is_in_use_is_named(env, tmp_path, valkey):
    env["UMBEL_REDIS_URL"] = valkey
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert_one_line(
            umbel("flower", "--port", port, env=env, cwd=tmp_path), 69, port, "0 takes any free one"
        )


def test_a_ready_file_that_cannot_be_written_is_named(env, tmp_path):
    options = ["--api-port", "0", "--flower-port", "0", "--ready-file", "nowhere/ready.json"]
    assert_one_line(umbel("up", *options, env=env, cwd=tmp_path), 78, "nowhere/ready.json")


@pytest.mark.parametrize("name", ["actions", "workers"])
def test_a_file_that_would_hide_our_package_is_named(tmp_path, name):
    (tmp_path / f"{name}.py").write_text("")
    with pytest.raises(ConfigError, match=rf"{name}\.py hides.*rename it"):
        preflight.refuse_hidden(tmp_path)


def test_a_folder_without_init_hides_nothing(tmp_path):
    (tmp_path / "actions").mkdir()
    assert preflight.refuse_hidden(tmp_path) is None
    assert preflight.refuse_hidden(ROOT) is None


def test_flowers_login_is_made_once_and_is_the_owners_alone(tmp_path):
    settings = Settings(home=tmp_path / "home")
    login, is_new = home.login_of(settings)
    assert is_new
    assert home.login_of(settings) == (login, False)
    assert (settings.home / home.LOGIN_FILE).stat().st_mode & 0o077 == 0
    assert login.partition(":")[2] in home.told(settings, login, is_new=True)
    assert login.partition(":")[2] not in home.told(settings, login, is_new=False)


def test_a_child_gets_exactly_the_settings(monkeypatch):
    monkeypatch.setenv("UMBEL_MODEL_KEY", "of the parent")
    monkeypatch.setenv("UMBEL_SECRET_BROKER", "for handlers")
    env = starting.environment(Settings(namespace="mine"))
    assert env["UMBEL_NAMESPACE"] == "mine"
    assert "UMBEL_MODEL_KEY" not in env
    assert env["UMBEL_SECRET_BROKER"] == "for handlers"


def test_no_password_stands_on_a_command_line(tmp_path):
    settings = Settings(redis_url="redis://:secret@127.0.0.1:1/0", flower_auth="me:hidden")
    commands = [
        *starting.worker_command(settings, name="w", queues=["a"]),
        *starting.flower_command(1),
        *starting.api_command(),
    ]
    assert not any(secret in word for word in commands for secret in ("secret", "hidden"))


@pytest.fixture
def running(env, tmp_path):
    """`umbel up` with an action of the user's own, once its ready file is there; what it says goes to a file."""
    (tmp_path / "shop.py").write_text(ACTIONS)
    ready, said = tmp_path / "ready.json", tmp_path / "said"
    options = ["--api-port", "0", "--flower-port", "0", "--concurrency", "1", "--ready-file", str(ready)]
    command = [sys.executable, "-m", "umbel", "up", *options]
    with (
        said.open("w") as out,
        subprocess.Popen(
            command, cwd=tmp_path, env=env | {"UMBEL_ACTIONS": "shop"}, stdout=out, stderr=subprocess.STDOUT
        ) as process,
    ):
        until(lambda: ready.exists() or process.poll() is not None, "it is not ready")
        assert process.poll() is None, said.read_text()
        yield process, ready, said
        process.kill()


def until(what, failing, within=30.0):
    """Wait for something that has to happen, and return it."""
    limit = time.monotonic() + within
    while not (found := what()):
        assert time.monotonic() < limit, failing
        time.sleep(0.02)
    return found


def sourced(tmp_path):
    """The environment that the file in the home folder makes."""
    shell = subprocess.run(
        ["sh", "-c", ". ./home/env && env"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    return dict(
        line.split("=", 1) for line in shell.stdout.splitlines() if line.startswith(("UMBEL_", "FLOWER_"))
    )


def submitted(told):
    """What the API answers to a run that is waited for, with the key of the ready file."""
    answer = httpx.post(
        f"{told['api']}/v1/runs?wait=10s",
        json={"action": "GREET", "arguments": {"name": "Ada"}},
        headers={"Authorization": f"Bearer {told['key']}"},
        timeout=20,
    )
    return answer.json().get("result")


def is_gone(pid):
    """Whether a process has ended; one that nobody has waited for yet counts as ended."""
    ps = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return not ps.stdout.strip() or ps.stdout.strip().startswith("Z")


@pytest.mark.slow
@pytest.mark.processes
def test_up_runs_everything_starts_again_what_dies_and_ends_with_one_ctrl_c(running, env, tmp_path):
    process, ready, said = running
    told = json.loads(ready.read_text())
    assert set(told["pids"]) == {"umbel", "redis", "worker-1", "turns", "api", "flower"}
    assert told["pids"]["umbel"] == process.pid
    until(lambda: "Ctrl-C stops everything" in said.read_text(), "it does not say what to do")
    assert_it_says_what_to_do(said.read_text(), told, tmp_path)
    assert_a_second_one_is_refused_and_changes_nothing(process, ready, env, tmp_path)
    assert submitted(told) == "hello Ada"
    assert_flower_lists_a_call_of_celery(told, env, tmp_path)

    killed = ("api", "worker-1", "redis")
    for name in killed:
        os.kill(told["pids"][name], signal.SIGKILL)

    def renewed():
        found = json.loads(ready.read_text())
        return all(found["pids"][name] != told["pids"][name] for name in killed) and found

    again = until(renewed, "the ready file is not written anew")
    assert again | {"pids": {}} == told | {"pids": {}}
    assert submitted(again) == "hello Ada"
    text = said.read_text()
    assert "umbel: api was ended by SIGKILL and is started again" in text
    assert f"worker-1 runs again (process {again['pids']['worker-1']})" in text

    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert "Stopping" in said.read_text()
    assert [name for name, pid in again["pids"].items() if not is_gone(pid)] == []
    assert not ready.exists()
    assert not (tmp_path / "home" / home.ENV_FILE).exists()


def assert_it_says_what_to_do(text, told, tmp_path):
    """The plain commands, and a curl line that works; no secret but Flower's password, which is new."""
    theirs = sourced(tmp_path)
    assert (theirs["UMBEL_API_URL"], theirs["UMBEL_API_KEY"]) == (told["api"], told["key"])
    assert theirs["UMBEL_REDIS_URL"] == told["redis"]
    assert theirs["FLOWER_BASIC_AUTH"] == (tmp_path / "home" / home.LOGIN_FILE).read_text().strip()
    assert told["key"] not in text
    assert told["redis"] not in text
    assert "\n  umbel api\n" in text
    (curl,) = [line for line in text.splitlines() if line.startswith("  curl ")]
    if shutil.which("curl"):
        done = subprocess.run(["sh", "-c", curl], capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["result"] == "nothing to do"
    assert text.splitlines()[-1] == curl
    assert "\n  umbel submit GREET name=NAME --wait" in text


def assert_a_second_one_is_refused_and_changes_nothing(process, ready, env, tmp_path):
    """In a terminal that ran the env file, whose Redis it knows, and in one that did not."""
    kept = [
        ready,
        *(tmp_path / "home" / name for name in (home.ENV_FILE, home.API_KEY_FILE, home.LOGIN_FILE)),
    ]
    before = [path.read_bytes() for path in kept]
    for theirs in (sourced(tmp_path), {}):
        for ports in (["--api-port", "0", "--flower-port", "0"], []):
            done = umbel("up", *ports, "--ready-file", str(ready), env=env | theirs, cwd=tmp_path)
            assert_one_line(done, 78, "runs already", f"process {process.pid}", "UMBEL_HOME", "umbel worker")
    assert [path.read_bytes() for path in kept] == before


def assert_flower_lists_a_call_of_celery(told, env, tmp_path):
    """What Celery's own command submits is a run, and Flower shows it to who has the login."""
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "workers.main", "call", "GREET", "--kwargs", '{"name": "Ada"}'],
        cwd=tmp_path, env=env | sourced(tmp_path), capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    task = done.stdout.strip().replace("-", "")
    login = tuple((tmp_path / "home" / home.LOGIN_FILE).read_text().strip().split(":", 1))
    page = f"{told['flower']}/api/tasks"
    assert httpx.get(page).status_code == 401
    until(
        lambda: any(task in run for run in httpx.get(page, auth=login).json()), "Flower does not list the run"
    )
