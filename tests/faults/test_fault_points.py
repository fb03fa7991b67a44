"""A process dies at each named point of each step of a chain, forward, backward and beside: nothing changes but time.

Every chain has actions of its own, so all points are armed at once, and each kills the process that reaches it first.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pytest
from pydantic_core import from_json

from chains_under_test import ARMED, MODULE
from guarded_under_test import notes
from workers.points import VARIABLE
from workers_under_test import start_worker

if TYPE_CHECKING:
    from pathlib import Path

    from orchestrator.assembly import House
    from orchestrator.settings import Settings

pytestmark = pytest.mark.processes

WORKERS = ("one", "two", "three")
SITTINGS = 3
"""Runs that end together are told of together: the first of them may take a process away from the second one's point,
which is tried again."""
GOOD = {"notes": ["1", "2", "3"], "undo": [None, None, None], "codes": [None, None, None]}
BAD = {
    "notes": ["1", "2", "3", "undo-2", "undo-1"],
    "undo": ["undone", "undone", None],
    "codes": ["undone", "undone", "handler_failed"],
}
RESCUED = BAD | {"notes": ["1", "2", "3", "on_error-3", "undo-2", "undo-1"]}
FOLLOWED = BAD | {"notes": ["1", "2", "F", "3", "undo-F", "undo-2", "undo-1"]}
ENDS = {"GOOD": GOOD, "BAD": BAD, "RESCUED": RESCUED, "FOLLOWED": FOLLOWED}
LEFT = {"GOOD": "123", "BAD": "12", "RESCUED": "12", "FOLLOWED": "12F"}
"""The steps of each kind that leave something in the context of their conversation."""


@pytest.fixture
def own(settings: Settings) -> Settings:
    """Settings with short times, so that a death is noticed within two seconds and not ten."""
    quick = {"lease_ms": 1_200, "renew_ms": 300, "tick_ms": 200, "linger_ms": 300, "actions": (MODULE,)}
    return settings.model_copy(update=quick | {"celery_prefix": f"{settings.namespace}:"})


@pytest.fixture
def points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All points, armed."""
    folder = tmp_path / "points"
    folder.mkdir()
    for name in ARMED.values():
        (folder / name).touch()
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


def still_armed(points: Path) -> list[str]:
    """The chains whose point nobody has reached."""
    left = {path.name for path in points.iterdir()}
    return [chain for chain, name in ARMED.items() if name in left]


def reply(chain: str, file: str) -> dict[str, Any]:
    calls = [{"name": f"{chain}_{n}", "params": {"file": file, "name": n}} for n in "123"]
    if not chain.startswith("GOOD"):
        calls[2]["params"]["how"] = "fail"
    return {"role": "assistant", "content": json.dumps({"actions": calls})}


async def end_of(house: House, chain: str, file: Path) -> dict[str, Any]:
    """Run a chain to its end, and say all that can be seen of it afterwards."""
    conversation = await house.conductor.open_conversation()
    posted = await house.conductor.post_reply(conversation, reply(chain, str(file)), mode="chain")
    assert await house.conductor.wait_for_turn(posted.turn, timeout_s=60) == "done"
    runs = await house.store.runs.read_all(posted.runs)
    views = [view for view in runs if view is not None]
    again = await house.store.runs.read_all([f"{run}.undo2" for run in posted.runs])
    messages = await house.store.conversations.messages(conversation)
    told = [from_json(view.told or view.result or "null") for view in views]
    return {
        "notes": [word for word, _ in groupby(notes(file))],  # a step that died may have left its trace twice
        "most": max(len(list(same)) for _, same in groupby(notes(file))),
        "undo": [view.undo for view in views],
        "again": [view for view in again if view is not None],
        "codes": [each.get("code") for each in told],
        "results": [message["role"] for message in messages].count("tool"),
        "context": (await house.store.conversations.read(conversation)).context,
    }


async def test_a_death_between_any_two_steps_changes_nothing_but_time(
    own: Settings, points: Path, tmp_path: Path
) -> None:
    from orchestrator.assembly import build

    house = build(own)
    try:
        with ExitStack() as stack:
            for name in WORKERS:
                stack.enter_context(start_worker(own, name, concurrency=2))
            for sitting in range(SITTINGS):
                folder = tmp_path / str(sitting)
                folder.mkdir()
                chains = still_armed(points)
                ends = await asyncio.gather(*(end_of(house, chain, folder / chain) for chain in chains))
                for chain, end in zip(chains, ends, strict=True):
                    is_as_ever(chain, end)
    finally:
        await house.close()
    assert still_armed(points) == []  # each of them has killed


def is_as_ever(chain: str, end: dict[str, Any]) -> None:
    """It has ended as it would have without a death."""
    kind = chain.partition("_")[0]
    assert {key: end[key] for key in GOOD} == ENDS[kind], chain
    assert (end["most"] <= 3, end["again"]) == (True, []), chain
    names = [f"did.{n}" for n in LEFT[kind]]
    assert end["context"] == dict.fromkeys(names, "true" if kind == "GOOD" else "false"), chain
