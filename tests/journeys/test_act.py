"""`act` on real workers: bounds hold over all of them; a killed worker or a caller that leaves loses no result."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from umbel import Acted, CallFailed, Umbel
from workers_under_test import MODULE, eventually, settings_of, start_worker

if TYPE_CHECKING:
    from orchestrator.settings import Settings
    from orchestrator.store.records import RunView
    from umbel.supervisor import Process

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def act_settings(valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_of(valkey, tmp_path_factory.mktemp("home"), MODULE)


@pytest.fixture(scope="module")
def workers(act_settings: Settings) -> Iterator[list[Process]]:
    with start_worker(act_settings, "one") as one, start_worker(act_settings, "two") as two:
        yield [one, two]


@pytest.fixture
async def umbel(act_settings: Settings, workers: list[Process]) -> AsyncIterator[Umbel]:
    async with Umbel(act_settings) as opened:
        yield opened


def sleep(seconds: float, note: str = "") -> dict[str, Any]:
    return {"function": "SLEEP", "arguments": {"seconds": seconds, "note": note}}


def add(a: int, b: int) -> dict[str, Any]:
    return {"function": "ADD", "arguments": {"a": a, "b": b}}


async def views(umbel: Umbel, told: list[Acted]) -> list[RunView]:
    found = await umbel._store.runs.read_all([each.run or "" for each in told])
    return [view for view in found if view is not None]


async def most_at_once(umbel: Umbel, told: list[Acted]) -> int:
    """How many ran at the same time, by the store's clock."""
    spans = [(view.began_us or 0, view.since_us) for view in await views(umbel, told)]
    return max(sum(began <= at < ended for began, ended in spans) for at, _ in spans)


async def test_each_call_has_its_result_in_call_order(umbel: Umbel) -> None:
    told = await umbel.act(
        [sleep(0.3, "slow"), add(1, 2), {"name": "GIVE_UP"}, {"name": "NOBODY"}, add(3, 4)]
    )
    assert [each.value for each in told] == ["slow", 3, None, None, 7]
    assert [each.error and each.error["code"] for each in told] == [
        None, None, "handler_failed", "unknown_action", None,
    ]  # fmt: skip
    assert told[2].error == {"error": "the shelf is empty", "code": "handler_failed"}


async def test_no_more_run_at_once_than_asked_over_all_workers(umbel: Umbel) -> None:
    told = await umbel.act([sleep(0.1, str(at)) for at in range(12)], max_concurrent=3)
    assert [each.value for each in told] == [str(at) for at in range(12)]
    assert await most_at_once(umbel, told) == 3


async def test_one_after_the_other_over_all_workers(umbel: Umbel) -> None:
    told = await umbel.act([sleep(0.02), add(1, 1), sleep(0.02), add(2, 2)], strategy="sequential")
    ran = await views(umbel, told)
    assert all((later.began_us or 0) >= earlier.since_us for earlier, later in pairwise(ran))


async def test_starts_are_spaced_over_all_workers(umbel: Umbel) -> None:
    told = await umbel.act([sleep(0.5) for _ in range(6)], throttle="100ms")
    starts = sorted(view.began_us or 0 for view in await views(umbel, told))
    assert all(later - earlier >= 100_000 for earlier, later in pairwise(starts))
    assert await most_at_once(umbel, told) > 1


async def test_failed_attempts_are_tried_again(umbel: Umbel) -> None:
    leak, lucky = await umbel.act(
        [{"name": "LEAK"}, {"name": "THIRD_TIME_LUCKY"}], retries=2, retry_delay="10ms"
    )
    assert (leak.status, leak.attempts) == ("failed", 3)
    assert (lucky.value, lucky.attempts) == (3, 3)
    [lucky] = await umbel.act({"name": "THIRD_TIME_LUCKY"}, retries=1)
    assert (lucky.status, lucky.attempts) == ("failed", 2)


async def test_an_attempt_and_the_whole_have_their_own_clocks(umbel: Umbel) -> None:
    began = time.monotonic()
    told = await umbel.act(
        [sleep(30), {"name": "BLOCK", "args": {"seconds": 3}}, add(1, 1)], attempt_timeout="300ms"
    )
    assert [each.status for each in told] == ["timed_out", "timed_out", "succeeded"]
    [told_late] = await umbel.act(sleep(30), timeout="700ms", retries=5)
    assert (told_late.status, told_late.error and told_late.error["code"]) == ("expired", "expired")
    assert time.monotonic() - began < 12


async def test_the_first_failure_stops_what_runs(umbel: Umbel) -> None:
    began = time.monotonic()
    with pytest.raises(CallFailed, match="the shelf is empty") as raised:
        await umbel.act([sleep(60), {"name": "GIVE_UP"}], suppress_errors=False)
    assert [each.status for each in raised.value.results] == ["cancelled", "failed"]
    assert time.monotonic() - began < 12


async def test_what_the_model_reads_has_every_reason(umbel: Umbel) -> None:
    conversation = await umbel.open_conversation()
    asked = [add(1, 1), {"name": "GIVE_UP"}, {"name": "ADD", "args": {"a": 1}}]
    told = await umbel.act(asked, conversation=conversation)
    assert [each.status for each in told] == ["succeeded", "failed", "refused"]
    request, *results = await umbel.messages(conversation)
    assert len(request["tool_calls"]) == len(results) == 3
    contents = [json.loads(each["content"]) for each in results]
    assert contents == [2, told[1].error, told[2].error]


async def test_a_killed_worker_and_a_caller_that_leaves_lose_no_result(settings: Settings) -> None:
    own = settings.model_copy(update={"actions": (MODULE,), "celery_prefix": f"{settings.namespace}:"})
    asked = [sleep(0.4, str(at)) for at in range(20)]
    async with Umbel(own) as umbel:
        with start_worker(own, "doomed") as doomed:
            caller = asyncio.create_task(umbel.act(asked, max_concurrent=8, key="leave"))
            await eventually(lambda: _holds(umbel, "doomed@"))
            caller.cancel()
            with suppress(asyncio.CancelledError):
                await caller
            doomed.kill()
        with start_worker(own, "heir"):
            told = await umbel.act(asked, max_concurrent=8, key="leave", timing=True)
        assert [each.value for each in told] == [str(at) for at in range(20)]
        assert max(each.attempts for each in told) == 2


async def _holds(umbel: Umbel, worker: str) -> bool:
    """Whether a worker of this name has some of the runs."""
    connection = umbel._store.connection
    return any([key async for key in connection.redis.scan_iter(f"{connection.prefix}held:{worker}*")])
