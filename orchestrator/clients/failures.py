"""What a client asks for about what failed for good: the dead, undos that failed. Each function makes one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from orchestrator.clients.paging import Paging
from orchestrator.clients.paths import OfRun, checked, id_of, path
from orchestrator.clients.requests import Request, body, query, reads, reads_nothing
from orchestrator.wire import Dead, DeadCall, DoneDeads, StuckCall, Undos, Verdict

if TYPE_CHECKING:
    from orchestrator.resting import Ending


_PAGE: Final = 200
"""Entries of one page."""


def dead(
    *,
    status: Ending | Sequence[Ending] = (),
    action: str | Sequence[str] = (),
    since: datetime | None = None,
    before: datetime | None = None,
    error: str = "",
    limit: int | None = None,
) -> Paging[DeadCall]:
    """What ended dead, failed or timed out and was neither replayed nor discarded, oldest first.

    Args:
        status: only what ended so, or in one of these ways.
        action: only this action, or these.
        since: only what ended then or later.
        before: only what ended earlier than this.
        error: only where this stands in the text of the error, or is its code.
        limit: at most so many; None: all.
    """
    params = query(status=status, action=action, since=since, before=before, error=error, limit=_PAGE)
    return Paging(Request("GET", path("dead"), reads(Dead), params), lambda page: page.dead, limit)


def dead_one(run: str | OfRun) -> Request[DeadCall]:
    """One of the dead.

    Raises:
        NotFound: there is no such run, or it is none of the dead.
    """
    return Request("GET", _one(run), reads(DeadCall))


def edit_dead(run: str | OfRun, arguments: Mapping[str, Any], *, merge: bool = False) -> Request[DeadCall]:
    """Give one of the dead other arguments, for its replay; with `merge` those not given stay as they are.

    Raises:
        Invalid: its action does not take them.
    """
    content = body(arguments=dict(arguments), merge=merge or None)
    return Request("PATCH", _one(run), reads(DeadCall), content=content)


def discard(run: str | OfRun) -> Request[None]:
    """Take one of the dead off the list; its record is kept as long as others."""
    return Request("DELETE", _one(run), reads_nothing)


def replay_dead(
    *,
    runs: Sequence[str | OfRun] = (),
    status: Sequence[Ending] = (),
    actions: Sequence[str] = (),
    since: datetime | None = None,
    before: datetime | None = None,
    error: str = "",
    all: bool = False,  # noqa: A002 - the field's word
    new_key: bool = False,
    cursor: str | None = None,
) -> Request[DoneDeads]:
    """Run up to 1,000 of the dead again: those that are named, those that a filter finds, or all.

    Where its answer was lost it is not sent again by itself unless runs are named: it would tell of nothing any more.

    Args:
        runs: these.
        status: those that ended so.
        actions: those of these actions.
        since: those that ended then or later.
        before: those that ended earlier than this.
        error: those in whose error this stands, or whose code it is.
        all: all that there are; nothing else is given then.
        new_key: whether each handler gets a key of its own.
        cursor: `next` of the answer before; the rest is given as it was then.

    Returns:
        For which it is done, each with its new run, and for which not, each with the reason. There may be more if it
        has a `next`: ask the same again with that as the cursor.

    Raises:
        Forbidden: the key has not the scope operate.
    """
    content = _which(runs, status, actions, since, before, error, all=all, new_key=new_key, cursor=cursor)
    return Request("POST", path("dead", "replay"), reads(DoneDeads), content=content, may_repeat=bool(runs))


def discard_dead(
    *,
    runs: Sequence[str | OfRun] = (),
    status: Sequence[Ending] = (),
    actions: Sequence[str] = (),
    since: datetime | None = None,
    before: datetime | None = None,
    error: str = "",
    all: bool = False,  # noqa: A002 - the field's word
    cursor: str | None = None,
) -> Request[DoneDeads]:
    """Take up to 1,000 of the dead off the list; which ones, and how it goes on, is said as for `replay_dead`."""
    content = _which(runs, status, actions, since, before, error, all=all, cursor=cursor)
    return Request("POST", path("dead", "discard"), reads(DoneDeads), content=content, may_repeat=bool(runs))


def undos(*, limit: int | None = None) -> Paging[StuckCall]:
    """The undos that failed for the last time and rest until somebody tries them again, oldest first.

    Args:
        limit: at most so many; None: all.
    """
    first = Request("GET", path("undos"), reads(Undos), query(limit=_PAGE))
    return Paging(first, lambda page: page.undos, limit)


def retry_undo(run: str | OfRun) -> Request[Verdict]:
    """Try a failed undo again.

    Raises:
        Conflict: no undo of this run rests as failed.
    """
    return Request("POST", path("undos", checked(run, "run"), "retry"), reads(Verdict))


def _one(run: str | OfRun) -> str:
    return path("dead", checked(run, "run"))


def _which(
    runs: Sequence[str | OfRun],
    status: Sequence[str],
    actions: Sequence[str],
    since: datetime | None,
    before: datetime | None,
    error: str,
    *,
    all: bool,  # noqa: A002 - as above
    new_key: bool = False,
    cursor: str | None = None,
) -> bytes:
    named = [id_of(each, "run") for each in runs]
    several = {"runs": named, "status": list(status), "actions": list(actions), "error": error}
    given: dict[str, Any] = {name: value for name, value in several.items() if value}
    return body(**given, since=since, before=before, all=all or None, new_key=new_key or None, cursor=cursor)
