"""The stream of one run: its own changes, until it has ended, and then the word that there is nothing more."""

from __future__ import annotations

import pytest
import pytest_asyncio
from pydantic_core import from_json

from actions.messages import Payload, run_id_of
from listening_under_test import site
from orchestrator.api import event_streams
from orchestrator.store.incoming import NewRun
from workers_under_test import settings_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def serving(valkey, tmp_path_factory):
    """One server for all of them."""
    async with site(settings_of(valkey, tmp_path_factory.mktemp("home"))) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def here(serving):
    await serving.store.conversations.open("conv_a")
    yield serving
    await serving.clean()


async def test_a_run_is_told_of_until_it_has_ended(here):
    await here.submit("run_a")
    async with here.listen("/v1/runs/run_a/events") as listener:
        await listener.until(lambda it: it.messages)
        (run,) = await here.claim()
        await here.end(run)
        *_, last, ended = await listener.to_the_end()
    assert [change["status"] for change in listener.changes()] == ["ready", "running", "succeeded"]
    assert (ended.event, from_json(ended.data)) == ("end", {"run": "run_a", "status": "succeeded"})
    assert ended.id == last.id
    first = listener.messages[0].id
    for after, status in ((last.id, 204), (first, 200), ("", 200)):
        async with here.listen("/v1/runs/run_a/events", after=after) as again:
            assert again.status == status
            await again.to_the_end()
            if status == 200:
                assert again.messages[-1].event == "end"
                rest = listener.messages if not after else listener.messages[1:]
                assert [each.id for each in again.messages] == [each.id for each in rest]


async def test_a_run_that_ended_unwatched_is_shown_and_over(here):
    await here.submit("run_a")
    await here.end(*await here.claim())
    for path in ("/v1/runs/run_a/events", "/v1/runs/run_a/events?from=now"):
        async with here.listen(path) as listener:
            reset, ended = await listener.to_the_end()
        assert from_json(reset.data)["snapshot"]["status"] == "succeeded"
        assert ended.event == "end"
        async with here.listen(path, after=ended.id) as again:
            assert again.status == 204
    for never in ("nonsense", "99999999999999-0"):
        async with here.listen("/v1/runs/run_a/events", after=never) as listener:
            reset, ended = await listener.to_the_end()
        assert (reset.event, ended.event) == ("reset", "end")
        async with here.listen("/v1/runs/run_a/events", after=ended.id) as again:
            assert again.status == 204


async def test_of_a_conversation_only_the_runs_own_changes_are_told(here, monkeypatch):
    monkeypatch.setattr(event_streams, "HEARTBEAT_S", 0.02)
    runs = [
        NewRun(str(run_id_of("turn_x", 0, at)), "actions", Payload("ADD").encode(), position=at, head='{"a":')
        for at in range(3)
    ]
    await here.store.conversations.round("conv_a", "turn_x", "d", 0, ['{"role":"assistant"}'], runs)
    async with here.listen("/v1/runs/run_x.0.1/events") as listener:
        await listener.until(lambda it: it.messages)
        claimed = await here.claim()
        await listener.until(lambda it: len(it.messages) == 2)
        place = listener.last
        await here.end(next(run for run in claimed if run.id == "run_x.0.0"))
        await listener.until(lambda it: it.last != place)  # a sign of life moves it on
        assert len(listener.messages) == 2
        await here.end(*(run for run in claimed if run.id != "run_x.0.0"))
        await listener.to_the_end()
    assert {change["run"] for change in listener.changes()} == {"run_x.0.1"}
    assert listener.messages[-1].event == "end"


async def test_a_run_whose_end_no_entry_tells_ends_all_the_same(here, monkeypatch):
    monkeypatch.setattr(event_streams, "LOOK_S", 0.05)
    monkeypatch.setattr(event_streams, "_LAST_S", 0.01)
    await here.submit("run_a")
    async with here.listen("/v1/runs/run_a/events") as listener:
        await listener.until(lambda it: it.messages)
        await here.store.connection.redis.zrem(f"{here.store.connection.prefix}watched", "run_a")
        await here.end(*await here.claim())
        await listener.to_the_end()
    async with here.listen("/v1/runs/run_a/events", after=listener.last) as again:
        await again.to_the_end()
    assert again.status in {200, 204}
