"""Real processes, real kills: nothing that was accepted is lost, nothing is told twice."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from umbel.supervisor import EmbeddedRedis
from workers_under_test import MODULE, eventually, start_worker

if TYPE_CHECKING:
    from pathlib import Path

    from orchestrator.assembly import House
    from orchestrator.settings import Settings

pytestmark = pytest.mark.processes


@pytest.fixture
def own(settings: Settings) -> Settings:
    """Settings with short times, so that a death is noticed within two seconds and not ten."""
    quick = {"lease_ms": 1_200, "renew_ms": 300, "tick_ms": 200, "linger_ms": 300, "actions": (MODULE,)}
    return settings.model_copy(update=quick | {"celery_prefix": f"{settings.namespace}:"})


@pytest.fixture
async def house(own: Settings) -> AsyncIterator[House]:
    from orchestrator.assembly import build

    built = build(own)
    yield built
    await built.close()


async def ended(house: House, runs: list[str], within: float = 30) -> dict[str, int]:
    """How often each run's end was told, once all were told at least once and a moment has passed."""
    counts: dict[str, int] = {}
    limit = time.monotonic() + within
    while len(counts) < len(runs):
        assert time.monotonic() < limit, f"{len(counts)} of {len(runs)} runs ended"
        if end := await house.conductor.next_end(0.5):
            counts[end.run] = counts.get(end.run, 0) + 1
    while end := await house.conductor.next_end(0.2):
        counts[end.run] = counts.get(end.run, 0) + 1
    return counts


async def some_run_on(house: House, worker: str) -> bool:
    pumps = await house.store.connection.redis.zrange(f"{house.store.connection.prefix}live", 0, -1)
    held = [
        await house.store.connection.redis.scard(f"{house.store.connection.prefix}held:{pump}")
        for pump in pumps
        if pump.startswith(f"{worker}@")
    ]
    return any(held)


async def test_runs_of_a_killed_worker_end_once_on_another(own: Settings, house: House) -> None:
    with start_worker(own, "one") as one:
        runs = [await house.conductor.submit("SLEEP", {"seconds": 1.0}, told=True) for _ in range(40)]
        await eventually(lambda: some_run_on(house, "one"))
        one.kill()
        with start_worker(own, "two"):
            counts = await ended(house, runs)
    assert set(counts.values()) == {1}
    views = [await house.store.runs.read(run) for run in runs]
    assert {view.status for view in views if view} == {"succeeded"}
    assert {view.attempts for view in views if view} == {1, 2} or {
        view.attempts for view in views if view
    } == {2}


async def test_a_child_that_dies_is_replaced_and_its_runs_go_on(own: Settings, house: House) -> None:
    """The poison is tried among others, then alone, and is dead after three deaths alone; the others succeed."""
    with start_worker(own, "one") as worker:
        good = [await house.conductor.submit("SLEEP", {"seconds": 0.3}, told=True) for _ in range(5)]
        poison = await house.conductor.submit("KILL_ME", told=True)
        counts = await ended(house, [*good, poison], within=60)
        assert worker.is_alive
    assert set(counts.values()) == {1}
    dead = await house.store.runs.read(poison)
    assert dead is not None
    assert (dead.status, dead.attempts) == ("dead", 5)
    views = [await house.store.runs.read(run) for run in good]
    assert {view.status for view in views if view} == {"succeeded"}


async def test_a_worker_that_is_asked_to_stop_hands_back_and_loses_nothing(
    own: Settings, house: House
) -> None:
    hasty = own.model_copy(update={"grace": timedelta(milliseconds=200)})
    with start_worker(hasty, "one") as one:
        runs = [await house.conductor.submit("SLEEP", {"seconds": 1.5}, told=True) for _ in range(30)]
        await eventually(lambda: some_run_on(house, "one"))
        began = time.monotonic()
        one.terminate()
        assert one.wait(timedelta(seconds=10)) == 0
        assert time.monotonic() - began < 8
        waiting = [await house.store.runs.read(run) for run in runs]
        assert {view.status for view in waiting if view} == {"ready"}
        assert {view.attempts for view in waiting if view} == {0}
        with start_worker(own, "two"):
            counts = await ended(house, runs)
    assert set(counts.values()) == {1}


async def test_a_handler_that_ends_in_the_grace_counts(own: Settings, house: House) -> None:
    with start_worker(own, "one") as one:
        run = await house.conductor.submit("SLEEP", {"seconds": 1.0, "note": "made it"})
        await eventually(lambda: some_run_on(house, "one"))
        one.terminate()
        assert (await house.conductor.wait(run)).result == "made it"
        assert one.wait(timedelta(seconds=10)) == 0


async def test_a_worker_that_stood_still_changes_nothing_when_it_comes_back(
    own: Settings, house: House
) -> None:
    with start_worker(own, "one") as one:
        run = await house.conductor.submit("SLEEP", {"seconds": 1.0, "note": "x"}, told=True)
        await eventually(lambda: some_run_on(house, "one"))
        os.killpg(one.pid, signal.SIGSTOP)
        with start_worker(own, "two"):
            counts = await ended(house, [run])
            os.killpg(one.pid, signal.SIGCONT)
            await asyncio.sleep(1.5)  # long enough for the first handler to end as well, were it let
            assert await house.conductor.next_end(0.5) is None
    view = await house.store.runs.read(run)
    assert view is not None
    assert view.attempts == 2
    assert counts == {run: 1}


async def test_work_goes_on_by_itself_after_a_restart_of_the_server(own: Settings, tmp_path: Path) -> None:
    from pydantic import SecretStr

    from orchestrator.assembly import build

    server = EmbeddedRedis(tmp_path / "own").start()
    settings = own.model_copy(
        update={"redis_url": SecretStr(server.url), "namespace": f"t{secrets.token_hex(4)}"}
    )
    house = build(settings)
    try:
        with start_worker(settings, "one") as worker:
            runs = [await house.conductor.submit("SLEEP", {"seconds": 1.0, "note": "y"}) for _ in range(20)]
            await eventually(lambda: some_run_on(house, "one"))
            await asyncio.sleep(
                1.2
            )  # one flush of the append-only file: what is younger may be lost, and is said so
            assert server.process is not None
            server.process.kill()
            server.stop()
            server.start()
            ends = [await house.conductor.wait(run, timeout_s=30) for run in runs]
            assert {(end.status, end.result) for end in ends} == {("succeeded", "y")}
            late = await house.conductor.call("ADD", {"a": 1, "b": 2}, timeout_s=30)
            assert late.result == 3
            assert worker.is_alive
    finally:
        await house.close()
        server.stop()


async def test_a_process_whose_loop_stands_still_gives_itself_up(own: Settings, house: House) -> None:
    with start_worker(own.model_copy(update={"stuck_ms": 2_000}), "one") as worker:
        run = await house.conductor.submit("BLOCK_THE_LOOP", {"seconds": 60}, told=True)
        await eventually(lambda: some_run_on(house, "one"))
        after = await house.conductor.call("ADD", {"a": 1, "b": 2}, timeout_s=30)
        assert after.result == 3
        assert worker.is_alive
    assert "stands still" in worker.log.read_text()
    view = await house.store.runs.read(run)
    assert view is not None
    assert view.attempts >= 1


async def test_a_handler_that_keeps_the_interpreters_lock_loses_its_process(
    own: Settings, house: House
) -> None:
    """No thread of that process can act any more, its keeper neither; a second attempt needs a second process."""
    with start_worker(own.model_copy(update={"stuck_ms": 1_000}), "one"):
        run = await house.conductor.submit("KEEP_THE_LOCK")
        await eventually(lambda: some_run_on(house, "one"))
        assert await eventually(lambda: _tried_again(house, run), timedelta(seconds=30))


async def _tried_again(house: House, run: str) -> bool:
    view = await house.store.runs.read(run)
    return view is not None and view.status == "running" and view.attempts == 2


async def test_a_server_that_comes_back_empty_is_served(own: Settings, house: House) -> None:
    """What wakes workers is offered again as soon as it is missed, not when it would be renewed."""
    with start_worker(own, "one"):
        await house.conductor.call("ADD", {"a": 1, "b": 1}, timeout_s=20)
        redis = house.store.connection.redis
        prefix = house.store.connection.prefix
        await eventually(lambda: _nobody_is_awake(house))
        await redis.delete(f"{prefix}env:actions", f"{prefix}env:turns", f"{prefix}queues")
        assert (await house.conductor.call("ADD", {"a": 2, "b": 2}, timeout_s=10)).result == 4


async def _nobody_is_awake(house: House) -> bool:
    return not await house.store.connection.redis.zcard(f"{house.store.connection.prefix}live")
