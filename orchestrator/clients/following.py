"""One who listens to events: pieces of a stream in, typed events out, over as many connections as it takes.

Each new connection begins after the last event that was told, so that none is left out and none comes twice. Like the
rest of the core it does no I/O: the shells open connections, feed what came, and wait as long as they are told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from pydantic import Field

from actions.errors import InvalidId
from orchestrator.clients.errors import ApiError, TooManyRequests, Unavailable, Unreachable
from orchestrator.clients.events import (
    Changes,
    Event,
    OtherChange,
    RunChange,
    StateChange,
    StreamEnd,
    StreamReset,
    TurnChange,
)
from orchestrator.clients.paths import OfConversation, OfRun, path, placed
from orchestrator.clients.requests import Request, parsed, query, reads_nothing, unreadable
from orchestrator.clients.sse import Message, Reader, TooLong
from orchestrator.standings import ConversationStanding, RunStanding

if TYPE_CHECKING:
    import httpx

    from orchestrator.clients.core import Core

SILENCE: Final = 45.0
"""Seconds without a byte after which a connection is taken for dead: the service's heartbeat comes each 15 s."""
PATIENCE: Final = 60.0
"""Seconds for which a stream may be away altogether before that is an error."""
_NO_CONTENT: Final = 204
_LONGEST_PLACE: Final = 200
"""Characters of an event's id."""
_PLACE: Final = re.compile(r"(\d{1,20})-(\d{1,20})")


_Told = Annotated[RunChange | TurnChange | StateChange | dict[str, Any], Field(union_mode="left_to_right")]


@dataclass(frozen=True, slots=True)
class _Step:
    at: Annotated[int, Field(ge=0, lt=2**47)]
    changes: tuple[_Told, ...]


@dataclass(frozen=True, slots=True)
class _End:
    status: str


@dataclass(frozen=True, slots=True)
class _RunAnew:
    reason: str
    snapshot: RunStanding


@dataclass(frozen=True, slots=True)
class _ConversationAnew:
    reason: str
    snapshot: ConversationStanding


class Following:
    """One who listens to a stream; tell it what came, and when the connection was lost."""

    STREAM: ClassVar[int] = 200
    """The status of an answer that is a stream; the body of any other one is read before it is shown to `opened`."""

    def __init__(
        self,
        core: Core,
        id: str | OfRun | OfConversation,  # noqa: A002 - any id's
        after: str,
        *,
        from_now: bool,
    ) -> None:
        """Listen to a conversation or a run, from after an event, from now, or from the oldest that is kept.

        Raises:
            InvalidId: this is neither, or `after` is the id of no event.
        """
        self._core = core
        where, found = placed(id, "run", "conv")
        if where == "turns":
            raise InvalidId(f"{found[:80]!r} has no events of its own", fix="Its conversation's tell of it")
        if not _can_be_sent(after):
            raise InvalidId(
                f"{after!r:.80} is no id of an event", fix="Give the `id` of the last one that you know"
            )
        self._is_run = where == "runs"
        place = path(where, found, "events")
        self._request: Request[None] = Request("GET", place, reads_nothing, wait_s=SILENCE)
        self._from_now = from_now
        self._last = after
        self._reader = Reader()
        self._answer: httpx.Response | None = None
        self._heard_at = core.clock()
        self._failed = 0
        self._error: ApiError | None = None
        self._is_over = False

    def goes_on(self) -> bool:
        """Whether more is to come."""
        return not self._is_over

    def request(self) -> Request[None]:
        """What opens the next connection."""
        headers = {"accept": "text/event-stream", "accept-encoding": "identity"}
        if self._last:
            return replace(self._request, headers=headers | {"last-event-id": self._last})
        return replace(self._request, headers=headers, params=query(from_="now" if self._from_now else None))

    def opened(self, answer: httpx.Response) -> bool:
        """Hear how the service answered; whether there is a stream to be read. Any other answer is read already.

        Raises:
            ApiError: this stream is not to be had, whoever asks again.
        """
        self._answer, self._reader, self._error = answer, Reader(), None
        if answer.status_code == _NO_CONTENT:
            self._is_over = True
        elif (error := self._core.refusal(answer) if not answer.is_success else None) is not None:
            if not isinstance(error, (Unavailable, TooManyRequests)):
                raise error
            self._error = error
        elif not answer.headers.get("content-type", "").startswith("text/event-stream"):
            raise unreadable(answer, "a stream of events")
        else:
            return True
        return False

    def feed(self, piece: bytes) -> list[Event]:
        """The events that end in this piece.

        Raises:
            ApiError: this is no stream of ours.
        """
        self._heard_at, self._failed = self._core.clock(), 0
        try:
            messages = self._reader.feed(piece)
        except TooLong as error:
            raise unreadable(self._given, str(error)) from None
        if not all(_can_be_sent(each) for each in (self._reader.id, *(message.id for message in messages))):
            raise unreadable(self._given, "ids of events")
        found: list[Event] = []
        for message in messages:
            event = None if self._is_over else self._event(message)
            if event is not None:
                self._last = event.id or self._last
                self._is_over = isinstance(event, StreamEnd)
                found.append(event)
        if (place := self._reader.id) and _is_later(place, self._last):
            self._last = place  # with a heartbeat: what stands before it is nothing of ours
        return found

    def dropped(self, error: Exception | None = None) -> float:
        """Hear that the connection is over, and why; how many seconds to wait before the next.

        Raises:
            ApiError: there was none for too long.
        """
        if self._is_over:
            return 0.0
        if error is not None:
            self._error = self._core.refusal(error)
        self._failed += 1
        pause = self._core.pause(self._failed, self._error)
        if self._core.clock() + pause - self._heard_at > PATIENCE:
            raise self._error or Unreachable(f"{self._core.base_url} ends each stream before it has begun")
        return pause

    @property
    def _given(self) -> httpx.Response:
        if self._answer is None:
            raise RuntimeError("a stream is fed before it was opened")
        return self._answer

    def _event(self, message: Message) -> Event | None:
        match message.event:
            case "changes" if _is_later(message.id, self._last):
                step = parsed(_Step, message.data, self._given)
                at = datetime.fromtimestamp(step.at / 1000, UTC)
                changes = (OtherChange(each) if isinstance(each, dict) else each for each in step.changes)
                return Changes(message.id, at, tuple(changes))
            case "reset":
                anew: type[_RunAnew | _ConversationAnew] = _RunAnew if self._is_run else _ConversationAnew
                told = parsed(anew, message.data, self._given)
                return StreamReset(message.id, told.reason, told.snapshot)
            case "end":
                return StreamEnd(message.id, parsed(_End, message.data, self._given).status)
            case _:
                return None  # it was told before, or is of a kind that newer services tell


def _can_be_sent(place: str) -> bool:
    """Whether an id can be shown to the service again: a header holds nothing else."""
    return len(place) <= _LONGEST_PLACE and place.isascii() and (place.isprintable() or not place)


def _is_later(place: str, last: str) -> bool:
    """Whether an entry stands behind another; what is no place in a stream is taken as it comes."""
    one, other = _PLACE.fullmatch(place), _PLACE.fullmatch(last)
    if one is None or other is None:
        return True
    return (int(one[1]), int(one[2])) > (int(other[1]), int(other[2]))
