"""Runs that came to a bad end: dead, failed or timed out. They can be looked at, edited, discarded and run again.

Their records are kept as long as any (`UMBEL_RUN_TTL`); an index by time leads to them, of 10,000 at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from orchestrator.store.places import Place, fitting, pages, sifted

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from orchestrator.store.connection import Connection

_FIELDS: Final = ("s", "a", "r", "q", "u", "c", "t", "n", "ed", "rp")


@dataclass(frozen=True, slots=True)
class DeadRun:
    """A run as it ended."""

    run: str
    """The run."""
    status: str
    """dead, failed or timed_out."""
    at_us: int
    """When it ended, µs since the epoch by Redis's clock."""
    payload: str
    """Its payload, encoded."""
    result: str
    """Its error, JSON."""
    lane: str
    """Where it ran."""
    tenant: str
    """Its tenant; empty: the default one."""
    conversation: str | None
    """Its conversation."""
    turn: str | None
    """Its turn."""
    attempts: int
    """How often it was begun."""
    edited: str | None
    """Arguments that somebody has put in the place of its own, JSON."""
    replayed: str | None
    """The run that took it up again."""


class Dead:
    """Runs that came to a bad end."""

    def __init__(self, connection: Connection) -> None:
        """Work through this connection."""
        self._connection = connection

    async def read(self, runs: Sequence[str]) -> list[DeadRun | None]:
        """These runs, in this order; None for one without record or with a better end."""
        prefix = self._connection.prefix
        scores = await self._connection.ask(*(["ZSCORE", f"{prefix}dead", run] for run in runs))
        rows = await self._connection.ask(*(["HMGET", f"{prefix}r:{run}", *_FIELDS] for run in runs))
        return [
            None if score is None or row[0] is None else _dead(run, int(float(score)), row)
            for run, score, row in zip(runs, scores, rows, strict=True)
        ]

    async def fitting(self, runs: Sequence[str]) -> int:
        """How many of these, from the first one on, can be read at a time; one at least, if there is one."""
        return await fitting(self._connection, runs, "a", "r", "ed")

    async def sift(
        self,
        status: Collection[str],
        tenant: str | None,
        after_us: int | None = None,
        before_us: int | None = None,
        after: Place | None = None,
    ) -> tuple[list[Place], Place | None]:
        """Where some stand that ended so, behind a place, the oldest first, and where to look for more; None: nowhere.

        Those of one tenant, or of all (None). Nothing of their payloads is read.
        """
        return await sifted(
            self._connection,
            "dead",
            ("s", "u"),
            lambda row: row[0] in status and tenant in {None, row[1] or ""},
            after=after,
            low=after_us,
            high=before_us,
        )

    async def list(
        self,
        status: Collection[str] = ("dead",),
        after_us: int | None = None,
        before_us: int | None = None,
        limit: int = 100,
    ) -> list[DeadRun]:
        """Those with one of these ends, the oldest first, from `after_us` to `before_us`, both included."""
        found: list[DeadRun] = []
        async for places in pages(self._connection, "dead", low=after_us, high=before_us):
            runs = [run for _, run in places]
            found += [each for each in await self.read(runs) if each is not None and each.status in status]
            if len(found) >= limit:
                break
        return found[:limit]

    async def edit(self, run: str, arguments: str, line: dict[str, Any] | None = None) -> bool:
        """Put these arguments (JSON) in the place of its own for whoever runs it again; whether it is here.

        `line`: for the audit, written in the same step.
        """
        if (await self.read([run]))[0] is None:
            return False
        return await self._mark(run, "ed", arguments, line=line)

    async def discard(self, run: str, line: dict[str, Any] | None = None) -> bool:
        """Take it off the list; its record ends by itself. Whether it was there. `line`: as for `edit`."""
        return await self._mark(run, off=True, line=line)

    async def mark_replayed(self, run: str, new_run: str) -> None:
        """Note in both runs that one has taken up the other, and take that off the list."""
        await self._mark(run, "rp", new_run, off=True)
        await self._mark(new_run, "ro", run)

    async def _mark(
        self,
        run: str,
        field: str = "",
        value: str = "",
        *,
        off: bool = False,
        line: dict[str, Any] | None = None,
    ) -> bool:
        told = to_json(line).decode() if line else ""
        return bool(await self._connection.run("mark", run, field, value, "off" if off else "", told))


def _dead(run: str, at_us: int, row: list[Any]) -> DeadRun:
    status, payload, result, lane, tenant, conversation, turn, attempts, edited, replayed = row
    return DeadRun(
        run, status, at_us, payload or "", result or "null", lane or "", tenant or "", conversation, turn,
        int(attempts or 0), edited, replayed,
    )  # fmt: skip
