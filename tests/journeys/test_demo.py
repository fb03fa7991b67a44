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
            assert recovery["worker"] in workers
            assert workers[-1] != recovery["worker"]
            assert run["status"] == "succeeded" or "BLUTH" in str(run["arguments"])


def test_the_exchange_was_asked_more_often_than_it_has_orders(played):
    document, *_ = played
    orders = document["exchange"]["orders"]
    assert len(orders) == 9
    assert len({order["key"] for order in orders}) == 9
    assert sum(order["asked"] for order in orders) > len(orders)
    assert document["exchange"]["times_busy"] >= 2


def test_a_failed_chain_is_undone_in_reverse(played):
    """A third undo is there only if the killed worker had the refused step: then it found nothing to cancel."""
    document, *_ = played
    first, second, _ = [run for run in document["runs"] if run["conversation"] == "broker" and run["action"]][
        :3
    ]
    undos = [run for run in document["runs"] if run["undoes"] in {first["run"], second["run"]}]
    assert [undo["undoes"] for undo in undos] == [second["run"], first["run"]]
    assert [undo["status"] for undo in undos] == ["succeeded", "succeeded"]
    assert undos[0]["steps"][-1]["at"] <= undos[1]["steps"][0]["at"], "one after the other"
    assert (first["undo"], second["undo"]) == ("undone", "undone")
    orders = document["exchange"]["orders"]
    assert {order["ticker"]: order["cancelled"] for order in orders if order["cancelled"]} == {
        "GLOBX": 1,
        "ACME": 2,
    }
    told = [(one["call"].partition("(")[0], one["cancelled"]) for one in document["undone"]]
    assert told[-2:] == [("BUY_ORDER", 1), ("TAKE_ORDER", 2)]


def test_the_model_is_told_what_is_true_after_the_undo(played):
    document, *_ = played
    messages = document["conversations"]["broker"]["messages"]
    told = [json.loads(message["content"]) for message in messages if message["role"] == "tool"]
    undone = {"code": "undone", "error": "undone because step 3 failed"}
    assert told[:2] == [undone, undone]
    assert told[2]["code"] == "handler_failed"
    assert "BLUTH is not traded here any more" in told[2]["error"]


def test_the_readme_shows_what_the_demo_says(played):
    """Line by line; figures and names of machines may be others."""
    document, *_ = played
    shown = re.findall(r"^✔  (.+?)  +(.+)$", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    said = {check["name"]: check["detail"] for check in document["checks"]}
    assert len(shown) == 4
    for name, detail in shown:
        assert _without_figures(said[name]) == _without_figures(detail)
    chain = "a failed chain takes back what it did"
    assert dict(shown)[chain] == said[chain]


def _without_figures(text):
    return re.sub(r"\d+(\.\d+)?", "#", re.sub(r"\S+@[^ ,]+", "worker", text))


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
