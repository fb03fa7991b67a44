"""The held line to Redis: many callers at once, each with its own replies; and a line that breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from orchestrator.store.line import Line


@asynccontextmanager
async def server(answer: Callable[[bytes], bytes]) -> AsyncIterator[str]:
    """The URL of something that is no Redis: it answers each read with what `answer` gives."""

    serving: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(answer(data))
        writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.create_task(serve(reader, writer)))

    made = await asyncio.start_server(begin, "127.0.0.1", 0)
    try:
        yield f"redis://127.0.0.1:{made.sockets[0].getsockname()[1]}/0"
    finally:
        made.close()
        await asyncio.gather(*serving, return_exceptions=True)
        await asyncio.sleep(0)  # the transports' own last step


async def test_many_callers_at_once_get_each_their_own_replies(world):
    ask = world.store.connection.ask
    asked = [ask(["ECHO", f"a{at}"], ["ECHO", f"b{at}"]) for at in range(200)]
    assert await asyncio.gather(*asked) == [[f"a{at}", f"b{at}"] for at in range(200)]


async def test_a_caller_that_has_gone_does_not_shift_the_replies_of_others(world):
    ask = world.store.connection.ask
    gone = asyncio.create_task(ask(["ECHO", "gone"]))
    stays = asyncio.create_task(ask(["ECHO", "stays"]))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == ["stays"]
    assert await ask(["ECHO", "later"]) == ["later"]


async def test_a_broken_line_fails_who_waits_and_the_next_call_opens_another(world):
    (client,) = await world.store.connection.ask(["CLIENT", "ID"])
    await world.submit("run_a")
    waits = asyncio.create_task(world.store.connection._line.trip([["BLPOP", f"{world.prefix}nothing", 30]]))
    await asyncio.sleep(0)
    assert await world.redis.client_kill_filter(_id=client) == 1
    with pytest.raises(RedisConnectionError):
        await waits
    assert [run.id for run in await world.take()] == ["run_a"]


async def test_a_read_is_asked_again_on_a_new_line(world):
    (client,) = await world.store.connection.ask(["CLIENT", "ID"])
    await world.redis.client_kill_filter(_id=client)
    assert await world.store.connection.ask(["ECHO", "x"]) == ["x"]


async def test_an_error_stands_in_its_place_among_the_replies(world):
    await world.redis.set(f"{world.prefix}a", "text")
    replies = await world.store.connection._line.trip(
        [["ECHO", "1"], ["LLEN", f"{world.prefix}a"], ["ECHO", "2"]]
    )
    assert (replies[0], replies[2]) == ("1", "2")
    assert "WRONGTYPE" in str(replies[1])


async def test_a_server_that_falls_silent_does_not_hold_its_callers(world):
    first = True

    def once(_: bytes) -> bytes:
        nonlocal first
        greeted, first = first, False
        return b"+OK\r\n" if greeted else b""

    async with server(once) as url:
        line = Line(url, timeout=0.05)
        with pytest.raises(RedisTimeoutError):
            await line.trip([["PING"]])
        await line.close()


async def test_what_is_no_redis_is_said_to_be_none():
    async with server(lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n") as url:
        line = Line(url, timeout=1)
        with pytest.raises(RedisConnectionError, match="no Redis"):
            await line.trip([["PING"]])
        await line.close()


async def test_nothing_asked_is_nothing_sent():
    assert await Line("redis://127.0.0.1:1/0", timeout=1).trip([]) == []
