"""Deeds on many of the dead: names or a filter in, what became of each out.

One that cannot be done holds up no other. There is an end to what one request does, in number and in time; the same
request goes on from where that was, past those for which it could not be done.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from actions.errors import StoreRefused, StoreUnavailable, UnknownAction
from actions.root import UmbelError
from orchestrator import cursors
from orchestrator.api import verdicts
from orchestrator.api.problems import Problem
from orchestrator.dead_calls import STATUSES, Which, place_of
from orchestrator.wire import MOST_RUNS, DoneDead, DoneDeads, FailedDead

if TYPE_CHECKING:
    from orchestrator.assembly import House
    from orchestrator.keyring import Caller
    from orchestrator.wire import ChooseDead, ReplayDead

_TOGETHER: Final = 20
_ENOUGH_S: Final = 2.5
"""Seconds after which no more are begun, so that the answer is there in time."""
_FOUND: Final = "found dead"
_NAMED: Final = "named dead"
"""Kinds of cursors: behind a place of the index, or behind so many of those that are named."""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """One of those that a deed is meant for."""

    run: str
    cursor: str
    """Where it goes on behind this one."""


async def replay(house: House, caller: Caller, asked: ReplayDead) -> DoneDeads:
    """Run each again."""

    async def one(run: str) -> str | None:
        return await verdicts.replay(house, caller, run, new_key=asked.new_key)

    return await _each(house, caller, asked, one)


async def discard(house: House, caller: Caller, asked: ChooseDead) -> DoneDeads:
    """Take each off the list."""

    async def one(run: str) -> str | None:
        await verdicts.discard(house, caller, run)
        return None

    return await _each(house, caller, asked, one)


def which_of(
    house: House,
    caller: Caller,
    status: Collection[str],
    actions: Collection[str],
    since: datetime | None,
    before: datetime | None,
    error: str,
) -> Which:
    """A filter, within the caller's tenant."""

    def registered(name: str) -> str:
        try:
            return house.registry.resolve(name).name
        except UnknownAction:  # it may have been taken out of the code since: its dead are still there
            return name

    return Which(
        status=tuple(status) or STATUSES,
        actions={registered(name) for name in actions},
        since=since,
        before=before,
        error=error,
        tenant=caller.tenant,
    )


async def _each(
    house: House, caller: Caller, asked: ChooseDead, deed: Callable[[str], Awaitable[str | None]]
) -> DoneDeads:
    limit = time.monotonic() + _ENOUGH_S
    chosen, rest = await _chosen(house, caller, asked, limit)
    told: list[DoneDead | FailedDead] = []

    async def one(run: str) -> DoneDead | FailedDead:
        try:
            return DoneDead(run=run, new=await deed(run))
        except (StoreUnavailable, StoreRefused):
            raise
        except Problem as error:
            return FailedDead(run=run, code=error.code, detail=str(error.detail))
        except UmbelError as error:
            return FailedDead(run=run, code=error.code, detail=" ".join(str(error).split())[:500])

    for at in range(0, len(chosen), _TOGETHER):
        if at and time.monotonic() > limit:  # some are begun in any case, or nobody would ever come further
            rest = chosen[at - 1].cursor
            break
        told += await asyncio.gather(*(one(each.run) for each in chosen[at : at + _TOGETHER]))
    return DoneDeads(
        done=tuple(each for each in told if isinstance(each, DoneDead)),
        failed=tuple(each for each in told if isinstance(each, FailedDead)),
        next=rest,
    )


async def _chosen(
    house: House, caller: Caller, asked: ChooseDead, limit: float
) -> tuple[list[_Chosen], str | None]:
    """Those that are meant, each once, and where there may be more of them."""
    if asked.runs is not None:
        named = dict.fromkeys(asked.runs)
        first = int(cursors.decode(_NAMED, asked.cursor, int)[0]) if asked.cursor else 0
        places = [_Chosen(run, cursors.encode(_NAMED, at)) for at, run in enumerate(named, 1)]
        return places[first:], None
    which = which_of(
        house, caller, asked.status or (), asked.actions or (), asked.since, asked.before, asked.error or ""
    )
    found: list[_Chosen] = []
    after = cursors.decode_place(_FOUND, asked.cursor)
    while True:
        calls, after = await house.conductor.dead_page(which, limit=MOST_RUNS - len(found), after=after)
        found += [_Chosen(call.run, cursors.encode(_FOUND, *place_of(call))) for call in calls]
        if after is None or len(found) == MOST_RUNS or time.monotonic() > limit:
            return found, cursors.encode_place(_FOUND, after)
