"""The event stream of a run that has ended: a whole text, or the word that there is nothing more to come.

In: the run's record, its stream and where the client had come to. Out: what is behind that, up to the run's end; None
where the client has that already (204, which stops an EventSource). A client that comes again and again gets to None.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from actions.messages import TERMINAL
from orchestrator.api import sse
from orchestrator.api.event_streams import own_changes
from orchestrator.store.events import START, is_id, place

if TYPE_CHECKING:
    from orchestrator.store.events import Entry, Events
    from orchestrator.store.records import RunView

_PAGE: Final = 500


async def told_of(
    events: Events,
    stream: str,
    run: RunView,
    after: str,
    snapshot: Callable[[], Awaitable[bytes]],
    *,
    from_now: bool,
) -> bytes | None:
    """What a client that had come to `after` (empty: nowhere) is told of a run that has ended."""
    after = "" if after == START else after
    # A place behind the end's own, in milliseconds: for who is told of it by no entry.
    over = f"{run.since_us // 1000 + 1}-0"
    if from_now and not after:
        return _shown("now", await snapshot(), run, over)
    entries, missing = await _behind(events, stream, after or START)
    if missing:
        # An id that never was, however late, has heard nothing.
        has_heard = is_id(after) and place(after) == place(over)
        return None if has_heard else _shown(missing, await snapshot(), run, over)
    pieces = [sse.retry()]
    for entry in entries:
        if not (own := own_changes(entry, run.id)):
            continue
        pieces.append(sse.some_changes(entry, own))
        if own[-1]["status"] in TERMINAL:
            return b"".join([*pieces, sse.end(run.id, run.status, entry.id)])
    # Without an id: it ended before anybody watched it, or its conversation went first.
    return None if after else _shown("trimmed", await snapshot(), run, over)


def _shown(reason: str, snapshot: bytes, run: RunView, id: str) -> bytes:  # noqa: A002
    """How it stands, and that this is all."""
    return sse.retry() + sse.reset(reason, snapshot, id) + sse.end(run.id, run.status, id)


async def _behind(events: Events, stream: str, after: str) -> tuple[list[Entry], str]:
    """All entries behind an id, and why some may be missing before them."""
    page = await events.page(stream, after, count=_PAGE)
    entries = page.entries
    while len(page.entries) == _PAGE:
        page = await events.page(stream, page.last, count=_PAGE)
        entries = [*entries, *page.entries]
    return entries, page.missing
