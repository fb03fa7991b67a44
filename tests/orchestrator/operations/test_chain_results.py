"""What a caller is told of a chain, out of records alone: also where follow-ups, undos and long results come in."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json

from actions.messages import Payload
from orchestrator.operations.chain_results import ChainResult, Started, result_of
from orchestrator.store.records import RunView

FOLLOWED = {
    "result": {"a": 1},
    "follow_ups": [{"run": "run_x.0.0.f0", "status": "failed", "result": {"error": "no mail", "code": "x"}}],
}


def view(result: Any, **fields: Any) -> RunView:
    given: dict[str, Any] = {
        "id": "run_x.0.0", "status": "succeeded", "lane": "actions", "payload": Payload("MAKE").encode(), "attempts": 1,
        "why": None, "error": None, "conversation": "conv_a", "turn": "turn_x", "tenant": "", "since_us": 0,
    }  # fmt: skip
    return RunView(result=to_json(result).decode(), **(given | fields))


def of(*views: RunView, **started: Any) -> ChainResult:
    names = tuple(f"S{at}" for at in range(len(views)))
    return result_of(Started("conv_a", "turn_x", tuple(each.id for each in views), names, **started), views)


def test_a_step_has_what_its_handler_returned_without_its_follow_ups():
    good = {"run": "run_x.0.0.f0", "status": "succeeded", "result": "sent"}
    end = of(view({"result": {"a": 1}, "follow_ups": [good]}, children=("run_x.0.0.f0",)), base={"b": 2})
    assert end.ok
    assert end.value == {"b": 2, "a": 1}
    assert end.results == {"S0": {"a": 1}}


def test_a_chain_that_its_last_follow_up_undid_has_failed_and_says_by_what():
    told = '{"code":"undone","error":"undone because a follow-up of step 1 failed"}'
    end = of(view(FOLLOWED, children=("run_x.0.0.f0",), undo="undone", told=told))
    assert (end.ok, end.status) == (False, "failed")
    assert end.error == {"error": "its follow-up failed: no mail", "code": "x"}
    assert end.value == {}


def test_one_that_could_not_be_undone_has_failed_too():
    told = '{"status":"succeeded","note":"still in effect, though its follow-up failed","result":{"a":1}}'
    end = of(view(FOLLOWED, children=("run_x.0.0.f0",), told=told))
    assert (end.ok, end.status) == (False, "failed")
    assert end.value == {"a": 1}  # it holds


def test_outside_a_chain_a_follow_up_that_failed_is_no_failure_of_its_step():
    end = of(view(FOLLOWED, children=("run_x.0.0.f0",)))
    assert end.ok
    assert end.error is None


def test_a_result_that_was_cut_is_not_merged():
    cut = {"truncated": True, "bytes": 9_000_000, "shown": "abc"}
    end = of(view(cut), view({"a": 1}))
    assert end.ok
    assert end.steps[0].cut
    assert end.steps[0].value == cut
    assert end.value == {"a": 1}
