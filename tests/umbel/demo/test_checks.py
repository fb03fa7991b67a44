"""The checks: a play that went well passes, and each way in which it could go wrong fails its own check."""

import copy
import json

import pytest

from orchestrator.store.records import ConversationRecord
from umbel.demo import checks
from umbel.demo.board import Board, Step, Watched
from umbel.demo.exchange import Order
from umbel.demo.play import Kept, Played
from umbel.demo.script import Ending, Scene, Script, ScriptedReply

SCRIPT = Script(
    about="One order.",
    machine=None,
    principal="desk",
    permissions=("trade",),
    turns=(
        Scene(
            user="Buy.",
            pause_s=0,
            replies=(ScriptedReply(body={}, expect=("succeeded", "refused unknown_action")),),
        ),
    ),
    ends=Ending(status="idle", state=None, context={"a": 1}),
)


def step(at, status, worker="", why="", attempt=1):
    return Step(at, status, attempt, why, worker)


@pytest.fixture
def played():
    board = Board(workers={"one@h": 2.0, "two@h": None})
    bought = Watched("run_1", "trader", leads=False, called="BUY", action="TAKE_ORDER", key="k1", result={})
    for one in (
        step(1.0, "ready", attempt=0),
        step(1.1, "running", "one@h"),
        step(9.0, "ready", why="worker_died"),
        step(9.1, "running", "two@h", attempt=2),
        step(9.2, "succeeded", attempt=2),
    ):
        board.add(bought, one)
    refused = Watched(
        "run_2", "trader", leads=False, called="SHORT", result={"error": "no", "code": "unknown_action"}
    )
    board.add(refused, step(1.0, "refused", attempt=0))
    messages = [
        {"role": "user", "content": "Buy."},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c1"}, {"id": "c2"}]},
        {"role": "tool", "tool_call_id": "c1", "content": {}},
        {"role": "tool", "tool_call_id": "c2", "content": {}},
    ]
    record = ConversationRecord("conv_1", "idle", None, 3, None, 0, None, "", "desk", ("trade",), {"a": "1"})
    order = Order("ord_001", "k1", "ACME", 5, "buy", asked=2)
    return Played(board, {"trader": Kept(record, messages)}, [order], 0, {"TAKE_ORDER": 1}, 10.0)


def failed(played):
    return [check.name for check in checks.examine(played, {"trader": SCRIPT}) if not check.ok]


def test_a_good_play_passes_every_check(played):
    assert failed(played) == []


def break_turns(played):
    played.board.problems.append("trader: turn 1 ended as failed")


def break_order(played):
    messages = played.kept["trader"].messages
    messages[2], messages[3] = messages[3], messages[2]


def break_missing(played):
    del played.kept["trader"].messages[3]


def break_twice(played):
    played.kept["trader"].messages.append(copy.deepcopy(played.kept["trader"].messages[3]))


def break_between(played):
    played.kept["trader"].messages.insert(3, {"role": "user", "content": "Hello?"})


def break_status(played):
    run = played.board.runs["run_2"]
    run.result = {"error": "no", "code": "forbidden_action"}


def break_extra_order(played):
    played.orders.append(Order("ord_002", "k2", "ACME", 5, "buy"))


def break_double_order(played):
    played.orders.append(Order("ord_002", "k1", "ACME", 5, "buy"))


def break_slow_recovery(played):
    late = [
        step(one.at + (15 if one.at > 2 else 0), one.status, one.worker, one.why, one.attempt)
        for one in played.board.runs["run_1"].steps
    ]
    played.board.runs["run_1"].steps[:] = late


def break_no_recovery(played):
    del played.board.runs["run_1"].steps[2:]
    played.orders.clear()


def break_no_kill(played):
    played.board.workers["one@h"] = None


def break_state(played):
    played.kept["trader"].record.context["a"] = json.dumps(2)


def break_flower(played):
    played.flower.clear()


@pytest.mark.parametrize(
    ("breaks", "promise"),
    [
        (break_turns, "every turn ended"),
        (break_order, "one result for each call"),
        (break_missing, "one result for each call"),
        (break_twice, "one result for each call"),
        (break_between, "one result for each call"),
        (break_status, "each call ended as it should"),
        (break_extra_order, "one order for each run"),
        (break_double_order, "one order for each run"),
        (break_slow_recovery, "a dead worker's runs"),
        (break_no_recovery, "a dead worker's runs"),
        (break_no_kill, "a dead worker's runs"),
        (break_state, "the conversations stand"),
        (break_flower, "Flower lists"),
    ],
)
def test_each_broken_promise_is_told(played, breaks, promise):
    breaks(played)
    assert any(name.startswith(promise) for name in failed(played)), failed(played)


def test_a_play_in_which_nothing_happened_passes_none():
    names = failed(Played(Board()))
    assert len(names) >= 6


def test_recovery_counts_from_the_kill_to_the_last_run(played):
    recovery = played.board.recovery
    assert recovery.worker == "one@h"
    assert recovery.runs == ("run_1",)
    assert recovery.seconds == pytest.approx(7.1)


def test_flower_need_not_know_what_a_killed_worker_could_not_tell(played):
    lost = Watched("run_3", "trader", leads=False, action="NONE")
    played.board.add(lost, step(1.8, "running", "one@h"))
    played.board.add(lost, step(1.9, "succeeded"))
    assert [run.run for run in played.board.started()] == ["run_1"]
