"""The checks: a play that went well passes, and each way in which it could go wrong fails its own check."""

import copy
import json

import pytest

from umbel.demo import checks
from umbel.demo.board import Board, Step, Watched
from umbel.demo.exchange import Order
from umbel.demo.play import Played


def step(at, status, worker="", why="", attempt=1):
    return Step(at, status, attempt, why, worker)


@pytest.fixture
def failed(scripts):
    """The names of the checks that a play does not pass."""
    return lambda played: [check.name for check in checks.examine(played, scripts) if not check.ok]


def test_a_good_play_passes_every_check(played, failed):
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
    del played.orders[0]


def break_no_kill(played):
    played.board.workers["one@h"] = None


def break_state(played):
    played.kept["trader"].record.context["a"] = json.dumps(2)


def break_flower(played):
    played.flower.clear()


def break_reverse(played):
    first, second = played.orders[1:]
    first.cancelled, second.cancelled = 1, 2


def break_cancelling(played):
    played.orders[1].cancelled = 0


def break_cancelled_together(played):
    played.orders[2].cancelled = 2


def break_stray_cancelling(played):
    played.orders[0].cancelled = 3


def break_undo(played):
    played.board.runs["run_c.0.0.undo"].steps.append(step(9.0, "failed"))


def break_second_undo(played):
    again = Watched("run_c.0.1.undo2", "broker", leads=False, undoes="run_c.0.1", action="TAKE_ORDER")
    played.board.add(again, step(9.0, "succeeded"))


def break_told(played):
    played.board.runs["run_c.0.1"].result = {"order": "ord_003"}


def break_chain_that_held(played):
    played.board.runs["run_c.0.2"].steps.append(step(9.0, "succeeded"))


def break_chain_that_failed_at_once(played):
    for number in (0, 1):
        played.board.runs[f"run_c.0.{number}"].steps.append(step(9.0, "cancelled"))


def break_flower_undo(played):
    played.flower["TAKE_ORDER.undo"] = 1


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
        (break_flower_undo, "Flower lists"),
        (break_reverse, "a failed chain"),
        (break_cancelling, "a failed chain"),
        (break_cancelled_together, "a failed chain"),
        (break_stray_cancelling, "a failed chain"),
        (break_undo, "a failed chain"),
        (break_second_undo, "a failed chain"),
        (break_told, "a failed chain"),
        (break_told, "each call ended as it should"),
        (break_chain_that_held, "a failed chain"),
        (break_chain_that_failed_at_once, "a failed chain"),
    ],
)
def test_each_broken_promise_is_told(played, failed, breaks, promise):
    breaks(played)
    assert any(name.startswith(promise) for name in failed(played)), failed(played)


def test_a_play_in_which_nothing_happened_passes_none(failed):
    names = failed(Played(Board()))
    assert len(names) >= 7


def test_the_chain_is_told_in_few_words(played, scripts):
    told = {check.name: check.detail for check in checks.examine(played, scripts)}
    assert told["a failed chain takes back what it did"] == (
        "a failed chain of 3 was undone in reverse: 2 orders cancelled"
    )
    assert told["each call ended as it should"] == "1 failed, 1 refused, 1 succeeded, 2 undone"


def test_a_failed_step_that_was_undone_too_changes_nothing(played, scripts):
    """Its worker was killed, so nobody knew what it had done; the exchange had no order of it to cancel."""
    last = played.board.runs["run_c.0.2"]
    last.undo, last.result = "undone", last.result | {"undone": True}
    undo = Watched("run_c.0.2.undo", "broker", leads=False, undoes=last.run, action="TAKE_ORDER", key="c2")
    played.board.add(undo, step(6.9, "succeeded"))
    told = checks.examine(played, scripts)
    assert [check for check in told if not check.ok] == []
    assert "1 failed, 1 refused, 1 succeeded, 2 undone" in [check.detail for check in told]


def test_recovery_counts_from_the_kill_to_the_last_run(played):
    recovery = played.board.recovery
    assert recovery.worker == "one@h"
    assert recovery.runs == ("run_1",)
    assert recovery.seconds == pytest.approx(7.1)


def test_flower_need_not_know_what_a_killed_worker_could_not_tell(played):
    lost = Watched("run_3", "trader", leads=False, action="NONE")
    played.board.add(lost, step(1.8, "running", "one@h"))
    played.board.add(lost, step(1.9, "succeeded"))
    known = [run.run for run in played.board.started()]
    assert "run_1" in known
    assert "run_c.0.1.undo" in known
    assert "run_3" not in known
