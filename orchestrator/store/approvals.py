"""What people have to decide: runs that wait for an approval, and the decision.

An approval holds for exactly the arguments that were shown. Nothing that a model says comes here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic_core import to_json

from orchestrator.store.places import PAGE, Place, fitting, sifted

if TYPE_CHECKING:
    from orchestrator.store.connection import Connection

_FIELDS: Final = ("s", "ap", "aps", "apx", "apd", "av", "a", "u", "c", "t")
_WANTED: Final = ["blocked", "wanted"]
"""`s` and `ap` of a run that waits for a person."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A run that waits for a person's word."""

    run: str
    """The run."""
    asked_us: int
    """Since when, µs since the epoch by Redis's clock."""
    expires_us: int
    """Until when; then it expires."""
    digest: str
    """Of what is asked for; a decision may name it, so that it is for nothing else."""
    shown: str
    """The validated arguments, JSON."""
    payload: str
    """The run's payload, encoded."""
    tenant: str
    """Its tenant; empty: the default one."""
    conversation: str | None
    """Its conversation."""
    turn: str | None
    """Its turn."""


class Approvals:
    """Runs that wait for a person."""

    def __init__(self, connection: Connection) -> None:
        """Work through this connection."""
        self._connection = connection

    async def page(
        self, limit: int, *, tenant: str | None = None, after: Place | None = None
    ) -> tuple[list[Pending], Place | None]:
        """Some of those that wait behind a place, the oldest first, and where to ask for more; None: nowhere.

        Those of one tenant, or of all (None). It may hold fewer than `limit` and still have a next one: it ends at
        `PAGE_BYTES`, too.
        """
        places, rest = await sifted(
            self._connection,
            "asks",
            ("s", "ap", "u"),
            lambda row: row[:2] == _WANTED and tenant in {None, row[2] or ""},
            limit=limit,
            after=after,
        )
        prefix = self._connection.prefix
        if (count := await fitting(self._connection, [run for _, run in places], "av", "a")) < len(places):
            places = places[:count]
            rest = places[-1]
        rows = await self._connection.ask(*(["HMGET", f"{prefix}r:{run}", *_FIELDS] for _, run in places))
        each = (_pending(run, row) for (_, run), row in zip(places, rows, strict=True))
        return [one for one in each if one is not None], rest

    async def list(self, limit: int = 100) -> list[Pending]:
        """Those that wait, of all tenants, the oldest first."""
        found: list[Pending] = []
        after: Place | None = None
        while len(found) < limit:
            more, after = await self.page(min(PAGE, limit - len(found)), after=after)
            found += more
            if after is None:
                break
        return found

    async def read(self, run: str) -> Pending | None:
        """What this run waits for, or None if it waits for no person (any more)."""
        (row,) = await self._connection.ask(["HMGET", f"{self._connection.prefix}r:{run}", *_FIELDS])
        return _pending(run, row)

    async def digest_of(self, run: str) -> str | None:
        """The digest of what this run has asked for last, decided or not; None: it has never asked."""
        (digest,) = await self._connection.ask(["HGET", f"{self._connection.prefix}r:{run}", "apd"])
        return None if digest is None else str(digest)

    async def decide(
        self,
        run: str,
        verdict: Literal["approve", "deny"],
        digest: str | None = None,
        by: str = "",
        reason: str = "",
        *,
        line: dict[str, Any] | None = None,
        clock: int | None = None,
    ) -> str:
        """Approve or deny: "approved", "denied", "changed" (something else is asked for), "decided" or "missing".

        Args:
            run: the run.
            verdict: what the person says.
            digest: of what was looked at; None: of whatever is asked for now.
            by: who decided.
            reason: what the model is told when it is denied.
            line: for the audit, written in the same step if it is approved or denied.
            clock: stands in for the server's time, in tests only.
        """
        said = f"denied by a person: {reason}" if reason else "denied by a person"
        result = to_json({"code": "denied", "error": said}).decode()
        told = [run, verdict, digest or "", by, result, to_json(line).decode() if line else ""]
        return str(await self._connection.run("decide", *told, clock=clock))


def _pending(run: str, row: list[Any]) -> Pending | None:
    status, approval, asked, until, digest, shown, payload, tenant, conversation, turn = row
    if [status, approval] != _WANTED:
        return None
    return Pending(run, int(asked), int(until), digest, shown, payload, tenant or "", conversation, turn)
