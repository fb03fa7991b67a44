"""Runs in a list, the newest first: a filter in, a page of standings and where the next one begins out.

A page looks at 2,000 runs at most, so that no question costs more than that: it may hold fewer than were asked for, or
none, and still have a next one. A cursor names a place in the list and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from actions.errors import DeclarationError, InvalidCursor, UnreadableRecord
from actions.messages import Payload, Status
from orchestrator import cursors
from orchestrator.reading import standing
from orchestrator.store.keys import base_queue
from orchestrator.store.listing import Place, place
from orchestrator.store.runs import LONG

if TYPE_CHECKING:
    from actions.registry import Registry
    from orchestrator.standings import RunStanding
    from orchestrator.store.records import Glance
    from orchestrator.store.store import Store

_LOOKS: Final = 2_000
_PAGE: Final = 250
MOST: Final = 500
"""Runs of one page."""
_KIND: Final = "runs"
"""Of this list's cursors."""


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs are meant; what is not given does not narrow them."""

    status: Collection[str] = ()
    """One of these statuses."""
    action: str = ""
    """The action, by its name or a simile."""
    conversation: str = ""
    """Of this conversation."""
    queue: str = ""
    """Of this queue."""
    principal: str = ""
    """On behalf of this principal."""
    since: datetime | None = None
    """Recorded then or later."""
    before: datetime | None = None
    """Recorded earlier than this."""

    def __post_init__(self) -> None:
        """Find a slip of the pen here: it would mean other runs than were meant."""
        if strange := set(self.status) - set(Status):
            raise DeclarationError(
                f"status: one or more of {', '.join(Status)}, not {', '.join(sorted(strange))[:80]}"
            )
        for at in (self.since, self.before):
            if at is not None and at.tzinfo is None:
                raise DeclarationError(f"a time needs a time zone: {at.isoformat()} has none")


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some runs of the list."""

    runs: tuple[RunStanding, ...]
    """How they stand, the newest first."""
    next: str
    """The cursor of the next page; empty: this is the last one."""


async def list_runs(
    store: Store,
    registry: Registry,
    tenant: str | None,
    which: RunFilter,
    *,
    limit: int = 50,
    cursor: str = "",
) -> RunPage:
    """The newest runs that are meant, at most `limit` of them.

    Args:
        store: where they are.
        registry: the actions, whose arguments are shown as they say.
        tenant: whose runs; None: everybody's, for operators.
        which: which of them.
        limit: how many, 500 at most.
        cursor: where the page begins, as the page before it says; empty: at the newest.

    Raises:
        InvalidCursor: it is none that a page of this tenant named.
    """
    tenants = await store.listing.tenants() if tenant is None else [tenant]
    at = _read_cursor(cursor, tenant) if cursor else None
    wanted, looked = max(1, min(limit, MOST)), 0
    matches = _matcher(which, registry)
    found: dict[str, int] = {}  # the runs that are meant, and how long their results are
    is_last = False
    while looked < _LOOKS and len(found) < wanted and not is_last:
        listed = await store.listing.newest(tenants, at, _PAGE)
        is_last = len(listed) < _PAGE
        glances = await store.runs.glance(
            [run for _, run in listed], payloads=bool(which.action or which.principal)
        )
        for (here, run), glance in zip(listed, glances, strict=True):
            if len(found) == wanted:
                is_last = False
                break
            at, looked = here, looked + 1
            if glance is not None and matches(glance):
                found.setdefault(run, glance.result_bytes)
    long = {run for run, size in found.items() if size > LONG}
    views = await store.runs.read_all(list(found), without_results=long)
    runs = (standing(view, registry) for view in views if view)
    return RunPage(tuple(runs), "" if is_last or at is None else _write_cursor(at))


def _matcher(which: RunFilter, registry: Registry) -> Callable[[Glance], bool]:
    action = which.action
    if action and action in registry:
        action = registry.resolve(action).name
    since, before = _us(which.since), _us(which.before)

    def matches(run: Glance) -> bool:
        created = run.created_us or 0
        return (
            (not which.status or run.status in which.status)
            and (not which.conversation or run.conversation == which.conversation)
            and (not which.queue or base_queue(run.lane) == which.queue)
            and (since is None or created >= since)
            and (before is None or created < before)
            and (not (action or which.principal) or is_asked_for(run))
        )

    def is_asked_for(run: Glance) -> bool:
        try:
            payload = Payload.decode(run.payload or "")
        except UnreadableRecord:
            return False
        return (not action or payload.action == action) and (
            not which.principal or payload.principal == which.principal
        )

    return matches


def _us(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1e6)


def _write_cursor(at: Place) -> str:
    return cursors.encode(_KIND, at.entry, at.tenant, at.at)


def _read_cursor(cursor: str, tenant: str | None) -> Place:
    """The place that a cursor names; it has to be in the list of this tenant (None: of any).

    Raises:
        InvalidCursor: it is none.
    """
    entry, whose, at = cursors.decode(_KIND, cursor, str, str, int)
    with suppress(ValueError):
        if tenant in {None, whose}:
            return place(str(entry), str(whose), int(at))
    raise InvalidCursor("the cursor names no place in this list", fix="Take `next` of the page before, whole")
