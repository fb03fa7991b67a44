"""Processes of isolated runs, seen from the pump, when none can be started."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic_core import from_json

from actions.definition import action
from actions.messages import Payload
from actions.policy import Retry
from orchestrator.settings import Settings
from orchestrator.store.records import Claimed
from workers.boxes import RESTARTS, Box, Boxes
from workers.flight import Flight

RUN = Claimed(
    id="run_a1", lane="actions/i", payload="", attempt=1, conversation="", turn="", tenant="", state="",
    state_revision=0, level="", machine="", principal="", fence="7",
)  # fmt: skip


@action("BOXED", isolated=True, retry=Retry(1))
def boxed() -> None:
    """Never get a process."""


def flight_of(run: str) -> Flight:
    return Flight(replace(RUN, id=run), Payload("BOXED"), boxed, "/i", 0.0)


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch) -> Boxes:
    async def none(*_: Any) -> Box:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(Box, "start", none)
    return Boxes(Settings())


async def test_a_process_that_does_not_start_uses_up_none_of_the_runs_retries(boxes: Boxes) -> None:
    told = [await boxes.attempt(flight_of("run_a1"), lambda _: None) for _ in range(RESTARTS.retries + 1)]
    assert [each.verdict for each in told] == ["postponed"] * RESTARTS.retries + ["failed"]
    assert from_json(told[-1].result)["error"] == "no process could be started for it"


async def test_each_run_is_put_off_on_its_own_account(boxes: Boxes) -> None:
    for number in range(1_100):
        assert (await boxes.attempt(flight_of(f"run_{number}"), lambda _: None)).verdict == "postponed"
    assert len(boxes._put_off) == 1_000
