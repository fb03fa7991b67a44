"""What people have to decide: runs that wait for an approval, and the decision.

An approval holds for exactly the arguments that were shown. Nothing that a model says comes here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic_core import to_json

if TYPE_CHECKING:
    from orchestrator.store.connection import Connection

_FIELDS: Final = ("s", "ap", "aps", "apx", "apd", "av", "a", "u", "c", "t")


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

    async def list(self, limit: int = 100) -> list[Pending]:
        """Those that wait, the oldest first."""
        prefix = self._connection.prefix
        (runs,) = await self._connection.ask(["ZRANGE", f"{prefix}asks", 0, limit - 1])
        rows = await self._connection.ask(*(["HMGET", f"{prefix}r:{run}", *_FIELDS] for run in runs))
        found = [_pending(run, row) for run, row in zip(runs, rows, strict=True)]
        return [each for each in found if each is not None]

    async def read(self, run: str) -> Pending | None:
        """What this run waits for, or None if it waits for no person (any more)."""
        (row,) = await self._connection.ask(["HMGET", f"{self._connection.prefix}r:{run}", *_FIELDS])
        return _pending(run, row)

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
    if status != "blocked" or approval != "wanted":
        return None
    return Pending(run, int(asked), int(until), digest, shown, payload, tenant or "", conversation, turn)
