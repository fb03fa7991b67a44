"""What people see: a table with what is under way, lines elsewhere, a report and a document at the end."""

import io
import json

import pytest
from rich.console import Console

from actions.messages import Status
from umbel.demo import screen, wording
from umbel.demo.board import Board, Step, Talk, Watched


def shown(renderable, width=160):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(renderable)
    return console.file.getvalue()


def watched(number, status="succeeded", worker="two@h", **fields: object):
    run = Watched(f"run_{number}", "trader", leads=False, called="BUY_ORDER", action="TAKE_ORDER", **fields)
    return run, [
        Step(1.0, "ready", 0, "", ""),
        Step(1.1, "running", 1, "", worker),
        Step(1.5, status, 1, "", ""),
    ]


@pytest.fixture
def board():
    made = Board(workers={"one@h": 2.0, "two@h": None}, talks={"trader": Talk("trader", 3, turn=2)})
    for number in range(20):
        run, steps = watched(number, arguments={"ticker": "ACME", "quantity": number})
        for step in steps if number else steps[:2]:
            made.add(run, step)
    return made


def test_every_status_has_a_glyph_and_a_colour():
    assert set(wording.LOOKS) == set(Status)


def test_a_call_stands_as_the_model_wrote_it():
    run, _ = watched(1, arguments={"ticker": "ACME", "quantity": 5, "note": "x" * 99})
    assert wording.call_text(run).startswith('BUY_ORDER(ticker="ACME", quantity=5, note="xxx')
    assert wording.call_text(run).endswith("…)")


def test_a_call_that_cannot_be_read_stands_as_it_was_written():
    run, _ = watched(1, written='{"ticker":\n "ACME"')
    assert wording.call_text(run) == 'BUY_ORDER({"ticker": "ACME")'


def test_what_is_under_way_is_never_left_out(board):
    text = shown(screen.table(board, 3.0, 160, 5))
    assert "quantity=0)" in text
    assert "quantity=19)" in text
    assert "quantity=3)" not in text
    assert "15 earlier calls are over" in text


def test_a_run_of_a_killed_worker_says_what_it_waits_for(board):
    board.runs["run_0"].steps[-1] = Step(1.1, "running", 1, "", "one@h")
    text = shown(screen.whole(board, 3.0, "Flower: here", 160))
    assert "its worker is dead" in text
    assert "one@h killed 1.0 s ago" in text
    assert "message 2 of 3" in text


def test_a_narrow_terminal_gets_what_matters(board):
    assert "succeeded" in shown(screen.table(board, 3.0, 80), width=80)


def test_a_line_says_why_a_run_waits():
    run, _ = watched(1)
    waiting = Step(2.5, "waiting", 2, "backoff", "", "the exchange answered 503")
    run.steps.append(waiting)
    text = wording.line(run, waiting).plain
    assert "2.500" in text
    assert "waiting" in text
    assert "attempt 2" in text
    assert "backoff: the exchange answered 503" in text


def test_an_undo_stands_as_the_call_that_it_takes_back(played):
    undo, step = played.board.runs["run_c.0.1.undo"], played.board.runs["run_c.0.1"]
    assert wording.call_text(undo) == "undo of BUY(quantity=1)"
    assert wording.line(undo, undo.steps[-1]).plain.endswith("✔ succeeded undo of BUY(quantity=1)")
    assert wording.status_text(undo).plain == "✔ succeeded"
    assert wording.status_text(step).plain == "↩ undone"
    assert wording.why_text(step, step.steps[-1]) == "undone because step 3 failed"


def test_a_failed_step_that_was_undone_too_has_failed(played):
    step = played.board.runs["run_c.0.2"]
    step.undo = "undone"
    assert wording.status_text(step).plain == "✘ failed"


def test_the_screen_shows_a_chain_and_its_undos(played):
    text = shown(screen.whole(played.board, 10.0, "Flower: here", 160))
    assert "a chain: all of it or nothing" in text
    assert text.count("↩ undone") == 2
    assert text.count("undo of BUY(quantity=") == 2
    assert text.count("undone because step 3 failed") == 2


def test_lines_print_each_transition_and_each_kill_once(board):
    killed = sum(at is not None for at in board.workers.values())
    console = Console(file=io.StringIO(), width=200, color_system=None)
    with screen.Lines(console, board) as lines:
        lines.update()
        lines.update()
    assert console.file.getvalue().count("\n") == len(board.log) + killed
    assert console.file.getvalue().count("killed (kill -9)") == killed == 1


def test_a_pipe_gets_lines_and_a_terminal_a_table(board, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    pipe = Console(file=io.StringIO())
    terminal = Console(file=io.StringIO(), force_terminal=True)
    assert isinstance(screen.choose(pipe, board, lambda: 0.0, ""), screen.Lines)
    assert isinstance(screen.choose(terminal, board, lambda: 0.0, ""), screen.Moving)


def test_steps_are_plain_values_for_the_document(board):
    from umbel.demo.report import as_json

    assert json.loads(as_json({"ö": 1})) == {"ö": 1}
