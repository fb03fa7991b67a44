"""`ctx.http`: runs share connections and nothing else, and no answer is larger than a process can bear."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from orchestrator.services.http import HttpxHttp

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
