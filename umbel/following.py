"""What happens to a run, a turn or a conversation, as it happens: an id in; how it stands, then each change, out.

It looks at the store itself, through the one hub of this process, and ends when what is followed has ended. Whatever
was missed (Redis was away, entries were trimmed) is made good by telling anew how it stands.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from actions.errors import StoreUnavailable, UnknownConversation, UnknownRecord
from actions.messages import TERMINAL, TERMINAL_TURN
from orchestrator import ids, reading
from orchestrator.hub import Gap, Hub
from orchestrator.standings import ConversationStanding, RunStanding, Standing, TurnStanding

if TYPE_CHECKING:
    from actions.registry import Registry
    from orchestrator.store.events import Entry
    from orchestrator.store.store import Store

LOOK_S: Final = 5.0
"""Seconds without news after which it is looked at all the same."""
AWAY_S: Final = 60.0
"""Seconds for which Redis may be away without an end of the following."""
_FIX: Final = "Check the id; what has ended is kept for UMBEL_RUN_TTL"


@dataclass(frozen=True, slots=True)
class Change:
    """One change."""

    at: datetime
    """When, by Redis's clock."""
    what: dict[str, Any]
    """`{"run", "status", "attempt", "why"?, "worker"?}`, `{"turn", "status", "round"?}` or `{"state"}`."""


@asynccontextmanager
async def following(
    given: str, store: Store, registry: Registry
) -> AsyncIterator[AsyncGenerator[Standing | Change, None]]:
    """Follow what this id names: first how it stands, then its changes, until it has ended.

    A conversation ends when it is completed or removed; then it is told once more how it stands, if it still does.

    Raises:
        InvalidId: it begins with none of `run_`, `turn_`, `conv_`.
        UnknownRecord, UnknownConversation: there is no such record (any more).
        StoreUnavailable: Redis was away at the beginning, or for a minute.
    """
    stream = await _stream(given, store, registry)
    hub = Hub(store)
    try:
        async with aclosing(_follow(given, stream, hub, store, registry)) as events:
            yield events
    finally:
        await hub.close()


async def _stream(given: str, store: Store, registry: Registry) -> str:
    """The stream in which it is told of."""
    match ids.kind(given):
        case "conv":
            return given
        case "turn":
            told = await reading.read(given, store, registry)
            return told.conversation if isinstance(told, TurnStanding) else given
        case "run":
            if stream := await store.events.watch(given):
                return stream
            raise UnknownRecord(f"there is no run {given}", fix=_FIX)


async def _follow(
    given: str, stream: str, hub: Hub, store: Store, registry: Registry
) -> AsyncGenerator[Standing | Change, None]:
    """Subscribe before the first look, so that nothing falls between; what the look shows is not told twice."""
    seen: dict[str, _Mark] = {}
    heard = time.monotonic()
    async with hub.subscribe(stream, now=True) as events:
        while (got := await events.take(LOOK_S)) is not None:
            entries = [] if isinstance(got, Gap) else got
            fresh = list(_changes(entries, given, seen))
            for change in fresh:
                yield change
            if entries and not any(_may_end(change.what, given) for change in fresh):
                continue
            # How it stands: at first, where something may be missing, when it may have ended, and now and then: nobody
            # tells of what is removed.
            try:
                told = await reading.read(given, store, registry)
            except (UnknownRecord, UnknownConversation):
                if not seen:
                    raise
                return
            except StoreUnavailable:
                if not seen or time.monotonic() > heard + AWAY_S:
                    raise
                continue
            heard = time.monotonic()
            is_over = has_ended(told)
            if is_over or isinstance(got, Gap):
                yield told
            if is_over:
                return
            seen |= _marks(told)


def _changes(entries: list[Entry], given: str, seen: dict[str, _Mark]) -> Iterator[Change]:
    """Those changes of these entries that are of what is followed, and news."""
    for entry in entries:
        at = datetime.fromtimestamp(entry.at_ms / 1_000, UTC)
        for change in entry.changes:
            if _is_of(change, given) and _is_news(change, seen):
                yield Change(at, change)


def has_ended(told: Standing) -> bool:
    """Whether nothing more happens to it: of a conversation, whether it is completed."""
    match told:
        case RunStanding():
            return told.status in TERMINAL
        case TurnStanding():
            return told.status in TERMINAL_TURN
        case ConversationStanding():
            return told.status == "completed" and told.live_turn is None


_Mark = tuple[str, str | None]
"""A status, and why it waits if it does."""
_WAITING: Final = frozenset({"ready", "waiting", "blocked"})


def _marks(told: Standing) -> dict[str, _Mark]:
    """What is known by now, of each id."""
    match told:
        case RunStanding():
            return {told.run: (told.status, told.why if told.status in _WAITING else None)}
        case TurnStanding():
            found: dict[str, _Mark] = {told.turn: (told.status, None)}
            for run in (*told.runs, *told.aside):
                found |= _marks(run)
            return found
        case ConversationStanding():
            live = {} if told.live_turn is None else _marks(told.live_turn)
            return {told.conversation: (told.status, None)} | live


def _is_news(change: Mapping[str, Any], seen: dict[str, _Mark]) -> bool:
    """Whether this differs from what was told of the same id before; it is remembered."""
    name = change.get("run") or change.get("turn")
    if name is None:
        return True
    mark = (str(change["status"]), change.get("why"))
    known = seen.get(name) == mark
    seen[name] = mark
    return not known or "round" in change


def _is_of(change: Mapping[str, Any], given: str) -> bool:
    """Whether a change is one of what is followed: runs of a turn begin with its id."""
    if given.startswith("conv_"):
        return True
    if given.startswith("turn_"):
        return change.get("turn") == given or str(change.get("run", "")).startswith(
            f"run_{given.removeprefix('turn_')}."
        )
    return change.get("run") == given


def _may_end(change: Mapping[str, Any], given: str) -> bool:
    """Whether what is followed may have ended with this."""
    if given.startswith("run_"):
        return change.get("status") in TERMINAL
    return "turn" in change and change.get("status") in TERMINAL_TURN
