"""The whole walk on real processes: the demo is led, a worker is killed, and everything that is promised holds."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.processes]

ROOT = Path(__file__).parents[2]


def environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("UMBEL_")}


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """The demo's document, its exit code, and the home it ran in."""
    home = tmp_path_factory.mktemp("home")
    env = environment()
    done = subprocess.run(
        [sys.executable, "-m", "umbel", "demo", "--json"],
        cwd=ROOT,
        env=env | {"UMBEL_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    logs = "\n".join(path.read_text()[-3000:] for path in home.rglob("*.log"))
    assert done.stdout.startswith("{"), done.stderr + logs
    return json.loads(done.stdout), done, home, logs


def test_every_promise_is_kept(played):
    document, done, _, logs = played
    assert [check for check in document["checks"] if not check["ok"]] == [], logs
    assert document["ok"]
    assert done.returncode == 0
    assert done.stderr == ""


def test_a_killed_workers_runs_go_on_elsewhere_within_15_s(played):
    document, *_ = played
    recovery = document["recovery"]
    assert 0 < recovery["seconds"] <= 15
    assert list(document["workers"].values()).count("killed") == 1
    for run in document["runs"]:
        if run["run"] in recovery["runs"]:
            workers = [step["worker"] for step in run["steps"] if step["worker"]]
            assert workers[0] == recovery["worker"] != workers[-1]
            assert run["status"] == "succeeded"


def test_the_exchange_was_asked_more_often_than_it_has_orders(played):
    document, *_ = played
    orders = document["exchange"]["orders"]
    assert len(orders) == 7
    assert len({order["key"] for order in orders}) == 7
    assert sum(order["asked"] for order in orders) > len(orders)
    assert document["exchange"]["times_busy"] >= 2


def test_the_coach_was_judged_by_the_state_after_the_transition(played):
    document, *_ = played
    coach = document["conversations"]["coach"]
    assert coach["state"] == "IDENTITY_REFINEMENT"
    assert coach["context"]["user_info.free_evenings"] == 0
    reasons = [one["reason"] for one in document["refused"] if one["code"] == "forbidden_action"]
    assert any("SAVE_IDENTITY" in reason and "INTRODUCTION" in reason for reason in reasons)
    assert any(
        "MARK_INTRODUCTION_COMPLETE" in reason and "IDENTITY_BRAINSTORMING" in reason for reason in reasons
    )


def test_the_model_is_told_why_a_call_was_refused(played):
    document, *_ = played
    codes = [one["code"] for one in document["refused"]]
    assert {
        "forbidden_action",
        "malformed_call",
        "truncated_call",
        "unknown_action",
        "invalid_arguments",
    } <= set(codes)
    assert all(one["reason"] for one in document["refused"])


def test_ignore_ends_the_conversation_without_a_reply(played):
    document, *_ = played
    trader = document["conversations"]["trader"]
    assert trader["status"] == "completed"
    last = trader["messages"][-1]
    assert last["role"] == "tool"
    assert not trader["messages"][-2]["content"]


def test_nothing_is_left_but_logs(played):
    _, _, home, _ = played
    left = {path.suffix for path in home.rglob("*") if path.is_file()}
    assert left == {".log"}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_demo_leaves_nothing_running(tmp_path, number, code):
    env = environment() | {"UMBEL_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "umbel", "demo"]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        flower = next(line for line in process.stdout if "Flower: http" in line)
        process.send_signal(number)
        process.stdout.read()
        assert process.wait(30) == code
    with pytest.raises(httpx.ConnectError):
        httpx.get(re.search(r"http://\S+", flower)[0])
    assert not list(tmp_path.rglob("valkey.conf"))
