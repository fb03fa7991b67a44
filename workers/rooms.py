"""What a pump may still take: its places on the loop, in threads and in processes of their own, and who fills them.

In: what is in flight. Out: lanes with room for the next claim, and the tenants' shares. Isolated runs have a lane
only where some action of the queue is isolated: a lane costs the store a look at each claim.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.store.keys import ISOLATED, THREADS, lane
from orchestrator.store.rows import shares

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from orchestrator.settings import Settings
    from workers.execution import Execution
    from workers.flights import Flights

BATCH: Final = 64
"""Runs that one claim takes at most; the figure that the store's scripts were measured with."""


class Rooms:
    """The places of one pump."""

    def __init__(
        self,
        settings: Settings,
        execution: Execution,
        flights: Flights,
        queues: Sequence[str],
        isolated: Collection[str],
    ) -> None:
        """Share these places among `queues`; those of `isolated` have isolated actions."""
        self._execution = execution
        self._flights = flights
        self._percent = settings.tenant_share
        self._queues = tuple(queues)
        self._isolated = frozenset(isolated).intersection(queues)
        self._places = {"": settings.room, THREADS: settings.threads}
        if self._isolated:
            self._places[ISOLATED] = settings.isolated

    def free(self, *, alone: bool) -> dict[str, int]:
        """How many more runs may start in each kind of place; none beside one that has to be `alone`."""
        if alone and self._flights:
            return dict.fromkeys(self._places, 0)
        taken = self._flights.places.taken
        room = {kind: min(BATCH, places - taken(kind)) for kind, places in self._places.items()}
        room[THREADS] = min(room[THREADS], self._places[THREADS] - self._execution.threads.taken)
        return room

    def lanes(self, *, alone: bool) -> list[tuple[str, int]]:
        """The lanes to claim from, each with the room of its kind: all queues share the same places."""
        room = self.free(alone=alone)
        self._queues = (*self._queues[1:], *self._queues[:1])  # in turns: the first is served first
        lanes: list[tuple[str, int]] = []
        for queue in self._queues:
            lanes.append((queue, room[""]))
            lanes.append((lane(queue, threaded=True), room[THREADS]))
            if queue in self._isolated:
                lanes.append((lane(queue, isolated=True), room[ISOLATED]))
        return lanes

    def shares(self) -> str:
        """How much of its places one tenant may fill while others wait, as `claim` reads it."""
        flying = self._flights.places.tenants
        return shares(self._percent, {kind: (n, flying[kind]) for kind, n in self._places.items()})
