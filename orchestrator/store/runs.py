"""The life of runs: one typed method for each script that moves them.

`submit`, `claim`, `finish`, `renew`, `release`, `tick`, `cancel` are the only ways in which a run changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actions.errors import IdempotencyConflict
from orchestrator.store.incoming import Finish, NewRun
from orchestrator.store.keys import ISOLATED, THREADS
from orchestrator.store.records import Claim, Glance, RunView
from orchestrator.store.rows import (
    RESULTLESS,
    VIEW,
    claim_arguments,
    finish_arguments,
    glance,
    read_claim,
    view,
    work_lists,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from orchestrator.store.connection import Connection
    from orchestrator.store.values import Value

LONG: Final = 16_384
"""Bytes of a result that is told among other runs; a longer one is told where its run is read alone."""


class Runs:
    """Runs in the store."""

    def __init__(self, connection: Connection) -> None:
        """Work through this connection."""
        self._connection = connection

    async def submit(
        self, runs: Sequence[NewRun], *, together: bool = False, clock: int | None = None
    ) -> int:
        """Record runs without a conversation and make them ready; return how many were new.

        Submitting the same ids again changes nothing, so a lost reply is no harm. 1,000 take the server some 100 ms.
        `together`: they were asked for under one key, so that none is recorded again while one of them is there.

        Raises:
            IdempotencyConflict: an id is there with another digest; nothing was recorded.
        """
        rows = [value for run in runs for value in run.row()]
        new, *conflicts = await self._connection.run(
            "submit", "together" if together else "", *rows, clock=clock
        )
        if conflicts:
            raise IdempotencyConflict(
                "this key was used for another request",
                where=conflicts[0],
                fix="Use a new key for a new request",
            )
        return int(new)

    async def claim(
        self,
        pump: str,
        lanes: Sequence[tuple[str, int]],
        *,
        worker: str = "",
        lease_ms: int = 10_000,
        nap_ms: int = 1_000,
        flying: int = 0,
        suspects: int = 16,
        patience_ms: int = 30_000,
        shares: str = "",
        clock: int | None = None,
    ) -> Claim:
        """Take what may start now: up to `room` runs of each (lane, room). See `turnaround` for both in one trip."""
        arguments = claim_arguments(
            pump, lanes, worker, lease_ms, nap_ms, flying, suspects, patience_ms, shares
        )
        return await self.claim_with(arguments, clock=clock)

    async def claim_with(self, arguments: Sequence[Value], *, clock: int | None = None) -> Claim:
        """`claim`, with arguments from `claim_arguments`."""
        return read_claim(await self._connection.run("claim", *arguments, clock=clock))

    async def finish(
        self,
        pump: str,
        finishes: Sequence[Finish],
        *,
        claims_next: Iterable[str] = (),
        clock: int | None = None,
    ) -> list[str]:
        """Record how attempts ended; for each "ok", "done" (known already), "stale" or "state_conflict"."""
        arguments = finish_arguments(pump, finishes, claims_next)
        told: list[str] = await self._connection.run("finish", *arguments, clock=clock)
        return told

    async def turnaround(self, finish: Sequence[Value], claim: Sequence[Value]) -> tuple[list[str], Claim]:
        """Finish and claim in one round trip; the arguments come from `finish_arguments` and `claim_arguments`."""
        told, claimed = await self._connection.run_together([("finish", finish), ("claim", claim)])
        return told, read_claim(claimed)

    async def renew(self, pump: str, lease_ms: int, *, clock: int | None = None) -> list[str] | None:
        """Keep the lease; return the runs to be cancelled, or None when the lease is lost."""
        verdict, *cancelled = await self._connection.run("renew", pump, lease_ms, clock=clock)
        return cancelled if verdict == "ok" else None

    async def reconcile(self, pump: str, known: Iterable[tuple[str, str]]) -> None:
        """Give back what the store thinks this pump holds and the pump does not know (a claim's reply was lost).

        `known` are runs with the fences of their claims: one that was claimed again unheard is given back too.
        """
        pairs = [part for pair in known for part in pair]
        while await self._connection.run("release", pump, "keep", *pairs):
            pass

    async def pause(self, pump: str, queues: Iterable[str]) -> None:
        """Say that this pump claims nothing more, so that others are woken; it keeps what it has."""
        await self._connection.run("release", pump, "pause", *queues)

    async def leave(self, pump: str, queues: Iterable[str], unbegun: Iterable[str] = ()) -> None:
        """Give back everything that is left, at once, and end the pump; of `unbegun` runs no handler had begun."""
        names = [*queues, "--", *unbegun]
        while await self._connection.run("release", pump, "end", *names):
            pass

    async def tick(self, queues: Iterable[str], *, gate_ms: int = 0, clock: int | None = None) -> None:
        """Recover the runs of dead pumps, move what is due, wake queues with work. `gate_ms`: not more often."""
        names = list(queues)
        left = await self._connection.run("tick", gate_ms, *names, clock=clock)
        while left > 0:
            left = await self._connection.run("tick", 0, *names, clock=clock)

    async def cancel(self, run: str, *, clock: int | None = None) -> str:
        """Cancel a run: "cancelled", "cancelling" (its handler is being stopped), "terminal" or "missing"."""
        return str(await self._connection.run("cancel", run, clock=clock))

    async def read(self, run: str) -> RunView | None:
        """The run as it stands, or None if there is no such record (any more)."""
        return (await self.read_all([run]))[0]

    async def read_all(
        self, runs: Sequence[str], without_results: Collection[str] = ()
    ) -> list[RunView | None]:
        """Several runs in one round trip, in the order asked for; of some the result is left where it is."""
        prefix = self._connection.prefix
        rows = await self._connection.ask(
            *(
                ["HMGET", f"{prefix}r:{run}", *(RESULTLESS if run in without_results else VIEW)]
                for run in runs
            )
        )
        return [
            view(run, row, result_omitted=run in without_results) for run, row in zip(runs, rows, strict=True)
        ]

    async def read_short(self, runs: Sequence[str]) -> list[RunView | None]:
        """Several runs in the order asked for, without results that are longer than `LONG`."""
        key = f"{self._connection.prefix}r:"
        sizes = await self._connection.ask(*(["HSTRLEN", f"{key}{run}", "r"] for run in runs))
        long = {run for run, size in zip(runs, sizes, strict=True) if size > LONG}
        return await self.read_all(runs, without_results=long)

    async def glance(self, runs: Sequence[str], *, payloads: bool = False) -> list[Glance | None]:
        """The little that filters need of several runs, in one round trip; payloads may be long."""
        key, last = f"{self._connection.prefix}r:", "a" if payloads else "-"
        rows = await self._connection.ask(
            *(["HMGET", f"{key}{run}", "s", "q", "c", "at", last] for run in runs),
            *(["HSTRLEN", f"{key}{run}", "r"] for run in runs),
        )
        return [glance(row, size) for row, size in zip(rows[: len(runs)], rows[len(runs) :], strict=True)]

    async def held_by(self, worker: str) -> list[RunView]:
        """The runs that the pumps of one worker hold at this moment."""
        prefix = self._connection.prefix
        (pumps,) = await self._connection.ask(["ZRANGE", f"{prefix}live", 0, -1])
        own = [pump for pump in pumps if pump.startswith(f"{worker}:")]
        held = await self._connection.ask(*(["SMEMBERS", f"{prefix}held:{pump}"] for pump in own))
        views = await self.read_all(sorted(run for runs in held for run in runs))
        return [view for view in views if view is not None]

    async def served_queues(self) -> list[str]:
        """The queues that some worker has served within the last day."""
        (queues,) = await self._connection.ask(["ZRANGE", f"{self._connection.prefix}queues", 0, -1])
        return list(queues)

    async def next_reply(self, reply_to: str, timeout_s: float) -> tuple[str, str, str] | None:
        """Wait for the next end told to a reply list: (run, status, result JSON), or None after the timeout."""
        popped = await self._connection.pop(f"z:{reply_to}", timeout_s)
        if popped is None:
            return None
        run, status, result = popped.split(" ", 2)
        return run, status, result

    async def next_wake(self, pump: str, timeout_s: float) -> bool:
        """Sleep on the wake key of this pump; whether a token came."""
        return await self._connection.pop(f"wake:{pump}", timeout_s) is not None

    async def next_control(self, pump: str, timeout_s: float) -> bool:
        """Wait for a token that says: renew now, a run is to be cancelled."""
        return await self._connection.pop(f"ctl:{pump}", timeout_s) is not None

    async def queues_with_work(self, queues: Sequence[str]) -> list[str]:
        """Those of these queues on which runs stand ready."""
        prefix = self._connection.prefix
        lists = [
            [f"{prefix}{list_}" for suffix in ("", THREADS, ISOLATED) for list_ in work_lists(queue + suffix)]
            for queue in queues
        ]
        found = await self._connection.ask(*(["EXISTS", *names] for names in lists))
        return [queue for queue, count in zip(queues, found, strict=True) if count]

    async def has_nudges(self, queues: Sequence[str]) -> bool:
        """Whether the nudge of each of these queues is there; a server that lost its data has none."""
        names = [f"{self._connection.prefix}env:{queue}" for queue in queues]
        (found,) = await self._connection.ask(["EXISTS", *names])
        return int(found) == len(names)

    async def offer_nudge(self, queue: str, key: str, message: str) -> None:
        """Leave the Celery message that wakes a worker of this queue, for the scripts to send."""
        name = f"{self._connection.prefix}env:{queue}"
        fields = ["key", key, "message", message]
        await self._connection.ask(["HSET", name, *fields], ["EXPIRE", name, 30 * 86_400])
