"""No answer takes longer than it may, however it drips; no message has lines without number; no error holds the key."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from client_under_test import KEY, Service, core_of, lead, problem, value
from orchestrator.client import Client
from orchestrator.clients import core, sse, talks
from orchestrator.clients.aio import AsyncClient
from orchestrator.clients.errors import ApiError, NotFound, ServerFault, Unreachable
from orchestrator.clients.sse import Reader, TooLong

SECRET = KEY.split("_", 2)[2]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n"
both = pytest.mark.parametrize("kind", [Client, AsyncClient])


class Dripping:
    """A service that answers with a beginning, then byte by byte for as long as somebody listens."""

    def __init__(self, first: bytes) -> None:
        self._first = first
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._is_over = threading.Event()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._drip, args=(connection,), daemon=True))
            self._threads[-1].start()

    def _drip(self, connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(65_536)
                connection.sendall(self._first)
                while not self._is_over.wait(0.02):
                    connection.sendall(b" ")
            except OSError:
                return  # nobody listens any more

    def close(self) -> None:
        self._is_over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._threads:
            each.join(5)


@pytest.fixture
def dripping(request: pytest.FixtureRequest) -> Iterator[str]:
    service = Dripping(getattr(request, "param", HEAD))
    yield service.url
    service.close()


async def ended(kind, url, ask, error):
    """How long it took to fail so; within 5 s, or the test does not wait for it."""
    client = kind(url, KEY, timeout=0.2, retries=0)
    began = time.monotonic()

    async def asked():
        with pytest.raises(error):
            await value(ask(client))

    if kind is AsyncClient:
        await asyncio.wait_for(asked(), 5)
        await client.close()
    else:
        threaded = threading.Thread(target=lambda: asyncio.run(asked()), daemon=True)
        threaded.start()
        await asyncio.to_thread(threaded.join, 5)
        assert not threaded.is_alive()
        client.close()
    return time.monotonic() - began


@both
async def test_a_body_that_drips_ends_with_the_clients_time(kind, dripping):
    assert await ended(kind, dripping, lambda client: client.run("run_a1"), Unreachable) < 2


@pytest.mark.parametrize("dripping", [b"HTTP/1.1 200 OK\r\nx-long: "], indirect=True)
async def test_a_head_that_drips_ends_so_too_for_asyncio(dripping):
    assert await ended(AsyncClient, dripping, lambda client: client.run("run_a1"), Unreachable) < 2


@both
async def test_a_wait_ends_with_its_own_time_whatever_drips(kind, dripping, monkeypatch):
    monkeypatch.setattr(core, "LATE", 0.1)
    assert await ended(kind, dripping, lambda client: client.wait("run_a1", timeout_s=0.3), TimeoutError) < 2


@pytest.mark.parametrize("dripping", [b"HTTP/1.1 503 No\r\ncontent-length: 100000\r\n\r\n"], indirect=True)
@both
async def test_a_refusal_of_a_stream_that_drips_has_an_end(kind, dripping, monkeypatch):
    monkeypatch.setattr("orchestrator.clients.following.PATIENCE", 0.1)
    assert await ended(kind, dripping, lambda client: client.events("run_a1"), Unreachable) < 2


def test_a_wait_gives_no_exchange_more_time_than_it_has_itself():
    made = core_of()
    _, steps = lead(talks.wait(made, "run_a1", timeout_s=5), [problem(404, "not_found")])
    assert made.whole_s(steps[0]) == 5 + core.LATE


def test_a_message_has_an_end_also_where_its_lines_are_empty():
    reader = Reader()
    with pytest.raises(TooLong, match="lines"):
        reader.feed(b"data:\n" * (sse.MOST_LINES + 1))
    assert len(Reader().feed(b"data:\n" * sse.MOST_LINES + b"\n")) == 1


@pytest.mark.parametrize("told", [KEY, SECRET])
@pytest.mark.parametrize("pad", [0, 1_990])
@pytest.mark.parametrize("kind", ["client", "async_client"])
async def test_an_error_never_holds_the_key_that_an_answer_repeats(kind, pad, told):
    said = "x" * pad + told
    flaw = {"pointer": f"/{said}", "detail": f"not {said}", "code": said}
    answer = problem(404, said, f"who is {said}?", errors=[flaw], request_id=said)
    with pytest.raises(NotFound) as caught:
        await value(getattr(Service(answer), kind)().run("run_a1"))
    error = caught.value
    shown = f"{error} {error!r} {error.__dict__} {error.args}"
    assert SECRET[:8] not in shown
    assert "***" in shown or pad


@pytest.mark.parametrize("method", ["run", "events"])
@pytest.mark.parametrize("kind", ["client", "async_client"])
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, content=b"{}", headers={"x-request-id": KEY}),
        httpx.Response(200, content=b"{}", headers={"x-request-id": "x" * 40 + KEY}),
        httpx.Response(200, content=json.dumps({KEY: KEY}), headers={"content-encoding": "x" * 9 + KEY}),
        httpx.Response(500, content=b"no", headers={"x-request-id": "x" * 1_990 + KEY}),
    ],
)
async def test_nor_where_the_answer_cannot_be_read(kind, method, answer):
    service = Service(
        lambda _: httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(b"{}"))
    )
    with pytest.raises(ServerFault) as caught:
        await value(getattr(getattr(service, kind)(), method)("run_a1"))
    assert SECRET[:8] not in f"{caught.value} {caught.value.__dict__}"


@pytest.mark.parametrize("kind", ["client", "async_client"])
async def test_nor_where_there_is_no_answer(kind):
    broken = httpx.RemoteProtocolError("x" * 180 + f" illegal line: b'{KEY}'")
    with pytest.raises(ApiError) as caught:
        await value(getattr(Service(broken), kind)(retries=0).run("run_a1"))
    assert SECRET[:8] not in str(caught.value)
