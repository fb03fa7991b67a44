"""Events come in order, each once, however often the connection is lost; what ends for good is an error, or the end."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.errors import InvalidId
from client_under_test import AT_ONCE, NOW, Clock, Service, core_of, problem, run_standing, value
from orchestrator.clients.errors import NotFound, ServerFault, Unauthorised, Unavailable, Unreachable
from orchestrator.clients.events import (
    Changes,
    OtherChange,
    RunChange,
    StateChange,
    StreamEnd,
    StreamReset,
    TurnChange,
)
from orchestrator.clients.following import PATIENCE, Following
from orchestrator.standings import ConversationStanding, RunStanding

STREAM = {"content-type": "text/event-stream; charset=utf-8"}
CONVERSATION = {
    "conversation": "conv_a1", "status": "live", "state": None, "machine": None, "principal": None,
    "tenant": "", "revision": 3, "live_turn": None, "queued": [],
}  # fmt: skip


def sent(event: str, data: Any, id: str = "") -> bytes:  # noqa: A002 - the field's word
    lines = [f"id: {id}"] if id else []
    return "\n".join([*lines, f"event: {event}", f"data: {json.dumps(data)}", "", ""]).encode()


def step(n: int, status: str = "running") -> bytes:
    """The n-th entry of a stream."""
    change = {"run": "run_a1", "status": status, "attempt": n}
    return sent("changes", {"at": 1_700_000_000_000 + n, "changes": [change]}, f"{n}-0")


OVER = {"run": "run_a1", "status": "succeeded"}
END = step(4, "succeeded") + sent("end", OVER, "4-1")


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The bytes of one connection, and how it ends: by itself, or broken off."""

    def __init__(self, *pieces: bytes, lost: bool = False) -> None:
        self._pieces = pieces
        self._lost = lost

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        if self._lost:
            raise httpx.ReadError("reset")
        assert not any(b"event: end" in piece for piece in self._pieces), "nothing is read behind the end"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


class Streams:
    """A service that serves these connections, one after another."""

    def __init__(self, *answers: Body | httpx.Response | Exception) -> None:
        self._answers = answers
        self.heard: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.heard.append(request)
        answer = self._answers[min(len(self.heard), len(self._answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Body):
            return httpx.Response(200, headers=STREAM, stream=answer)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @property
    def asked_after(self) -> list[str | None]:
        return [each.headers.get("last-event-id") for each in self.heard]


async def told(streams: Streams, kind: str, id: str = "run_a1", **options: Any) -> list[Any]:  # noqa: A002
    """All events that a client tells."""
    transport: Any = httpx.MockTransport(streams)
    service = Service(httpx.Response(200))
    client = getattr(service, kind)()
    client._http._transport = transport
    return await value(client.events(id, **options))


both = pytest.mark.parametrize("kind", ["client", "async_client"])


@both
async def test_events_have_types_and_end_with_the_run(kind):
    changes = [
        {"run": "run_a1", "status": "waiting", "attempt": 1, "why": "backoff", "worker": "one", "new": 1},
        {"turn": "turn_a1", "status": "injected", "into": "turn_a2"},
        {"state": "OPEN"},
        {"participant": "Ada"},
    ]
    streams = Streams(
        Body(b": \n\n", sent("changes", {"at": 1_700_000_000_000, "changes": changes}, "1-0"), END)
    )
    first, last, end = await told(streams, kind)
    assert first == Changes(
        "1-0",
        datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        (
            RunChange("run_a1", "waiting", 1, "backoff", "one"),
            TurnChange("turn_a1", "injected", "turn_a2"),
            StateChange("OPEN"),
            OtherChange({"participant": "Ada"}),
        ),
    )
    assert last.changes == (RunChange("run_a1", "succeeded", 4),)
    assert end == StreamEnd("4-1", "succeeded")
    (request,) = streams.heard
    assert (request.method, request.url.path) == ("GET", "/v1/runs/run_a1/events")
    assert request.headers["accept"] == "text/event-stream"
    assert "last-event-id" not in request.headers


@both
async def test_a_lost_connection_is_taken_up_after_the_last_whole_event(kind):
    streams = Streams(
        Body(step(1), step(2)[:20], lost=True),
        httpx.ConnectError("refused"),
        Body(step(2), lost=True),
        Body(),  # the service ends it by itself: it restarts
        problem(503, "draining", retry_after=0),
        problem(429, "too_many_streams", retry_after=0),
        Body(step(3) + END),
    )
    found = await told(streams, kind)
    assert [each.id for each in found] == ["1-0", "2-0", "3-0", "4-0", "4-1"]
    assert streams.asked_after == [None, "1-0", "1-0", "2-0", "2-0", "2-0", "2-0"]


@both
async def test_what_was_told_before_is_not_told_again(kind):
    streams = Streams(Body(step(1), step(2), lost=True), Body(step(1), step(2), step(3), END))
    assert [each.id for each in await told(streams, kind)] == ["1-0", "2-0", "3-0", "4-0", "4-1"]


@both
async def test_an_end_that_was_missed_is_an_end_all_the_same(kind):
    streams = Streams(Body(step(4, "succeeded"), lost=True), httpx.Response(204))
    assert [each.id for each in await told(streams, kind)] == ["4-0"]


@both
async def test_a_place_that_comes_with_a_heartbeat_is_kept(kind):
    streams = Streams(Body(step(1), b"id: 9-0\n\n", lost=True), Body(sent("end", OVER, "10-0")))
    assert [each.id for each in await told(streams, kind)] == ["1-0", "10-0"]
    assert streams.asked_after == [None, "9-0"]


@both
async def test_a_reset_brings_how_things_stand_and_the_stream_goes_on_behind_it(kind):
    anew = {"reason": "trimmed", "snapshot": run_standing(status="running")}
    streams = Streams(Body(sent("reset", anew, "7-0"), lost=True), Body(step(8), sent("end", OVER, "8-1")))
    reset, *rest = await told(streams, kind, after="1-0")
    assert isinstance(reset, StreamReset)
    assert isinstance(reset.snapshot, RunStanding)
    assert (reset.reason, reset.snapshot.status) == ("trimmed", "running")
    assert reset.snapshot.since == datetime.fromisoformat(NOW)
    assert [each.id for each in rest] == ["8-0", "8-1"]
    assert streams.asked_after == ["1-0", "7-0"]


@both
async def test_a_reset_may_lead_back(kind):
    anew = {"reason": "unknown", "snapshot": run_standing()}
    streams = Streams(Body(step(9), sent("reset", anew, "2-0"), step(3), END))
    assert [each.id for each in await told(streams, kind)] == ["9-0", "2-0", "3-0", "4-0", "4-1"]


@both
async def test_the_snapshot_of_a_conversation_is_a_conversation(kind):
    streams = Streams(
        Body(sent("reset", {"reason": "now", "snapshot": CONVERSATION}, "7-0")),
        problem(404, "unknown_conversation"),
    )
    transport: Any = httpx.MockTransport(streams)
    client = getattr(Service(httpx.Response(200)), kind)()
    client._http._transport = transport
    events = client.events("conv_a1", from_now=True)
    reset = next(events) if kind == "client" else await anext(events)
    assert isinstance(reset.snapshot, ConversationStanding)
    with pytest.raises(NotFound):
        next(events) if kind == "client" else await anext(events)
    assert [str(each.url.query, "ascii") for each in streams.heard] == ["from=now", ""]


@both
async def test_a_stream_that_is_left_gives_its_connection_back(kind):
    streams = Streams(Body(step(1), step(2), END))
    transport: Any = httpx.MockTransport(streams)
    client = getattr(Service(httpx.Response(200)), kind)()
    client._http._transport = transport
    events = client.events("run_a1")
    if kind == "client":
        assert next(events).id == "1-0"
        events.close()
        assert list(events) == []
    else:
        assert (await anext(events)).id == "1-0"
        await events.aclose()
        assert [each async for each in events] == []
    assert len(streams.heard) == 1


@both
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (problem(401, "unauthorised"), Unauthorised),
        (problem(404, "unknown_record"), NotFound),
        (problem(500, "internal"), ServerFault),
        (httpx.Response(200, content=b"{}"), ServerFault),
        (Body(sent("changes", [1], "1-0")), ServerFault),
        (Body(sent("changes", {"at": 2**60, "changes": []}, "1-0")), ServerFault),
        (Body(b"event: reset\ndata: {\n\n"), ServerFault),
    ],
)
async def test_what_is_no_stream_of_ours_is_an_error_at_once(kind, answer, error):
    streams = Streams(answer)
    with pytest.raises(error):
        await told(streams, kind)
    assert len(streams.heard) == 1


@both
async def test_a_client_waits_as_long_as_it_is_told_before_it_comes_again(kind, monkeypatch):
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(time, "sleep", waited.append)
    streams = Streams(Body(step(1), lost=True), problem(503, "draining", retry_after=7), Body(END))
    await told(streams, kind)
    assert [each for each in waited if each] == [7.0]
    waited.clear()
    service = Service(
        problem(503, "store_unavailable", retry_after=2), httpx.Response(200, json=run_standing())
    )
    await value(getattr(service, kind)().run("run_a1"))
    assert waited == [2.0]


def test_a_service_that_stays_away_is_an_error_in_time_and_the_waits_grow():
    clock = Clock()
    following = Following(core_of(clock, draw=1.0), "run_a1", "", from_now=False)
    pauses: list[float] = []
    with pytest.raises(Unreachable, match="refused"):  # noqa: PT012 - which of them raises is the point
        while True:
            pauses.append(following.dropped(httpx.ConnectError("refused")))
            clock.now += pauses[-1]
    assert pauses[:6] == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0]
    assert PATIENCE - 8 <= sum(pauses) <= PATIENCE


def test_whoever_hears_something_is_patient_anew():
    clock = Clock()
    following = Following(core_of(clock, draw=1.0), "run_a1", "", from_now=False)
    for _ in range(50):
        clock.now += following.dropped(None)
        clock.now += 30
        assert following.opened(httpx.Response(200, headers=STREAM))
        following.feed(b": \n\n")
    assert following.goes_on()


def test_a_service_that_refuses_for_too_long_is_an_error_of_its_kind():
    clock = Clock()
    following = Following(core_of(clock), "run_a1", "", from_now=False)
    assert not following.opened(problem(503, "draining", retry_after=0))
    clock.now += PATIENCE + 1
    with pytest.raises(Unavailable) as caught:
        following.dropped()
    assert caught.value.code == "draining"


@pytest.mark.parametrize("id", ["turn_a1", "", "x", None])
def test_only_conversations_and_runs_have_events(id):  # noqa: A002 - the field's word
    with pytest.raises(InvalidId):
        Service(httpx.Response(200)).client(retries=AT_ONCE).events(id)


@given(st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=12))
def test_wherever_it_breaks_off_all_events_come_once_and_in_order(breaks):
    """A service that keeps all events, and connections that end after so many bytes."""
    entries = {n: step(n) for n in range(1, 9)}
    following = Following(core_of(), "conv_a1", "", from_now=False)
    found: list[str] = []
    for length, replays in [*breaks, (10_000, False)]:
        asked = following.request().headers.get("last-event-id", "0-0")
        after = int(asked.partition("-")[0]) - (1 if replays else 0)
        data = b"".join(each for n, each in entries.items() if n > after)[:length]
        assert following.opened(httpx.Response(200, headers=STREAM))
        for at in range(0, len(data), 7):
            found += [event.id for event in following.feed(data[at : at + 7])]
        following.dropped(httpx.ReadError("reset"))
    assert found == [f"{n}-0" for n in entries]
