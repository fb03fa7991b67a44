"""The report: what was undone stands in it for people and for programs."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from umbel.demo import checks, report
from umbel.demo.stage import FlowerPage


@pytest.fixture
def stage(tmp_path):
    """All that a report asks a stage for."""
    return SimpleNamespace(flower=FlowerPage("http://flower.test", ("demo", "secret")), logs=tmp_path)


def printed(played, scripts, stage):
    console = Console(file=io.StringIO(), width=200, color_system=None)
    report.show(console, played, checks.examine(played, scripts), stage)
    return " ".join(console.file.getvalue().split())


def test_people_read_what_was_undone_and_in_which_order(played, scripts, stage):
    text = printed(played, scripts, stage)
    last = text.index("broker ↩ undone BUY(quantity=1) ord_003 is cancelled")
    assert last < text.index("broker ↩ undone BUY(quantity=0) ord_002 is cancelled")
    assert "a failed chain of 3 was undone in reverse: 2 orders cancelled" in text


def test_an_undo_that_found_nothing_to_cancel_says_so(played, scripts, stage):
    played.orders[1].cancelled = 0
    text = printed(played, scripts, stage)
    assert "the exchange has no order to cancel" not in text, "it has one, and it stands"
    assert "ord_002 still stands" in text
    del played.orders[1]
    assert "the exchange has no order to cancel" in printed(played, scripts, stage)


def test_programs_read_it_too(played, scripts, stage):
    told = report.document(played, checks.examine(played, scripts), stage)
    reason = "undone because step 3 failed"
    assert told["ok"]
    assert told["undone"] == [
        {
            "conversation": "broker",
            "call": f"BUY(quantity={number})",
            "status": "succeeded",
            "reason": reason,
            "order": order,
            "cancelled": cancelled,
        }
        for number, order, cancelled in ((1, "ord_003", 1), (0, "ord_002", 2))
    ]
    runs = {run["run"]: run for run in told["runs"]}
    assert runs["run_c.0.1"]["undo"] == "undone"
    assert runs["run_c.0.1.undo"]["undoes"] == "run_c.0.1"
    assert runs["run_1"]["undo"] is runs["run_1"]["undoes"] is None
    assert [order["cancelled"] for order in told["exchange"]["orders"]] == [0, 2, 1]
