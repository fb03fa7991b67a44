"""`ctx.http`: runs share connections and nothing else, and no answer is larger than a process can bear."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from actions.errors import TryAgain
from actions.services import HttpResponse
from orchestrator.retry_after import retry_after
from orchestrator.services.http import HttpxHttp, RunHttp
from orchestrator.services.model import ChatModel
from orchestrator.settings import Settings

Answer = Callable[[bytes], bytes]


def plain(body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@asynccontextmanager
async def server(answer: Answer, *, until: asyncio.Event | None = None) -> AsyncIterator[str]:
    """A web server that answers each request's head with what `answer` makes of it, not before `until`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if until is not None:
                    await until.wait()
                writer.write(answer(head))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as made:
        yield f"http://127.0.0.1:{made.sockets[0].getsockname()[1]}/"


async def test_a_cookie_of_one_run_is_not_sent_by_another():
    heads: list[bytes] = []

    def answer(head: bytes) -> bytes:
        heads.append(head)
        return plain(b"{}", b"Set-Cookie: session=of-tenant-a; Path=/")

    async with server(answer) as url:
        http = HttpxHttp()
        first = await http.request("GET", url)
        await http.request("GET", url)
        await http.request("GET", url, headers={"Cookie": "mine=1"})
        await http.close()
    assert first.headers["set-cookie"].startswith("session=")
    assert [b"cookie:" in head.lower() for head in heads] == [False, False, True]
    assert b"of-tenant-a" not in b"".join(heads)


async def test_no_free_connection_is_said_to_be_that():
    until = asyncio.Event()
    async with server(lambda _: plain(b"late"), until=until) as url:
        http = HttpxHttp(connections=1)
        slow = asyncio.create_task(http.request("GET", url))
        await asyncio.sleep(0.05)
        with pytest.raises(TimeoutError, match=r"^GET 127\.0\.0\.1: no free connection in time$"):
            await http.request("GET", url, timeout=0.05)
        until.set()
        assert (await slow).text == "late"
        await http.close()


async def test_no_answer_in_time_is_said_to_be_that():
    until = asyncio.Event()
    async with server(lambda _: plain(b"late"), until=until) as url:
        http = HttpxHttp(timeout=0.05)
        with pytest.raises(TimeoutError, match="no answer in time"):
            await http.request("GET", url)
        until.set()
        await http.close()


@pytest.mark.parametrize("packed", [False, True])
async def test_a_body_beyond_the_limit_is_an_error_and_the_next_request_works(packed):
    bodies = [b"x" * 1001, b"y" * 1000]

    def answer(_: bytes) -> bytes:
        body = bodies.pop(0)
        return plain(gzip.compress(body), b"Content-Encoding: gzip") if packed else plain(body)

    async with server(answer) as url:
        http = HttpxHttp(body_limit=1000)
        with pytest.raises(OSError, match=r"^GET 127\.0\.0\.1: the answer is larger than 1000 bytes$"):
            await http.request("GET", url)
        assert (await http.request("GET", url)).text == "y" * 1000
        await http.close()


@pytest.mark.parametrize(
    ("charset", "body"),
    [("utf-8", "é".encode()), ("iso-8859-1", b"\xe9"), (None, "é".encode()), ("nonsense", "é".encode())],
)
async def test_text_is_read_in_the_charset_that_the_answer_names(charset, body):
    kind = b"Content-Type: text/plain" + (f"; charset={charset}".encode() if charset else b"")
    async with server(lambda _: plain(body, kind)) as url:
        http = HttpxHttp()
        assert (await http.request("GET", url)).text == "é"
        await http.close()


async def test_nobody_there_is_a_connection_error():
    http = HttpxHttp()
    with pytest.raises(ConnectionError, match="ConnectError"):
        await http.request("GET", "http://127.0.0.1:1/")
    await http.close()


# As one run sees it.


class Recorded:
    """An `Http` that gives one answer and keeps what it was asked for."""

    def __init__(self, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.answer = HttpResponse(status, dict(headers or {}), "{}")
        self.timeouts: list[float | None] = []

    async def request(self, method: str, url: str, *, timeout: float | None = None, **_: Any) -> HttpResponse:
        self.timeouts.append(timeout)
        return self.answer


async def cooled(answer: Recorded, left: float | None = None) -> list[float]:
    """For how long a run's limits cool after this answer."""
    told: list[float] = []

    async def cool(seconds: float) -> None:
        told.append(seconds)

    assert await RunHttp(answer, lambda: left, cool).request("GET", "http://x/") is answer.answer
    return told


@pytest.mark.parametrize(
    ("own", "left", "asked"),
    [
        (None, None, None),
        (3.0, None, 3.0),
        (None, 60.0, 10.0),
        (3.0, 60.0, 3.0),
        (3.0, 1.5, 1.5),
        (None, 1.5, 1.5),
    ],
)
async def test_a_request_takes_no_longer_than_its_run_has_left(own, left, asked):
    recorded = Recorded()
    await RunHttp(recorded, lambda: left, lambda _: asyncio.sleep(0)).request("GET", "http://x/", timeout=own)
    assert recorded.timeouts == [asked]


async def test_a_run_without_time_left_asks_nobody():
    recorded = Recorded()
    with pytest.raises(TimeoutError, match=r"^GET x: the run has no time left$"):
        await RunHttp(recorded, lambda: 0.0, lambda _: asyncio.sleep(0)).request("GET", "http://x/")
    assert recorded.timeouts == []


async def test_an_answer_in_drops_does_not_go_beyond_the_runs_time():
    """Each drop comes within the client's own timeout, which bounds one wait and not the request."""

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        try:
            for _ in range(40):
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            pass
        finally:
            writer.close()

    http = HttpxHttp()
    async with await asyncio.start_server(drip, "127.0.0.1", 0) as made:
        url = f"http://127.0.0.1:{made.sockets[0].getsockname()[1]}/"
        began = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError, match=r"^GET 127\.0\.0\.1: the run has no time left$"):
            await RunHttp(http, lambda: 0.3, lambda _: asyncio.sleep(0)).request("GET", url)
        assert asyncio.get_running_loop().time() - began < 1
    await http.close()


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"retry-after": "7"}, [7.0]),
        (429, {"retry-after": "999999"}, [3600.0]),
        (429, {"retry-after": "0"}, []),
        (429, {}, []),
        (503, {"retry-after": "7"}, []),
        (200, {"retry-after": "7"}, []),
    ],
)
async def test_a_429_that_says_how_long_cools_the_limits_of_its_run(status, headers, seconds):
    assert await cooled(Recorded(status, headers)) == seconds


@pytest.mark.parametrize(
    ("ahead", "seconds"), [(timedelta(seconds=40), 40), (timedelta(days=400), 3600), (timedelta(days=-1), 0)]
)
@pytest.mark.parametrize("form", ["GMT", "-0000"])
def test_retry_after_may_be_a_date(ahead, seconds, form):
    date = format_datetime(datetime.now(UTC) + ahead, usegmt=True).replace("GMT", form)
    found = retry_after({"retry-after": date})
    assert found is not None
    assert abs(found - seconds) <= 2


@pytest.mark.parametrize("text", ["", "soon", "-5", "1.5", "٣", "Wed, 99 Foo 2026 00:00:00 GMT"])
def test_what_cannot_be_read_asks_for_nothing(text):
    assert retry_after({"retry-after": text}) is None


@pytest.mark.parametrize(
    ("status", "headers", "after", "cool"),
    [(429, {"retry-after": "9"}, 9.0, True), (429, {}, None, False), (503, {"retry-after": "9"}, 9.0, False)],
)
async def test_a_busy_model_is_asked_again_when_it_says(status, headers, after, cool):
    model = ChatModel(Recorded(status, headers), Settings(model_url="http://x"))
    with pytest.raises(TryAgain) as caught:
        await model.ask({})
    assert (caught.value.after, caught.value.cool) == (after, cool)
