"""Isolated runs: a process of their own, which can always be ended, and which ends with its worker."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guarded_under_test import MODULE, notes
from workers_under_test import eventually, start_worker

if TYPE_CHECKING:
    from orchestrator.assembly import House
    from orchestrator.settings import Settings
    from umbel.supervisor import Process

pytestmark = pytest.mark.processes
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, or relies on what only Linux does")


@pytest.fixture(scope="module")
def shared_settings(valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    from orchestrator.settings import Settings

    name = f"t{secrets.token_hex(6)}"
    given = {
        "redis_url": valkey,
        "home": tmp_path_factory.mktemp("home"),
        "namespace": name,
        "actions": [MODULE],
    }
    return Settings.model_validate({**given, "celery_prefix": f"{name}:"})


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not asked for its code does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    return False


async def is_running(house: House, run: str) -> bool:
    view = await house.store.runs.read(run)
    return view is not None and view.status == "running"


async def test_each_run_has_a_process_of_its_own(house: House, worker: Process) -> None:
    first, second = [(await house.conductor.call("BOXED", {"word": word})).result for word in ("a", "b")]
    assert (first["word"], second["word"]) == ("a", "b")
    assert len({first["pid"], second["pid"], worker.pid}) == 3
    assert first["left"]
    assert "printed a" in worker.log.read_text()  # and did not disturb what the process says to its worker


async def test_directives_of_an_isolated_action_reach_the_conversation(house: House) -> None:
    conversation = await house.conductor.open_conversation()
    text = '{"actions": [{"name": "BOXED_ON_A_LOOP", "params": {}}]}'
    posted = await house.conductor.post_reply(conversation, {"role": "assistant", "content": text})
    assert await house.conductor.wait_for_turn(posted.turn) == "done"
    assert (await house.store.conversations.read(conversation)).context == {"boxed": "true"}


@linux
async def test_a_handler_that_keeps_the_interpreters_lock_is_killed_in_time_with_all_it_started(
    house: House, tmp_path: Path
) -> None:
    """Also the process that it started itself; and it is tried again, for a timeout goes by the retry policy."""
    file = tmp_path / "pids"
    began = time.monotonic()
    ended = await house.conductor.call("BOXED_SPINS", {"file": str(file)}, timeout_s=20)
    assert (ended.status, ended.result["code"]) == ("timed_out", "timed_out")
    assert time.monotonic() - began < 15
    pids = [int(pid) for pid in notes(file)]
    assert len(pids) == 4
    await eventually(lambda: not any(map(is_alive, pids)))


async def test_a_cancel_kills_it(house: House) -> None:
    run = await house.conductor.submit("BOXED_ON_A_LOOP", {"seconds": 4.5})
    await eventually(lambda: is_running(house, run))
    began = time.monotonic()
    await house.conductor.cancel(run)
    assert (await house.conductor.wait(run)).status == "cancelled"
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(("beats", "status"), [(12, "succeeded"), (2, "timed_out")])
async def test_heartbeats_come_through(house: House, beats: int, status: str) -> None:
    ended = await house.conductor.call("BOXED_BEATS", {"beats": beats}, timeout_s=15)
    assert ended.status == status
    if status == "timed_out":
        assert "no heartbeat for 0.5 s" in ended.result["error"]


@linux
async def test_memory_is_bounded_above_what_the_process_has_at_its_start(house: House) -> None:
    enough = await house.conductor.call("BOXED_HUNGRY", {"megabytes": 150})
    assert (enough.status, enough.result) == ("succeeded", 150)
    run = await house.conductor.submit("BOXED_HUNGRY", {"megabytes": 400})
    ended = await house.conductor.wait(run)
    assert (ended.status, ended.result["code"]) == ("failed", "handler_killed")
    assert "209,715,200 bytes" in ended.result["error"]
    view = await house.store.runs.read(run)
    assert view is not None
    assert view.attempts == 2  # its retry


@pytest.mark.parametrize(
    ("how", "told"), [("kill", "was ended by SIGKILL"), ("exit", "ended by itself with 3")]
)
async def test_a_process_that_dies_is_no_death_of_its_worker(
    house: House, worker: Process, tmp_path: Path, how: str, told: str
) -> None:
    file = tmp_path / "notes"
    run = await house.conductor.submit("BOXED_DIES", {"file": str(file), "how": how})
    ended = await house.conductor.wait(run)
    assert (ended.status, ended.result["code"]) == ("failed", "handler_killed")
    assert told in ended.result["error"]
    assert notes(file) == ["acted", "acted"]
    assert worker.is_alive


@linux
async def test_a_child_that_leaves_its_group_does_not_hide_the_death_of_its_process(
    house: House, tmp_path: Path
) -> None:
    file = tmp_path / "notes"
    began = time.monotonic()
    ended = await house.conductor.call("BOXED_DIES", {"file": str(file), "how": "orphan"}, timeout_s=15)
    orphans = [int(pid) for pid in notes(f"{file}.orphans")]
    alive = [pid for pid in orphans if is_alive(pid)]
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
    assert len(alive) == 2  # else nothing held the pipes open
    assert (ended.status, ended.result["code"]) == ("failed", "handler_killed")
    assert "ended by itself with 3" in ended.result["error"]
    assert time.monotonic() - began < 12


@pytest.mark.parametrize(
    ("how", "status"), [("return", "succeeded"), ("stay", "timed_out"), ("exit", "failed")]
)
async def test_what_a_stopped_handler_used_is_settled(house: House, how: str, status: str) -> None:
    """A second run finds room at once only if the first one's 100 are settled with the 10 that it used."""
    account = {"account": how, "how": how}
    first = await house.conductor.call("BOXED_METERED", {**account, "tokens": 100, "used": 10})
    assert first.status == status
    second = await house.conductor.submit("BOXED_METERED", {**account, "tokens": 85, "used": 85})
    assert (await house.conductor.wait(second, timeout_s=8)).status == status
    third = await house.conductor.submit("BOXED_METERED", {**account, "tokens": 30, "used": 30})
    await eventually(lambda: is_waiting(house, third))
    await house.conductor.cancel(third)


async def is_waiting(house: House, run: str) -> bool:
    view = await house.store.runs.read(run)
    return view is not None and view.status == "waiting"


async def test_what_a_killed_process_did_is_asked_of_the_check(house: House, tmp_path: Path) -> None:
    file = tmp_path / "notes"
    ended = await house.conductor.call("BOXED_DIES_ONCE", {"file": str(file)})
    assert (ended.status, ended.result) == ("succeeded", ["acted"])
    assert notes(file) == ["acted"]


async def test_a_check_that_hangs_in_its_process_ends_too(house: House, tmp_path: Path) -> None:
    file = tmp_path / "notes"
    ended = await house.conductor.call("BOXED_CHECK_HANGS", {"file": str(file)}, timeout_s=20)
    assert (ended.status, ended.result["code"]) == ("failed", "outcome_unknown")
    assert notes(file) == ["acted", "checked"]


@linux
async def test_the_next_run_finds_a_process_that_is_ready(house: House, worker: Process) -> None:
    await house.conductor.call("BOXED")
    (pump,) = [pid for pid in children_of({worker.pid}) if children_of({pid})]

    def alone() -> list[int]:  # the process of the first run may take a moment to be gone
        alive = [pid for pid in children_of({pump}) if is_alive(pid)]
        return alive if len(alive) == 1 else []

    spares = await eventually(alone)
    assert [(await house.conductor.call("BOXED")).result["pid"]] == spares


@linux
@pytest.mark.parametrize(
    ("name", "arguments"), [("BOXED_ON_A_LOOP", {"seconds": 30}), ("BOXED_KEEPS_THE_LOCK", {})]
)
async def test_it_dies_with_the_process_that_made_it(
    settings: Settings, name: str, arguments: dict[str, float]
) -> None:
    from orchestrator.assembly import build

    own = settings.model_copy(update={"actions": (MODULE,), "celery_prefix": f"{settings.namespace}:"})
    house = build(own)
    try:
        with start_worker(own, "lost") as lost:
            run = await house.conductor.submit(name, arguments)
            await eventually(lambda: is_running(house, run))
            await eventually(lambda: len(children_of(children_of({lost.pid}))) == 2)  # it, and the next one
            boxes = children_of(children_of({lost.pid}))
            assert boxes
            assert all(map(is_alive, boxes))
            for pid in children_of({lost.pid}):
                os.kill(pid, signal.SIGKILL)
            await eventually(lambda: not any(map(is_alive, boxes)), timedelta(seconds=5))
    finally:
        await house.close()


def children_of(parents: set[int]) -> set[int]:
    """The processes that these started, by the process table."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()
            if int(fields[1]) in parents:
                found.add(int(stat.parent.name))
    return found
