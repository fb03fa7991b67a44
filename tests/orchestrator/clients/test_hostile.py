"""A service that is another than it seems gets no key that is not its own, and no more time and memory than agreed."""

from __future__ import annotations

import asyncio
import gzip
import json
import warnings
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import umbel
from client_under_test import KEY, Clock, Service, core_of, lead, problem, run_standing, value
from orchestrator.clients import answers, sse, talks
from orchestrator.clients.errors import PlainHttpWarning, ServerFault, TooManyRequests, Unavailable
from orchestrator.clients.following import Following
from orchestrator.clients.sse import Reader, TooLong
from orchestrator.retry_after import LONGEST, retry_after

both = pytest.mark.parametrize("kind", ["client", "async_client"])
METHODS = pytest.mark.parametrize("method", ["run", "events"])


class Endless(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body without an end; it counts what was read of it."""

    def __init__(self) -> None:
        self.read = 0

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.read += 1_000
            yield b"x" * 1_000

    async def __aiter__(self) -> Any:
        for piece in self:
            yield piece


async def refused(service: Service, kind: str, method: str, match: str | None = None) -> None:
    with pytest.raises(ServerFault, match=match):
        await value(getattr(getattr(service, kind)(), method)("run_a1"))


@both
@METHODS
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_the_key_follows_no_redirect(kind, method, status):
    service = Service(
        httpx.Response(status, headers={"location": "https://elsewhere.example/v1/runs/run_a1"})
    )
    await refused(service, kind, method)
    assert [each.url.host for each in service.heard] == ["umbel.example"]


@both
@METHODS
@pytest.mark.parametrize("status", [200, 404, 503])
async def test_an_answer_without_an_end_is_left_off(kind, method, status, monkeypatch):
    monkeypatch.setattr(answers, "LARGEST", 10_000)
    monkeypatch.setattr(sse, "LONGEST", 10_000)
    body = Endless()
    headers = {"content-type": "text/event-stream"}
    service = Service(lambda _: httpx.Response(status, headers=headers, stream=body))
    await refused(service, kind, method)
    assert body.read <= 12_000
    assert len(service.heard) == 1


@both
@pytest.mark.parametrize("length", [str(answers.LARGEST + 1), "9" * 5_000])
async def test_an_answer_that_says_that_it_is_too_large_is_not_read(kind, length):
    body = Endless()
    service = Service(lambda _: httpx.Response(200, headers={"content-length": length}, stream=body))
    await refused(service, kind, "run", "at most")
    assert body.read == 0


@both
async def test_no_compression_is_asked_for_and_none_is_unpacked(kind):
    body = gzip.compress(json.dumps(run_standing()).encode())

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(body))

    service = Service(answer)
    await refused(service, kind, "run", "compression")
    assert service.heard[0].headers["accept-encoding"] == "identity"


@both
async def test_an_answer_in_pieces_is_whole(kind):
    body = json.dumps(run_standing(result="ü" * 70_000)).encode()

    class Pieces(Endless):
        def __iter__(self) -> Iterator[bytes]:
            yield from (body[at : at + 999] for at in range(0, len(body), 999))

    service = Service(lambda _: httpx.Response(200, stream=Pieces()))
    assert (await value(getattr(service, kind)().run("run_a1"))).result == "ü" * 70_000


# Retry-After.


def test_a_retry_after_of_an_hour_ends_no_wait_that_has_time_left():
    clock = Clock()
    far = problem(429, "rate_limited", retry_after=3_600)
    ended = httpx.Response(200, json=run_standing())
    found, steps = lead(talks.wait(core_of(clock), "run_a1", timeout_s=60), [far, far, ended], clock)
    assert found.result == 3
    assert sum(each for each in steps if isinstance(each, float)) < 30


def test_a_retry_after_of_an_hour_ends_no_stream():
    following = Following(core_of(), "run_a1", "", from_now=False)
    assert not following.opened(problem(503, "draining", retry_after=3_600))
    assert following.dropped() < 30


def test_one_request_is_not_held_up_by_it_either():
    found, steps = lead(core_of().sending(talks.read_run("run_a1")), [problem(429, "x", retry_after=3_600)])
    assert isinstance(found, TooManyRequests)
    assert len(steps) == 1


@given(st.text(max_size=40) | st.from_regex(r"Mon, \d{1,2} Jan \d{1,6} \d\d:\d\d:\d\d [+-]\d{1,12}"))
def test_garbage_is_no_time(text):
    found = retry_after({"retry-after": text})
    assert found is None or 0 <= found <= LONGEST


# Events.


@pytest.mark.parametrize("line", [b"id: ", b"event: ", b": ", b"retry: ", b"nothing"])
def test_a_line_that_is_no_data_has_an_end(line):
    with pytest.raises(TooLong, match="line"):
        Reader().feed(line + b"x" * sse.LONGEST_LINE + b"\n")


def test_a_line_of_data_may_hold_a_whole_result():
    text = b"x" * (sse.LONGEST_LINE + 1)
    reader = Reader()
    assert [each.data for piece in (b"data:", text, b"\r", b"\n\n") for each in reader.feed(piece)] == [
        text.decode()
    ]


def test_a_long_line_is_not_read_again_with_each_piece(monkeypatch):
    reader, looks = Reader(), []
    whole = reader._read
    monkeypatch.setattr(reader, "_read", lambda: looks.append(1) or whole())
    for _ in range(1_000):
        reader.feed(b"data: x")
    assert not looks
    assert len(reader.feed(b"\n\n")) == 1


@both
@pytest.mark.parametrize("id", ["é", "x" * 201, "a\x1bb"])
async def test_an_id_that_could_not_be_shown_again_ends_the_stream(kind, id):  # noqa: A002 - the field's word
    body = httpx.ByteStream(f"id: {id}\n: beat\n\n".encode())
    headers = {"content-type": "text/event-stream"}
    service = Service(lambda _: httpx.Response(200, headers=headers, stream=body))
    await refused(service, kind, "events", "ids of events")


@pytest.mark.parametrize("after", ["é", "a\nb", "1" * 201])
def test_a_place_that_no_header_holds_is_refused(after):
    service = Service(httpx.Response(204))
    with pytest.raises(umbel.InvalidId):
        list(service.client().events("run_a1", after=after))
    assert not service.heard


# The key on the way.


@pytest.mark.parametrize("client", [umbel.Client, umbel.AsyncClient])
@pytest.mark.parametrize(
    "url", ["http://umbel.example", "http://10.0.0.7:8700", "http://api:8700", "http://[fe80::1]"]
)
def test_a_key_that_others_could_read_is_warned_of_where_the_client_was_made(client, url):
    with pytest.warns(umbel.PlainHttpWarning, match="plain http") as caught:
        client(url, KEY)
    assert [each.filename for each in caught] == [__file__]
    assert KEY not in str(caught[0].message)
    assert issubclass(PlainHttpWarning, UserWarning)


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://umbel.example", KEY), ("http://127.0.0.1:8700", KEY), ("http://127.9.9.9", KEY),
        ("http://localhost:8700", KEY), ("http://LOCALHOST.", KEY), ("http://api.localhost", KEY),
        ("http://[::1]:8700", KEY), ("http://umbel.example", ""),
    ],
)  # fmt: skip
def test_a_key_that_stays_here_or_is_hidden_is_not(url, key):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        umbel.Client(url, key).close()
        asyncio.run(umbel.AsyncClient(url, key).close())


def test_a_service_that_is_away_is_no_fault():
    found, _ = lead(
        core_of(retries=0).sending(talks.read_run("run_a1")), [problem(503, "x", retry_after="soon")]
    )
    assert isinstance(found, Unavailable)
    assert found.retry_after is None
