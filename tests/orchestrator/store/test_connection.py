"""The connection: scripts by hash, also after a restart; and what is told when Redis says no."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest
from redis import Redis
from redis.exceptions import BusyLoadingError, OutOfMemoryError, ReadOnlyError, ResponseError

from actions.errors import StoreRefused, StoreUnavailable
from orchestrator.settings import Settings
from orchestrator.store import connection
from orchestrator.store.incoming import Finish
from orchestrator.store.rows import claim_arguments, finish_arguments
from orchestrator.store.store import Store


def elsewhere(settings: Settings, **url: object) -> Store:
    """A store on another address."""
    return Store(
        Settings.model_validate({**dict(settings), "redis_url": "redis://127.0.0.1:{port}/0".format(**url)})
    )


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def test_scripts_that_redis_has_forgotten_are_sent_again(world):
    await world.submit("run_a", "run_b")
    (run,) = await world.take(room=1)
    await world.redis.script_flush()
    finish = finish_arguments("p1", [Finish(run.id, run.fence, "succeeded", "1")], ["actions"])
    claim = claim_arguments("p1", [("actions", 5)], "", 10_000, 1_000, 0, 16)
    told, claimed = await world.runs.turnaround(finish, claim)
    assert told == ["ok"]
    assert [run.id for run in claimed.runs] == ["run_b"]


async def test_no_script_runs_twice_when_redis_knows_some_of_them(world):
    await world.submit("run_a", "run_b")
    (run,) = await world.take(room=1)
    await world.redis.script_flush()
    await world.submit("run_a")  # loads one of them
    claim = claim_arguments("p1", [("actions", 1)], "", 10_000, 1_000, 0, 16)
    finish = finish_arguments("p1", [Finish(run.id, run.fence, "again", "1", 0, "backoff")])
    told, claimed = await world.runs.turnaround(finish, claim)
    assert told == ["ok"]
    assert len(claimed.runs) == 1


async def test_turning_round_finishes_before_it_claims(world):
    await world.submit("run_a", dependents=("run_b",))
    await world.submit("run_b", status="blocked", open=1)
    (run,) = await world.take()
    finish = finish_arguments("p1", [Finish(run.id, run.fence, "succeeded", "1")], ["actions"])
    claim = claim_arguments("p1", [("actions", 5)], "", 10_000, 1_000, 0, 16)
    _, claimed = await world.runs.turnaround(finish, claim)
    assert [run.id for run in claimed.runs] == ["run_b"]


async def test_a_redis_that_is_not_there_is_unavailable(settings):
    store = elsewhere(settings, port=free_port())
    with pytest.raises(StoreUnavailable, match="Redis does not answer"):
        await store.runs.cancel("run_a")
    with pytest.raises(StoreUnavailable):
        await store.runs.read("run_a")
    with pytest.raises(StoreUnavailable):
        await store.runs.next_wake("p1", 0.01)
    await store.close()


async def test_a_wrong_password_is_refused_and_not_repeated(valkey, settings):
    if "@" not in valkey:
        pytest.skip("this server asks for no password")
    wrong = valkey.replace("//:", "//:not-", 1)
    store = Store(Settings.model_validate({**dict(settings), "redis_url": wrong}))
    with pytest.raises(StoreRefused) as caught:
        await store.runs.cancel("run_a")
    assert "not-" not in str(caught.value)
    await store.close()


async def test_a_script_that_redis_refuses_is_refused_with_its_reason(world):
    await world.redis.set(f"{world.prefix}r:run_a", "not a hash")
    with pytest.raises(StoreRefused, match="WRONGTYPE"):
        await world.runs.cancel("run_a")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (BusyLoadingError("loading"), StoreUnavailable),
        (OutOfMemoryError("oom"), StoreUnavailable),
        (ReadOnlyError("replica"), StoreUnavailable),
        (ResponseError("ERR what"), StoreRefused),
        (ResponseError(""), StoreRefused),
    ],
)
async def test_each_answer_of_redis_is_told_to_the_operator(world, error, told):
    assert isinstance(world.store.connection.explain(error), told)


async def test_waiting_for_a_token_ends_with_the_token_or_the_time(world):
    assert not await world.runs.next_wake("p1", 0.01)
    await world.redis.lpush(f"{world.prefix}wake:p1", "actions")
    assert await world.runs.next_wake("p1", 5)
    assert not await world.runs.next_control("p1", 0.01)


async def blocked(world):
    """Wait until somebody asks a list of this server."""
    async with asyncio.timeout(10):
        while not (await world.redis.info("clients"))["blocked_clients"]:  # noqa: ASYNC110 - nobody tells when
            await asyncio.sleep(0.01)


async def test_what_came_while_the_loop_stood_still_is_read_though_its_time_is_over(
    world, settings, monkeypatch
):
    monkeypatch.setattr(connection, "_GRACE", 0.1)
    waiting = asyncio.create_task(world.runs.next_reply("box", 0.5))
    await blocked(world)
    with Redis.from_url(settings.store_url) as other:
        other.rpush(f"{world.prefix}z:box", "run_a succeeded 1")
    time.sleep(0.8)  # noqa: ASYNC251 - longer than the wait and its grace
    assert await waiting == ("run_a", "succeeded", "1")


async def test_a_wait_for_a_silent_server_ends_in_time(settings, monkeypatch):
    monkeypatch.setattr(connection, "_GRACE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = elsewhere(settings, port=silent.getsockname()[1])
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match="no answer in time"):
            await store.runs.next_reply("box", 0.1)
        assert 0.2 <= time.monotonic() - began < 1.5  # before the connection is given up by itself
        await store.close()


async def test_a_store_may_be_used_again_after_it_was_closed(world):
    await world.store.close()
    assert await world.runs.cancel("run_a") == "missing"


async def test_several_runs_are_read_in_the_order_asked_for(world):
    await world.submit("run_a", "run_b")
    views = await world.runs.read_all(["run_b", "run_x", "run_a"])
    assert [view and view.id for view in views] == ["run_b", None, "run_a"]
    assert await world.runs.read_all([]) == []
