"""A real server on a socket: it drains in order, and what no client should send costs nobody anything."""

import asyncio
import contextlib
import socket
import threading
import time
from typing import Self

import httpx
import pytest
from fastapi import Request

from api_under_test import api_on_port, bearer, make_key, registry_of
from orchestrator.api import protocol
from orchestrator.api.app import create_app
from orchestrator.api.guarding import Router
from orchestrator.api.serving import Served
from orchestrator.assembly import build
from orchestrator.store.store import Store


@pytest.fixture(scope="module")
def server(valkey, tmp_path_factory):
    from orchestrator.settings import Settings

    settings = Settings.model_validate(
        {"redis_url": valkey, "home": tmp_path_factory.mktemp("api"), "namespace": "tserving"}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "HEAD_S", 0.5)
        with api_on_port(settings) as url:
            yield url


def said(url, *parts: bytes, pause_s: float = 0.0, limit_s: float = 10.0) -> bytes:
    """Send parts over a socket of our own, and read until the server has closed it."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=limit_s) as wire:
        with contextlib.suppress(ConnectionError):
            for part in parts:
                wire.sendall(part)
                time.sleep(pause_s)
        found = b""
        with contextlib.suppress(ConnectionError):
            while got := wire.recv(65_536):
                found += got
    return found


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


HOST = b"Host: 127.0.0.1\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n", 200),
        (b"GET /livez%00 HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET /livez%ff%fe HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET /v1/runs/run_%00 HTTP/1.1\r\n" + HOST + b"\r\n", 401),
        (b"GET /v1/runs/%00 HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET /../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET //livez HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET /livez\xff HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"GET /livez HTTP/9.9\r\n" + HOST + b"\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nA B: c\r\n" + HOST + b"\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40, 400),
        (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (
            b"POST /livez HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n"
            + HOST
            + b"\r\nabc",
            400,
        ),
        (b"POST /livez HTTP/1.1\r\nContent-Length: -1\r\n" + HOST + b"\r\n", 400),
        (b"POST /livez HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n" + HOST + b"\r\nab", 400),
        (b"POST /livez HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n" + HOST + b"\r\n", 400),
        (b"POST /livez HTTP/1.1\r\nContent-Length: 9999999999999999999\r\n" + HOST + b"\r\n", 413),
        (b"POST /livez HTTP/1.1\r\nContent-Length: 5000000\r\n" + HOST + b"\r\n", 413),
        (b"GET /livez HTTP/1.1\r\nX-Long: " + b"x" * 40_000, 431),
        (b"GET /" + b"x" * 40_000, 431),
        (b"GET /livez HTTP/1.1\r\n" + b"A: b\r\n" * 8_000, 431),
    ],
)
def test_whatever_comes_in_is_answered_in_one_way(server, sent, expected):
    answer = said(server, sent)
    assert status(answer) == expected
    assert answer.count(b"HTTP/1.1 ") == 1
    if expected != 200:
        assert b"content-type: application/problem+json" in answer
        assert b"connection: close" in answer.lower()
    assert httpx.get(f"{server}/livez").status_code == 200


def test_a_head_that_does_not_come_is_not_waited_for(server):
    began = time.monotonic()
    assert said(server, b"GET /livez HT") == b""
    assert said(server) == b""
    assert time.monotonic() - began < 5


def test_a_head_that_comes_drop_by_drop_is_not_waited_for_either(server):
    began = time.monotonic()
    assert said(server, *[b"G", b"E", b"T", b" ", b"/"] * 4, pause_s=0.1) == b""
    assert time.monotonic() - began < 5


def test_many_requests_on_one_connection_are_answered_in_order(server):
    with httpx.Client() as client:
        assert [
            client.get(f"{server}/problems/{code}").json()["code"] for code in ("internal", "draining")
        ] == [
            "internal",
            "draining",
        ]
    two = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\nGET /nothing HTTP/1.1\r\n" + HOST + b"\r\n"
    answer = said(server, two)
    assert answer.index(b"HTTP/1.1 200") < answer.index(b"HTTP/1.1 404")


def test_a_sender_of_too_much_hears_so_and_may_go_on(server):
    with httpx.Client() as client:
        for _ in range(3):
            assert client.post(f"{server}/livez", content=b"x" * 6_000_000).status_code == 413
            assert client.get(f"{server}/livez").status_code == 200


def test_a_body_that_nobody_wants_is_not_read_away_for_ever(server, monkeypatch):
    monkeypatch.setattr(protocol, "WASTE_S", 0.2)
    head = b"POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 90000000\r\n\r\n"
    assert status(said(server, head, *[b"x"] * 5, pause_s=0.1)) == 413
    monkeypatch.setattr(protocol, "WASTE_S", 60)
    monkeypatch.setattr(protocol, "WASTE_BYTES", 100_000)
    assert status(said(server, head, *[b"x" * 50_000] * 5)) == 413


def test_a_body_that_is_cut_off_is_no_request(server):
    host, port = server.removeprefix("http://").split(":")
    head = (
        b"POST /v1/runs HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as wire:
        wire.sendall(head + b'{"action":')
    assert httpx.get(f"{server}/livez").status_code == 200


def test_a_port_that_is_taken_is_an_error_at_once(settings):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        async def start():
            house = build(settings)
            try:
                Served(create_app(house), host="127.0.0.1", port=taken.getsockname()[1], grace_s=1)
            finally:
                await house.close()

        with pytest.raises(OSError, match="in use"):
            asyncio.run(start())


class Stage:
    """A server with a route that answers when it is let, in a thread of its own."""

    def __init__(self, settings, grace_s: float) -> None:
        self.begun = threading.Event()
        self.goes_on = threading.Event()
        self.ended = threading.Event()
        self.ready = threading.Event()
        self._settings = settings
        self._grace_s = grace_s
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self.ready.wait(10)
        return self

    def __exit__(self, *_error: object) -> None:
        self.goes_on.set()
        self.stop()
        assert self.ended.wait(10)

    def stop(self) -> None:
        with contextlib.suppress(RuntimeError):  # it has ended already
            self._say_stop()

    def _say_stop(self) -> None:
        self._loop.call_soon_threadsafe(self.served.stop)

    @property
    def in_flight(self) -> int:
        return self.app.state.service.in_flight

    async def _work(self) -> None:
        routes = Router()

        @routes.get("/v1/slow")
        async def slow(request: Request) -> str:
            self.begun.set()
            await asyncio.to_thread(self.goes_on.wait, 20)
            return "done"

        house = build(self._settings, registry_of())
        self.app = app = create_app(house)
        app.routes.extend(routes.routes)
        self._loop = asyncio.get_running_loop()
        self.served = Served(app, host="127.0.0.1", port=0, grace_s=self._grace_s)
        self.url = f"http://127.0.0.1:{self.served.port}"
        await self.served.run(self.ready.set)
        await house.close()
        self.ended.set()


def test_told_to_stop_it_ends_what_is_in_flight_and_says_that_it_drains(settings):
    with Stage(settings, grace_s=10) as stage:
        answers = []
        asking = threading.Thread(
            target=lambda: answers.append(httpx.get(f"{stage.url}/v1/slow", timeout=20))
        )
        asking.start()
        assert stage.begun.wait(10)
        stage.stop()
        limit = time.monotonic() + 5
        while httpx.get(f"{stage.url}/readyz").json()["checks"][0]["ok"]:
            assert time.monotonic() < limit
        refused = httpx.get(f"{stage.url}/v1/slow")
        assert (refused.status_code, refused.json()["code"]) == (503, "draining")
        assert refused.headers["retry-after"] == "1"
        assert refused.headers["connection"] == "close"
        assert httpx.get(f"{stage.url}/livez").status_code == 200
        assert not stage.ended.is_set()
        stage.goes_on.set()
        assert stage.ended.wait(5)
        asking.join(5)
        assert [answer.json() for answer in answers] == ["done"]


@pytest.mark.parametrize(("grace_s", "times"), [(0.2, 1), (60, 2)])
def test_what_does_not_end_within_the_grace_or_before_the_second_word_is_cut_off(
    settings, caplog, grace_s, times
):
    with Stage(settings, grace_s=grace_s) as stage:
        answers = []
        asking = threading.Thread(
            target=lambda: answers.append(httpx.get(f"{stage.url}/v1/slow", timeout=20))
        )
        asking.start()
        assert stage.begun.wait(10)
        for _ in range(times):
            stage.stop()
        assert stage.ended.wait(10)
        asking.join(5)
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(503, "draining")]
    assert "Traceback" not in caplog.text


def test_told_to_stop_it_ends_streams_and_waits_at_once(settings):
    async def key() -> str:
        store = Store(settings, connections=2)
        made = await make_key(store, principal="ann")
        await store.close()
        return made

    headers = bearer(asyncio.run(key()))
    with Stage(settings, grace_s=30) as stage, httpx.Client(headers=headers, timeout=20) as client:
        conversation = client.post(f"{stage.url}/v1/conversations", json={}).json()["conversation"]
        run = client.post(
            f"{stage.url}/v1/runs", json={"action": "ADD", "arguments": {"a": 1, "b": 2}}
        ).json()["run"]
        waited = []

        def wait() -> None:
            waited.append(httpx.get(f"{stage.url}/v1/runs/{run}?wait=30s", headers=headers, timeout=40))

        waiting = threading.Thread(target=wait)
        with client.stream("GET", f"{stage.url}/v1/conversations/{conversation}/events?from=now") as stream:
            lines = stream.iter_lines()
            assert next(line for line in lines if line.startswith("event: ")) == "event: reset"
            waiting.start()
            limit = time.monotonic() + 10
            while stage.in_flight < 2:
                assert time.monotonic() < limit
            stage.stop()
            began = time.monotonic()
            assert len(list(lines)) < 20
        assert stage.ended.wait(10)
        waiting.join(5)
        assert time.monotonic() - began < 5
        assert [(answer.status_code, answer.json()["status"]) for answer in waited] == [(200, "ready")]
