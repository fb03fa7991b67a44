"""A worker that is asked to stop: nothing is lost or done twice, and it takes no longer than its grace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guarded_under_test import MODULE, notes
from workers_under_test import eventually, start_worker

if TYPE_CHECKING:
    from orchestrator.assembly import House
    from orchestrator.settings import Settings

pytestmark = pytest.mark.processes


@pytest.fixture
def own(settings: Settings) -> Settings:
    quick = {"tick_ms": 200, "linger_ms": 300, "actions": (MODULE,), "grace": timedelta(seconds=5)}
    return settings.model_copy(update=quick | {"celery_prefix": f"{settings.namespace}:"})


@pytest.fixture
async def house(own: Settings) -> AsyncIterator[House]:
    from orchestrator.assembly import build

    built = build(own)
    yield built
    await built.close()


async def status(house: House, run: str) -> str:
    view = await house.store.runs.read(run)
    assert view is not None
    return view.status


async def are(house: House, runs: list[str], wanted: str) -> bool:
    return {await status(house, run) for run in runs} == {wanted}


async def test_handlers_that_nothing_stops_do_not_hold_up_the_end(own: Settings, house: House) -> None:
    """A thread and a process of its own: both are handed back when the grace is over, and end with the worker."""
    hasty = own.model_copy(update={"grace": timedelta(milliseconds=500)})
    with start_worker(hasty) as worker:
        runs = [
            await house.conductor.submit("HOLD_A_THREAD", {"seconds": 40}),
            await house.conductor.submit("BOXED_BEATS", {"beats": 100}),
        ]
        await eventually(lambda: are(house, runs, "running"))
        began = time.monotonic()
        worker.terminate()
        await eventually(lambda: are(house, runs, "ready"), timedelta(seconds=3))
        assert worker.wait(timedelta(seconds=8)) == 0
        assert time.monotonic() - began < 8
    for run in runs:
        view = await house.store.runs.read(run)
        assert view is not None
        assert (view.why, view.attempts) == ("handed_back", 0)


async def test_a_run_that_never_acted_is_handed_back_whatever_its_action_says_of_unknown_effects(
    own: Settings, house: House, tmp_path: Path
) -> None:
    file = str(tmp_path / "notes")
    with start_worker(own.model_copy(update={"grace": timedelta(milliseconds=200)})) as worker:
        run = await house.conductor.submit("PREPARES_FOR_LONG", {"file": file})
        await eventually(lambda: notes(f"{file}.prepares"))
        worker.terminate()
        assert worker.wait(timedelta(seconds=8)) == 0
    view = await house.store.runs.read(run)
    assert view is not None
    assert (view.status, view.why, view.attempts) == ("ready", "handed_back", 0)
    await house.conductor.cancel(run)


async def test_what_comes_while_it_stops_is_left_for_others(
    own: Settings, house: House, tmp_path: Path
) -> None:
    file = str(tmp_path / "marks")
    with start_worker(own) as worker:
        first = await house.conductor.submit("LEAVE_A_MARK", {"file": file, "word": "1", "seconds": 2.0})
        await eventually(lambda: are(house, [first], "running"))
        worker.terminate()
        await eventually(lambda: nobody_claims(house))
        assert await status(house, first) == "running"  # it has not just come to its end
        second = await house.conductor.submit("LEAVE_A_MARK", {"file": file, "word": "2", "seconds": 0.0})
        assert (await house.conductor.wait(first)).status == "succeeded"
        assert worker.wait(timedelta(seconds=8)) == 0
    assert await status(house, second) == "ready"
    assert notes(file) == ["1"]


async def nobody_claims(house: House) -> bool:
    """Whether no pump is hot or asleep in any lane: the one that drains has withdrawn."""
    redis, prefix = house.store.connection.redis, house.store.connection.prefix
    lanes = ("actions", "actions/t", "actions/i", "turns", "turns/t")
    return not any([await redis.zcard(f"{prefix}{what}:{lane}") for what in ("hot", "slp") for lane in lanes])


@pytest.mark.parametrize("way", ["kill", "terminate"])
async def test_what_a_lost_attempt_did_is_for_its_action_to_say(
    own: Settings, house: House, tmp_path: Path, way: str
) -> None:
    """The worker dies, or hands back a run whose handler had begun: in both cases nobody knows what it did."""
    short = {"lease_ms": 1_200, "renew_ms": 300, "grace": timedelta(milliseconds=100)}
    quick = own.model_copy(update=short)
    asked = {"retry": "DIES_RETRY", "fail": "DIES_FAIL", "check": "DIES_CHECK", "nothing": "DIES_CHECK"}
    files = {word: str(tmp_path / word) for word in asked}
    with start_worker(quick, "one") as one:
        runs = {
            word: await house.conductor.submit(name, {"file": files[word], "word": word})
            for word, name in asked.items()
        }
        await eventually(lambda: all(notes(file) for file in files.values()))
        getattr(one, way)()
        with start_worker(quick, "two"):
            ends = {word: await house.conductor.wait(run, timeout_s=20) for word, run in runs.items()}
    assert ends["fail"].result["code"] == "outcome_unknown"
    told = {word: end.result for word, end in ends.items() if word != "fail"}
    assert told == {"retry": "by the handler", "check": ["check"], "nothing": "by the handler"}
    assert {word: len(notes(file)) for word, file in files.items()} == {
        "retry": 2, "fail": 1, "check": 1, "nothing": 2,
    }  # fmt: skip


async def test_a_rolling_restart_under_load_loses_and_doubles_nothing(
    own: Settings, house: House, tmp_path: Path
) -> None:
    """Two workers; each is asked to stop while runs come in, and another takes its place before the next is asked."""
    file, submitted, over = str(tmp_path / "marks"), list[str](), asyncio.Event()

    async def load() -> None:
        while not over.is_set():
            word = str(len(submitted))
            arguments = {"file": file, "word": word, "seconds": 0.2}
            submitted.append(await house.conductor.submit("LEAVE_A_MARK", arguments))
            await asyncio.sleep(0.005)

    with ExitStack() as workers:
        running = [workers.enter_context(start_worker(own, name)) for name in ("first", "second")]
        loading = asyncio.create_task(load())
        await eventually(lambda: len(notes(file)) > 20)
        for number, old in enumerate(running):
            done = len(notes(file))
            old.terminate()
            workers.enter_context(start_worker(own, f"next{number}"))
            assert await asyncio.to_thread(old.wait, timedelta(seconds=15)) == 0
            await eventually(lambda done=done: len(notes(file)) > done + 100)
        over.set()
        await loading
        ends = [await house.conductor.wait(run, timeout_s=20) for run in submitted]
    assert {end.status for end in ends} == {"succeeded"}
    assert len(submitted) > 200
    assert sorted(map(int, notes(file))) == list(range(len(submitted)))
    assert {view.attempts for run in submitted if (view := await house.store.runs.read(run))} == {1}
