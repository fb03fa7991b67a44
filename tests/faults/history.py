"""What handlers did, told by themselves: notes of each start and end on a stream that the product knows nothing of.

Handlers write with `noted`; whoever judges reads with `read`. The stream is on a server that no fault touches, so its
order is the order of what happened, and its ids are times of that machine's clock.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import redis

from actions.errors import TryAgain

if TYPE_CHECKING:
    from actions.context import ActionContext

WHERE: Final = "UMBEL_TEST_HISTORY"
"""The environment variable that names the server of the history."""
NAMESPACE: Final = "UMBEL_NAMESPACE"
"""Workers of one scenario share it, and so their stream."""

KEPT_S: Final = 3_600
"""Seconds that a history is kept after its last note: its server may be one that is used for other things too."""

How = Literal["", "ok", "again", "stopped", "raised"]
"""How a handler ended: it gave a value, asked for another attempt, was cancelled, or raised. Empty at a start."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One note."""

    order: int
    """Its place in the stream."""
    at_ms: int
    """When it was written, by the clock of the history's server."""
    kind: Literal["start", "end"]
    """Whether the handler began or ended."""
    run: str
    """Which run."""
    fence: int
    """The fence of its claim: µs of the clock of the server under test, and unique to a claim."""
    attempt: int
    """Which attempt the handler was told that this is."""
    pid: int
    """The process that ran it."""
    how: How = ""
    """How it ended."""
    locks: tuple[tuple[str, int], ...] = ()
    """Keys of the locks that it believes to hold, each with the number of its places."""
    limits: tuple[tuple[str, int, int], ...] = ()
    """Keys of the limits that it was let through, each with the starts that a window of so many ms allows."""


class _Pen:
    """This process's connection to the history; a fork opens its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = 0
        self._client: redis.Redis | None = None

    def write(self, note: dict[str, Any], *, effect: bool = False) -> None:
        """Append a note; with `effect` leave in the same step what `effect_of` finds."""
        with self._lock:
            stream = key(os.environ[NAMESPACE])
            with self._open().pipeline() as step:
                step.xadd(stream, {"e": json.dumps(note | {"pid": os.getpid()})})
                step.expire(stream, KEPT_S)
                if effect:
                    step.hset(f"{stream}:effects", note["run"], note["fence"])
                    step.expire(f"{stream}:effects", KEPT_S)
                step.execute()

    def look(self, run: str) -> int | None:
        """The fence under which a run took effect."""
        with self._lock:
            found: Any = self._open().hget(f"{key(os.environ[NAMESPACE])}:effects", run)
        return None if found is None else int(found)

    def _open(self) -> redis.Redis:
        if self._client is None or self._pid != os.getpid():
            self._client, self._pid = redis.Redis.from_url(os.environ[WHERE]), os.getpid()
        return self._client


_pen = _Pen()


def key(namespace: str) -> str:
    """The stream of a scenario."""
    return f"history:{namespace}"


@contextmanager
def noted(
    ctx: ActionContext,
    *,
    locks: tuple[tuple[str, int], ...] = (),
    limits: tuple[tuple[str, int, int], ...] = (),
    effect: bool = False,
) -> Iterator[None]:
    """Note the start of a handler, and its end however it ends; a killed one leaves no end.

    With `effect` the start is also what the handler does to the world, for `effect_of` to find.
    """
    note = {"run": ctx.run_id, "fence": ctx.fence, "attempt": ctx.attempt}
    _pen.write(note | {"kind": "start", "locks": locks, "limits": limits}, effect=effect)
    how: How = "raised"
    try:
        yield
        how = "ok"
    except TryAgain:
        how = "again"
        raise
    except asyncio.CancelledError:
        how = "stopped"
        raise
    finally:
        _pen.write(note | {"kind": "end", "how": how})


def effect_of(run: str) -> int | None:
    """The fence under which a run of this process's scenario took effect; None if it did not."""
    return _pen.look(run)


def read(url: str, namespace: str) -> list[Entry]:
    """All notes of a scenario so far, in their order."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        rows: Any = client.xrange(key(namespace))
    return [_entry(order, name, json.loads(fields["e"])) for order, (name, fields) in enumerate(rows)]


def busy(url: str, namespace: str) -> frozenset[int]:
    """The processes in which a handler runs at this moment (or did when they were killed), by the newest notes."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        rows: Any = client.xrevrange(key(namespace), count=500)
    running: dict[tuple[str, int], int] = {}
    for _, fields in reversed(rows):
        note = json.loads(fields["e"])
        if note["kind"] == "start":
            running[note["run"], note["fence"]] = note["pid"]
        else:
            running.pop((note["run"], note["fence"]), None)
    return frozenset(running.values())


def _entry(order: int, name: str, note: dict[str, Any]) -> Entry:
    return Entry(
        order=order,
        at_ms=int(name.partition("-")[0]),
        kind=note["kind"],
        run=note["run"],
        fence=note["fence"],
        attempt=note["attempt"],
        pid=note["pid"],
        how=note.get("how", ""),
        locks=tuple((lock, places) for lock, places in note.get("locks", ())),
        limits=tuple((limit, n, per) for limit, n, per in note.get("limits", ())),
    )
