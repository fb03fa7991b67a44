"""Redis stopped, standing still, full and restarted, while requests come: 503 in time, and nothing accepted is lost."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import asynccontextmanager, contextmanager

import pytest
import pytest_asyncio

from actions.messages import TERMINAL
from asking_under_test import timed
from collecting_under_test import spared
from hub_under_test import shortly
from listening_under_test import site, told
from orchestrator.api import event_streams
from umbel.supervisor import EmbeddedRedis
from workers_under_test import settings_of

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.processes]

ADD = {"action": "ADD", "arguments": {"a": 1, "b": 2}}
A = "/v1/conversations/conv_a/events"


class Place:
    """A server of ours, and a Valkey of its own behind it."""

    def __init__(self, redis: EmbeddedRedis, here) -> None:
        self.redis = redis
        self.here = here

    @property
    def pid(self) -> int:
        return self.redis.process.pid

    async def post(self, path="/v1/runs", content=ADD, **headers: str):
        """An answer, and the seconds that it took."""
        return await timed(self.here.served.port, "POST", path, self.here.key, content, **headers)

    async def get(self, path):
        return await timed(self.here.served.port, "GET", path, self.here.key)

    async def works(self):
        """Wait until requests are accepted again."""
        async with asyncio.timeout(15):
            while (await self.post())[0].status_code != 202:  # noqa: ASYNC110 - nobody tells when
                await asyncio.sleep(0.05)

    @contextmanager
    def standing_still(self):
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    @asynccontextmanager
    async def stopped(self):
        await asyncio.to_thread(self.kill)
        try:
            yield
        finally:
            await asyncio.to_thread(self.redis.start)

    def kill(self):
        self.redis.process.kill()
        self.redis.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    redis = EmbeddedRedis(home)
    await asyncio.to_thread(redis.start)
    try:
        with spared():
            async with site(settings_of(redis.url, home)) as here:
                await here.store.conversations.open("conv_a")
                yield Place(redis, here)
    finally:
        await asyncio.to_thread(redis.stop)


def is_away(answer, seconds):
    """A problem that says when to come again, and came in time."""
    assert answer.status_code == 503, answer.text
    assert answer.json()["code"] in {"store_unavailable", "store_refused"}
    assert int(answer.headers["retry-after"]) >= 1
    assert "127.0.0.1" not in answer.text
    assert seconds < 5.0
    return True


WAYS = ("/v1/runs", "/v1/runs/run_a", A, "/v1/conversations/conv_a", "/v1/queues", "/v1/runs/run_a?wait=30s")


async def test_without_redis_each_request_is_told_so_at_once(place):
    async with place.here.listen(A) as listener:
        await listener.read()
        async with place.stopped():
            answers = await asyncio.gather(*map(place.get, WAYS), *(place.post() for _ in range(20)))
            assert all(is_away(*each) for each in answers)
            assert max(seconds for _, seconds in answers) < 1
            assert (await place.get("/livez"))[0].status_code == 200
            assert (await place.get("/readyz"))[0].status_code == 503
        await place.works()
        await place.here.write(1)
        await listener.until(lambda it: told(it) == [1])  # it was open all the time


async def test_a_redis_that_stands_still_holds_no_request_up_for_long(place):
    with place.standing_still():
        first = asyncio.gather(*map(place.get, WAYS), *(place.post() for _ in range(60)))
        await asyncio.sleep(1)  # and some that come when it has stood for a while
        answers = await asyncio.gather(*(place.post() for _ in range(20)))
        assert all(is_away(*each) for each in [*answers, *await first])
        assert (await place.get("/livez"))[1] < 0.5
    await place.works()
    assert place.here.service.in_flight == 0


async def test_a_stream_that_begins_as_redis_stops_answering_is_told_so_in_time(place, monkeypatch):
    hub = place.here.service.hub
    subscribe = hub.subscribe

    def stalls(*given: object, **more: object):
        """The caller is known, what it asks for was found: now Redis stands still."""
        os.kill(place.pid, signal.SIGSTOP)
        return subscribe(*given, **more)

    monkeypatch.setattr(hub, "subscribe", stalls)
    try:
        answer, seconds = await place.get(A)
    finally:
        os.kill(place.pid, signal.SIGCONT)
    assert is_away(answer, seconds)
    await place.works()
    assert hub.streams == place.here.service.in_flight == 0


async def test_a_full_redis_accepts_nothing_and_is_read_all_the_same(place):
    ask = place.here.store.connection.ask
    made = (await place.post())[0].json()
    await ask(["CONFIG", "SET", "maxmemory", "1mb"])
    try:
        answers = await asyncio.gather(
            *(place.post() for _ in range(10)),
            place.post("/v1/conversations", {}),
            place.post("/v1/runs?wait=10s"),
        )
        assert all(is_away(*each) for each in answers)
        assert (await place.get(made["url"]))[0].json()["status"] == "ready"
        async with place.here.listen(A) as listener:
            assert listener.status == 200
    finally:
        await ask(["CONFIG", "SET", "maxmemory", "0"])
    assert (await place.post())[0].status_code == 202


async def test_what_was_accepted_while_redis_was_killed_again_and_again_is_there_and_ends(place):
    accepted, refused, chance, is_over = {}, [], random.Random(3), asyncio.Event()

    async def submit(who):
        n = 0
        while not is_over.is_set():
            key = f"{who}-{n}"
            answer, seconds = await place.post(Idempotency_Key=key)
            if answer.status_code == 202:
                accepted[key] = answer.json()["run"]
                n += 1
                await asyncio.sleep(0.01)
            else:
                refused.append(is_away(answer, seconds))
                await asyncio.sleep(0.05)

    submitting = [asyncio.create_task(submit(who)) for who in range(10)]
    for _ in range(3):
        before = len(accepted)
        await shortly(lambda before=before: len(accepted) > before + 20)
        await asyncio.sleep(chance.random() * 0.1)
        async with place.stopped():
            pass
    await place.works()
    is_over.set()
    await asyncio.gather(*submitting)
    assert len(accepted) > 50
    assert refused
    views = await place.here.store.runs.read_all(list(accepted.values()))
    assert None not in views
    again = await asyncio.gather(
        *(place.post(Idempotency_Key=key) for key in random.sample(sorted(accepted), 20))
    )
    assert {answer.json()["run"] for answer, _ in again} <= set(accepted.values())
    while claimed := await place.here.claim():
        await place.here.end(*claimed)
    views = await place.here.store.runs.read_all(list(accepted.values()))
    assert {view.status for view in views} <= TERMINAL


async def test_a_wait_goes_on_over_a_restart_and_a_client_that_leaves_ends_it(place):
    made = (await place.post())[0].json()
    waiting = asyncio.create_task(place.get(f"{made['url']}?wait=30s"))
    leaving = asyncio.create_task(place.get(f"{made['url']}?wait=30s"))
    hub = place.here.service.hub
    await shortly(lambda: hub.waits == 2)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    await shortly(lambda: hub.waits == 1)
    async with place.stopped():
        pass
    await place.works()
    while claimed := await place.here.claim():
        await place.here.end(*claimed)
    answer, seconds = await waiting
    assert answer.json()["status"] == "succeeded"
    assert seconds < 10
    assert hub.waits == 0


async def test_a_redis_that_was_emptied_is_heard_of_and_gone_on_with(place, monkeypatch):
    monkeypatch.setattr(event_streams, "LOOK_S", 0.1)
    store = place.here.store
    keys = f"{store.connection.prefix}keys"
    async with place.here.listen(A) as listener:
        await listener.read()
        (kept, _) = await store.connection.ask(["HGETALL", keys], ["FLUSHALL"])
        await store.connection.ask(["HSET", keys, *kept])
        await listener.to_the_end(within_s=10)  # the conversation is gone, so is its stream
    assert (await place.get(A))[0].status_code == 404
    assert (await place.post())[0].status_code == 202
    await store.conversations.open("conv_a")
