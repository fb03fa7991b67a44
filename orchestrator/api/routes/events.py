"""What happens to conversations and runs, as Server-Sent Events that a client may leave and come back to.

In: an id, and where the client had come to. Out: everything behind that, once and in order, then what comes; or first a
`reset` with a snapshot, where something may be missing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import Depends, Header, Query, Request, Response

from actions.errors import UnknownConversation, UnknownRecord
from actions.messages import TERMINAL
from orchestrator.api import ownership, sse
from orchestrator.api.auth import Reader
from orchestrator.api.bounds import allow
from orchestrator.api.event_streams import Telling
from orchestrator.api.finished_runs import told_of
from orchestrator.api.guarding import Router
from orchestrator.api.ownership import OwnConversation, OwnRun
from orchestrator.api.problems import Problem
from orchestrator.api.service import service_of
from orchestrator.api.waiting import hub_of
from orchestrator.hub import TooManyStreams

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from orchestrator.hub import Subscription

router = Router(tags=["events"])

_AGAIN_S: Final = "5"
"""Seconds after which there may be room for another stream."""
_ID: Final = "The id of the last message that the client has; what is behind it follows."

_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": (
            "Messages of three kinds. `changes`: `{at, changes}`, all that one step changed, with the id to go on "
            "from. `reset`: `{reason, snapshot}`: forget what you know, this is how it stands, and what follows is "
            "newer; because entries that you have not seen were `trimmed`, because your id is `unknown` here, or "
            "because you asked to begin `now`. `end`: `{run, status}`, of a run's stream. A comment comes each 15 s."
        ),
        "content": {sse.MEDIA_TYPE: {"schema": {"type": "string"}}},
    },
}
_OVER: Final[dict[int | str, dict[str, Any]]] = {
    204: {"description": "The run has ended and the client has heard of it: there is nothing more to come."}
}


async def _after(
    last_event_id: Annotated[str, Header(alias="Last-Event-ID", description=_ID)] = "",
    last_event_id_: Annotated[
        str, Query(alias="last_event_id", description=f"The same, for who cannot set the header. {_ID}")
    ] = "",
) -> str:
    """Where the client had come to. The header is newer: an EventSource comes again to the address it began with."""
    return last_event_id or last_event_id_


After = Annotated[str, Depends(_after)]
From = Annotated[
    Literal["now"] | None,
    Query(alias="from", description="`now`: begin with a snapshot and what is new; without an id only."),
]


@router.get(
    "/v1/conversations/{conversation_id}/events",
    summary="Follow a conversation",
    response_class=sse.EventStream,
    status_code=200,
    responses=_ANSWERS,
)
async def follow_conversation(
    request: Request, _: Reader, found: OwnConversation, after: After, from_: From = None
) -> Response:
    """All that happens in a conversation: its turns, its runs, its state."""

    async def status() -> str:
        caller, house = ownership.caller_of(request), service_of(request).house
        return (await ownership.conversation(house, caller, found.id)).status

    return _stream(request, found.id, found.id, after, from_, status)


@router.get(
    "/v1/runs/{run_id}/events",
    summary="Follow a run",
    response_class=sse.EventStream,
    status_code=200,
    responses=_ANSWERS | _OVER,
)
async def follow_run(
    request: Request, caller: Reader, found: OwnRun, after: After, from_: From = None
) -> Response:
    """All that happens to a run, until it has ended."""
    house = service_of(request).house

    async def status() -> str:
        return (await ownership.run(house, caller, found.id)).status

    stream = await house.store.events.watch(found.id) or found.id
    # Read again: what ends from now on is told in the stream.
    now = await ownership.run(house, caller, found.id)
    if now.status not in TERMINAL:
        return _stream(request, stream, found.id, after, from_, status)
    snapshot = _snapshot(request, found.id)
    told = await told_of(house.store.events, stream, now, after, snapshot, from_now=from_ is not None)
    if told is None:
        return Response(status_code=204)
    return Response(told, headers=sse.HEADERS, media_type=sse.MEDIA_TYPE)


def _stream(
    request: Request,
    stream: str,
    id: str,  # noqa: A002 - a conversation's or a run's
    after: str,
    from_: str | None,
    status: Callable[[], Awaitable[str]],
) -> Response:
    service, caller = service_of(request), ownership.caller_of(request)
    hub = hub_of(request)

    def subscribe() -> Subscription:
        try:
            return hub.subscribe(stream, after, now=from_ is not None and not after)
        except TooManyStreams:
            raise Problem("too_many_streams", headers={"Retry-After": _AGAIN_S}) from None

    async def holds() -> str:
        try:
            return await status()
        except (UnknownConversation, UnknownRecord):
            return ""

    telling = Telling(
        subscribe, run=id if id.startswith("run_") else "", snapshot=_snapshot(request, id), holds=holds
    )

    @asynccontextmanager
    async def opened() -> AsyncIterator[AsyncIterator[bytes]]:
        async with telling.opened() as pieces:
            # Not before: until its first piece is there, a stream is a request like all others.
            allow(request, None)
            service.metrics.streams.inc()
            try:
                with service.key_watch.watching(caller.key_id, telling.end):
                    yield pieces
            finally:
                service.metrics.streams.dec()

    return sse.EventStream(opened())


def _snapshot(request: Request, id: str) -> Callable[[], Any]:  # noqa: A002
    async def snapshot() -> bytes:
        caller, house = ownership.caller_of(request), service_of(request).house
        return ownership.as_json(await ownership.standing(house, caller, id))

    return snapshot
