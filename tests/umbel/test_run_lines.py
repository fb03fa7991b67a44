"""How a run is told to people, in what needs a house with a past: replays, lost workers, missing actions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import click
import pytest

from orchestrator.reading import RunStanding, TurnStanding
from umbel.cli import run_lines, show_lines

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RUN = RunStanding(
    run="run_a.0.0", action="PAY", status="succeeded", attempts=1, most_attempts=1, arguments={"amount": "5"},
    queue="actions", principal=None, tenant="", conversation=None, turn="turn_a", created=NOW, since=NOW, began=NOW,
    until=None, deadline=None, why=None, ladder=None, error=None, result={},
)  # fmt: skip


def told(**changed: Any) -> str:
    return "\n".join(run_lines.lines(replace(RUN, **changed)))


def test_a_run_and_its_replay_name_each_other():
    assert "replayed as    run_b" in told(replayed="run_b")
    assert "replay of      run_a" in told(replay_of="run_a")
    assert "replay" not in told()


@pytest.mark.parametrize(
    ("attempts", "most", "text"),
    [(1, 3, "1 of 3\n"), (3, 1, "3 (at least 2 lost with its worker)\n"), (2, None, "2\n")],
)
def test_attempts_that_were_lost_with_their_worker_are_none_of_those_that_there_may_be(attempts, most, text):
    assert f"attempts       {text}" in told(attempts=attempts, most_attempts=most)


def test_a_run_that_no_attempt_was_made_of_has_no_first_one():
    assert "first attempt" in told()
    assert "first attempt" not in told(attempts=0)


def test_arguments_of_an_action_that_is_not_here_are_counted_and_that_is_said():
    text = told(known=False, arguments={"unknown keys": "2"})
    assert "arguments      2 (its action is not loaded here: UMBEL_ACTIONS)" in text
    assert "arguments" not in told(known=False, arguments={})
    assert "arguments      unknown keys=2" in told(arguments={"unknown keys": "2"})


@pytest.mark.parametrize(
    ("error", "there"), [("the action failed with ValueError", True), ("the shop has no gold", False)]
)
def test_an_exception_that_nobody_foresaw_leads_to_the_log_that_has_its_traceback(error, there):
    text = told(status="failed", result={"error": error, "code": "handler_failed"})
    assert ("traceback      in the log of the worker" in text) is there


def test_the_run_that_holds_the_locks_of_a_chain_says_that_it_is_none_of_its_steps():
    assert "it has the locks of a chain" in told(action="umbel.chain")


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({}, "PAY  succeeded"),
        ({"status": "refused", "result": {"code": "not_run", "error": "x"}}, "PAY  refused (not_run)"),
        ({"status": "cancelled", "result": {"code": "cancelled"}}, "PAY  cancelled"),
        (
            {"status": "failed", "result": {"code": "\x1b[2K" + "x" * 100}},
            "PAY  failed (\\u001b[2K" + "x" * 36 + ")",
        ),
        ({"status": "failed", "result": {"code": 7}}, "PAY  failed"),
        ({"status": "cancelled", "result": None, "approval": "wanted"}, "PAY  cancelled"),
        ({"undo": "pending"}, "PAY  succeeded, is being undone"),
        (
            {"undo": "pending", "undo_waits": "run_a.0.1"},
            "PAY  succeeded, its undo waits for that of a later step",
        ),
        ({"undo": "undone"}, "PAY  succeeded, then undone"),
        ({"undo": "failed"}, "PAY  succeeded, its undo failed"),
        ({"undo_of": "run_b"}, "undo of PAY  succeeded"),
    ],
)
def test_a_line_of_a_turn_says_how_a_run_ended_and_what_became_of_its_effect(changed, text):
    assert click.unstyle(run_lines.row(replace(RUN, **changed))) == f"run_a.0.0  {text}"


def test_what_came_of_a_run_stands_below_it_and_the_evaluators_last():
    first, tenth = replace(RUN, run="run_a.0.1"), replace(RUN, run="run_a.0.10")
    aside = tuple(
        replace(RUN, run=run) for run in ("run_a.0.10.f0", "run_a.0.1.f0", "run_a.0.1.f0.undo", "run_a.ev.0")
    )
    turn = TurnStanding("turn_a", "done", "conv_a", 0, 0, NOW, NOW, (first, tenth), aside)
    lines = [line.split("  PAY")[0] for line in show_lines.lines(turn) if "  PAY" in line]
    assert lines == [
        "  run_a.0.1",
        "    run_a.0.1.f0",
        "    run_a.0.1.f0.undo",
        "  run_a.0.10",
        "    run_a.0.10.f0",
        "  run_a.ev.0",
    ]
