"""What goes over the wire can be read by clients that have no server, and that are older or newer than one."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from orchestrator import wire

ANSWERS = [each for name in wire.__all__ if isinstance(each := getattr(wire, name), type)]


def test_it_needs_nothing_of_a_server():
    code = "import sys, orchestrator.wire; print(sorted({name.partition('.')[0] for name in sys.modules}))"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert not {"redis", "hiredis", "fastapi", "starlette", "celery", "httpx", "click", "rich"} & set(
        eval(told)
    )


def test_a_standing_is_read_back_as_it_was():
    at = datetime(2026, 1, 2, tzinfo=UTC)
    rung = wire.Rung("a:b", "here", 1, wire.LockStanding("a:b", 1, (), 2, 3), None)
    run = wire.RunStanding(
        "run_a", "ADD", "waiting", {"sum": [1, None]}, None, 1, 2, {"a": "•••"}, "actions", None, "acme", None, None,
        at, at, None, None, None, "lock a:b", wire.Ladder((rung,), 0, None), children=("run_b",),
    )  # fmt: skip
    turn = wire.TurnStanding("turn_a", "live", "conv_a", 0, 1, at, None, (run,))
    adapter = TypeAdapter(wire.TurnStanding)
    assert adapter.validate_json(adapter.dump_json(turn)) == turn
    newer = json.loads(adapter.dump_json(turn)) | {"what_newer_servers_add": 1}
    assert adapter.validate_python(newer | {"runs": []}) == wire.TurnStanding(
        "turn_a", "live", "conv_a", 0, 1, at, None, ()
    )


@pytest.mark.parametrize("model", [each for each in ANSWERS if issubclass(each, BaseModel)])
def test_requests_forbid_what_they_do_not_know_and_answers_ignore_it(model: type[BaseModel]):
    extra = model.model_config.get("extra")
    assert extra == ("forbid" if model.__module__.endswith("wire_requests") else None)


@pytest.mark.parametrize(
    ("given", "read"),
    [("30s", "30s"), (1.5, 1.5), ("2199-01-01T00:00:00+02:00", datetime(2198, 12, 31, 22, tzinfo=UTC))],
)
def test_a_deadline_is_a_length_or_a_time(given: Any, read: Any):
    assert wire.SubmitRun(action="ADD", deadline=given).deadline == read


@pytest.mark.parametrize(
    "given",
    [
        "12",
        "soon",
        -1,
        True,
        float("nan"),
        [],
        "1969-12-31T23:59:59Z",
        "2200-01-02T00:00:00Z",
        "2026-13-01T00:00Z",
        "T",
    ],
)
def test_what_is_neither_has_one_flaw_where_it_stands(given: Any):
    with pytest.raises(ValidationError) as caught:
        wire.SubmitRun(action="ADD", deadline=given)
    assert [each["loc"] for each in caught.value.errors()] == [("deadline",)]
    assert "function" not in str(caught.value)
