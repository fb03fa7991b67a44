"""What people who know Celery do with a worker: call an action, revoke it, watch events, put garbage on its queue."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from workers.app import create_app
from workers_under_test import eventually

if TYPE_CHECKING:
    from celery import Celery

    from orchestrator.assembly import House
    from orchestrator.settings import Settings
    from umbel.supervisor import Process

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def app(shared_settings: Settings) -> Celery:
    """The same app that the worker has, as `celery -A workers.main` sees it."""
    return create_app(shared_settings)


def run_of(task_id: str) -> str:
    return f"run_a{task_id.replace('-', '')}"


async def test_each_action_is_a_task_under_its_own_name(app: Celery) -> None:
    assert {"ADD", "SLEEP", "NONE", "CONTINUE", "IGNORE", "umbel.pump"} <= set(app.tasks)
    assert app.tasks["ADD"].queue == "actions"


@pytest.mark.parametrize(
    "arguments", [{"kwargs": {"a": 2, "b": 3}}, {"args": [2, 3]}, {"args": [2], "kwargs": {"b": 3}}]
)
async def test_send_task_submits_a_run(house: House, app: Celery, arguments: dict[str, Any]) -> None:
    sent = app.send_task("ADD", **arguments)
    await eventually(lambda: house.store.runs.read(run_of(sent.id)))
    assert (await house.conductor.wait(run_of(sent.id))).result == 5


async def test_a_call_from_outside_that_does_not_fit_starts_nothing(house: House, app: Celery) -> None:
    wrong = app.send_task("ADD", args=[1, 2, 3])
    right = app.send_task("ADD", args=[1, 2])
    await eventually(lambda: house.store.runs.read(run_of(right.id)))
    assert await house.store.runs.read(run_of(wrong.id)) is None


async def test_a_call_from_outside_that_does_not_fit_is_logged_with_its_task_and_what_is_wrong(
    house: House, worker: Process, app: Celery
) -> None:
    sent = app.send_task("ADD", kwargs={"a": "not for the log", "c": 1})

    async def logged() -> str:
        return next((line for line in worker.log.read_text().splitlines() if sent.id in line), "")

    line = await eventually(logged)
    assert "of ADD from outside was refused: invalid_arguments (" in line
    assert "a: an integer is wanted; b: is missing" in line
    assert "c: is unknown" in line
    assert "not for the log" not in line


async def test_revoke_cancels_a_running_run_within_a_second(house: House, app: Celery) -> None:
    run = await house.conductor.submit("SLEEP", {"seconds": 20})
    await eventually(lambda: _is(house, run, "running"))
    began = time.monotonic()
    app.control.revoke(run, terminate=True)
    assert (await house.conductor.wait(run)).status == "cancelled"
    assert time.monotonic() - began < 5  # a bound for the test, not the figure


async def _is(house: House, run: str, status: str) -> bool:
    view = await house.store.runs.read(run)
    return view is not None and view.status == status


async def test_inspect_active_lists_runs_and_no_pump(house: House, app: Celery) -> None:
    run = await house.conductor.submit("SLEEP", {"seconds": 20, "note": "private"})
    await eventually(lambda: _is(house, run, "running"))
    answers = await asyncio.to_thread(lambda: app.control.inspect(timeout=3).active())
    (listed,) = next(iter(answers.values()))
    assert (listed["id"], listed["name"]) == (run, "SLEEP")
    assert "private" not in str(listed)
    await house.conductor.cancel(run)
    await house.conductor.wait(run)


async def test_a_call_from_outside_does_not_wait_for_a_free_process(house: House, app: Celery) -> None:
    """The worker has one process, and its pump stays for as long as this runs."""
    busy = await house.conductor.submit("SLEEP", {"seconds": 6})
    await eventually(lambda: _is(house, busy, "running"))
    sent = app.send_task("ADD", args=[4, 4])
    await eventually(lambda: house.store.runs.read(run_of(sent.id)))
    assert (await house.conductor.wait(run_of(sent.id), timeout_s=4)).result == 8
    await house.conductor.cancel(busy)
    await house.conductor.wait(busy)


async def test_flower_sees_runs_by_action_name_with_masked_arguments(house: House, app: Celery) -> None:
    seen: dict[str, list[dict[str, Any]]] = {}
    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(
            connection, handlers={"*": lambda event: seen.setdefault(event.get("uuid", ""), []).append(event)}
        )
        watcher = threading.Thread(target=lambda: receiver.capture(limit=None, timeout=None))
        watcher.start()
        try:

            async def told() -> list[dict[str, Any]] | None:
                run = await house.conductor.submit("ADD", {"a": 41, "b": 1017})
                await house.conductor.wait(run)
                return await _within(lambda: seen.get(run) if len(seen.get(run, [])) >= 3 else None)

            events = await eventually(told)
        finally:
            receiver.should_stop = True
            watcher.join()
    assert isinstance(events, list)
    assert [event["type"] for event in events] == ["task-received", "task-started", "task-succeeded"]
    assert events[0]["name"] == "ADD"
    assert "a=41" in events[0]["kwargs"]
    assert "1017" not in str(events)
    assert events[2]["runtime"] >= 0
    assert events[2]["hostname"].startswith("one@")


async def _within(what: Any) -> Any:
    from datetime import timedelta

    try:
        return await eventually(what, timedelta(seconds=1.5))
    except AssertionError:
        return None


async def test_garbage_on_the_queue_does_not_kill_the_worker(
    house: House, worker: Process, shared_settings: Settings
) -> None:
    queue = f"{shared_settings.celery_prefix}actions"
    garbage = [
        b"not json",
        b"[1,2]",
        b"{}",
        b'"x"',
        b"null",
        b"\xff\xfe",
        b'{"body":"!","headers":{},"properties":{}}',
    ]
    garbage += [b"[" * 100_000, b'{"__type__":"decimal","__value__":"x"}']
    pidbox = f"/{house.store.connection.redis.connection_pool.connection_kwargs.get('db', 0)}.celery.pidbox"
    for item in (*garbage, b"[]", b"{}"):
        await house.store.connection.redis.publish(f"{shared_settings.celery_prefix}{pidbox}", item)
    await house.store.connection.redis.lpush(queue, *garbage)
    await eventually(lambda: _empty(house, queue))
    assert (await house.conductor.call("ADD", {"a": 1, "b": 1})).result == 2
    assert worker.is_alive


async def _empty(house: House, queue: str) -> bool:
    return await house.store.connection.redis.llen(queue) == 0
