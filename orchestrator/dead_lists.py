"""What rests until somebody gives it a second chance, as lists: which are meant in, how they ended and why out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.dead_calls import DeadCall, StuckCall, Which, dead_call, is_house, place_of, stuck_call

if TYPE_CHECKING:
    from actions.registry import Registry
    from orchestrator.store.places import Place
    from orchestrator.store.store import Store

_MOST: Final = 10_000
"""The store's index holds no more."""
_WHOLE: Final = 100
"""Records that are read whole at a time: what some hold is long."""


class DeadLists:
    """Lists the dead, and undos that failed."""

    _registry: Registry
    _store: Store

    async def dead(self, which: Which | None = None, *, limit: int | None = None) -> list[DeadCall]:
        """The dead that match, oldest first; all of them if no limit is given."""
        wanted = which or Which()
        most = limit if limit is not None and wanted.is_plain else _MOST
        records = await self._store.dead.list(wanted.status, wanted.after_us, wanted.before_us, most)
        calls = (dead_call(each, self._registry) for each in records)
        return [call for call in calls if wanted.matches(call) and not is_house(call.action)][:limit]

    async def dead_page(
        self, which: Which, *, limit: int, after: Place | None = None
    ) -> tuple[list[DeadCall], Place | None]:
        """At most so many of the dead that match, oldest first, and behind which place to ask for more; None: nowhere.

        It looks at some thousand at most, and stops behind 4 MiB of long ones, so a page may hold fewer than
        `limit`, or none, and have a next one.
        """
        places, rest = await self._store.dead.sift(
            which.status, which.tenant, which.after_us, which.before_us, after
        )
        found: list[DeadCall] = []
        at = 0
        while at < len(places):
            runs = [run for _, run in places[at : at + _WHOLE]]
            at += (fitting := await self._store.dead.fitting(runs))
            for record in await self._store.dead.read(runs[:fitting]):
                if record is None:  # gone meanwhile
                    continue
                call = dead_call(record, self._registry)
                if which.matches(call) and not is_house(call.action):
                    found.append(call)
                    if len(found) == limit:
                        return found, place_of(call)
            if fitting < len(runs):  # as much as a page may hold
                return found, places[at - 1]
        return found, rest

    async def stuck_undos(self, *, limit: int = 100) -> list[StuckCall]:
        """The undos that failed for the last time and rest until somebody tries them again, at most so many."""
        return [stuck_call(each, self._registry) for each in await self._store.undos.stuck(limit)]

    async def stuck_page(
        self, tenant: str, *, limit: int, after: Place | None = None
    ) -> tuple[list[StuckCall], Place | None]:
        """Those of a tenant, oldest first, and behind which place to ask for more, as for `dead_page`."""
        found, rest = await self._store.undos.page(limit, tenant=tenant, after=after)
        return [stuck_call(each, self._registry) for each in found], rest
