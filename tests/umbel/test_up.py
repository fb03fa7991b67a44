"""The commands that start things: what is wrong is one line and an exit code; what is right runs, and ends."""

import json
import os
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


@pytest.mark.parametrize("command", ["up", "worker", "flower", "demo"])
def test_a_redis_that_does_not_answer_is_told_before_anything_starts(env, tmp_path, command):
    env["UMBEL_REDIS_URL"] = f"redis://:secret@127.0.0.1:{free_port()}/0"
    env["UMBEL_FLOWER_PORT"] = str(free_port())
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
        assert_one_line(umbel("up", "--port", str(port), env=env, cwd=tmp_path), 69, str(port))


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
    commands = [*starting.worker_command(settings, name="w", queues=["a"]), *starting.flower_command(1)]
    assert not any(secret in word for word in commands for secret in ("secret", "hidden"))


@pytest.fixture
def running(env, tmp_path):
    """`umbel up` with an action of the user's own, once it says how to submit."""
    (tmp_path / "shop.py").write_text(ACTIONS)
    port = free_port()
    command = [sys.executable, "-m", "umbel", "up", "--port", str(port), "--concurrency", "1"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=env | {"UMBEL_ACTIONS": "shop"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        told = []
        for line in process.stdout:
            told.append(line)
            if line.startswith("Ctrl-C"):
                break
        yield process, "".join(told), port
        process.kill()


def sourced(tmp_path):
    """The environment that the file in the home folder makes."""
    shell = subprocess.run(
        ["sh", "-c", ". ./home/env && env"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    return dict(line.split("=", 1) for line in shell.stdout.splitlines() if line.startswith("UMBEL_"))


@pytest.mark.slow
@pytest.mark.processes
def test_up_runs_what_another_terminal_submits_and_ends_with_ctrl_c(running, env, tmp_path):
    process, told, port = running
    assert process.poll() is None, told
    assert "GREET" in told
    assert "***" in told
    theirs = sourced(tmp_path)
    assert theirs["UMBEL_REDIS_URL"] not in told
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "workers.main", "call", "GREET", "--kwargs", '{"name": "Ada"}'],
        cwd=tmp_path, env=env | theirs, capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    task = json.dumps(done.stdout.strip().replace("-", ""))[1:-1]
    login = tuple((tmp_path / "home" / home.LOGIN_FILE).read_text().strip().split(":", 1))
    page = f"http://127.0.0.1:{port}/api/tasks"
    assert httpx.get(page).status_code == 401
    limit = time.monotonic() + 15
    while not any(task in run for run in httpx.get(page, auth=login).json()):
        assert time.monotonic() < limit, "Flower does not list the run"
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert "Stopping" in process.stdout.read()
    assert not (tmp_path / "home" / home.ENV_FILE).exists()


def number_of(word, folder):
    """The number of the process started in this folder whose command line has this word."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_text().split("\0")
            if word in command and "guard.py" not in command[3] and (entry / "cwd").readlink() == folder:
                return int(entry.name)
        except (OSError, IndexError):
            continue
    raise AssertionError(f"nothing runs with {word}")


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks for the worker in /proc")
def test_up_starts_a_worker_again_that_died(running, tmp_path):
    process, told, _ = running
    assert process.poll() is None, told
    os.kill(number_of("--hostname=worker-1@%h", tmp_path), signal.SIGKILL)
    line = process.stdout.readline()
    while "worker-1" not in line:
        assert line, "it ended"
        line = process.stdout.readline()
    assert "is started again" in line
    log = tmp_path / "home" / "logs" / "worker-1.log"
    limit = time.monotonic() + 20
    while log.read_text().count(" ready.") < 2:
        assert time.monotonic() < limit, log.read_text()[-2000:]
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 143
