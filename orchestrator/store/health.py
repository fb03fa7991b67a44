"""Whether the server can do what the house needs of it: nothing in, facts out.

Asked by `/readyz` and `umbel doctor`. A server that does not answer is an error like everywhere else
(`StoreUnavailable`, `StoreRefused`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.store.scripts import load

if TYPE_CHECKING:
    from orchestrator.store.connection import Connection


@dataclass(frozen=True, slots=True)
class Facts:
    """What the server says of itself; None: it does not say."""

    version: str
    """Its version."""
    policy: str | None
    """What it does when its memory is full (`maxmemory-policy`); only `noeviction` keeps what was accepted."""
    append_only: bool | None
    """Whether what is accepted is written to disk (AOF)."""
    append_only_works: bool | None
    """Whether its last write to disk was a success."""
    product: str = "Redis"
    """Redis or Valkey."""
    compatible: str = ""
    """The version of Redis whose commands it has."""
    snapshot_works: bool | None = None
    """Whether its last snapshot (RDB) was a success; where one failed, Redis may refuse all writes."""
    cluster: bool = False
    """Whether it is in cluster mode."""
    replica: bool = False
    """Whether it is a replica, which nobody can write to."""
    used_bytes: int = 0
    """Memory that it uses."""
    most_bytes: int = 0
    """Memory that it may use (`maxmemory`); 0: no bound."""


class Health:
    """Questions to the server itself."""

    def __init__(self, connection: Connection) -> None:
        """Work through this connection."""
        self._connection = connection

    async def write(self) -> None:
        """Write something, by a script: raises what a submit would raise.

        Raises:
            StoreUnavailable: it does not answer, has no memory left, cannot write to disk, or is a replica.
            StoreRefused: it says no.
        """
        await self._connection.run("health")

    async def facts(self) -> Facts:
        """What it says of itself."""
        replies = await self._connection.ask(["INFO", "server"], ["INFO", "memory"], ["INFO", "persistence"])
        return facts_of("\n".join(replies))

    async def resting(self) -> tuple[int, int]:
        """How many runs rest that came to a bad end, and how many undos that failed."""
        prefix = self._connection.prefix
        dead, stuck = await self._connection.ask(["ZCARD", f"{prefix}dead"], ["ZCARD", f"{prefix}stuck"])
        return int(dead), int(stuck)

    async def load_scripts(self) -> int:
        """Load the scripts that the server does not know (after its restart); how many these were."""
        scripts = list(load().values())
        (known,) = await self._connection.ask(["SCRIPT", "EXISTS", *(script.sha for script in scripts)])
        missing = [script for script, there in zip(scripts, known, strict=True) if not int(there)]
        if missing:
            await self._connection.ask(*(["SCRIPT", "LOAD", script.source] for script in missing))
        return len(missing)


def facts_of(info: str) -> Facts:
    """What a server says of itself in the text of its INFO, or in some sections of it."""
    told = dict(_pairs(info))
    return Facts(
        version=told.get("valkey_version") or told.get("redis_version", ""),
        policy=told.get("maxmemory_policy"),
        append_only=_switch(told.get("aof_enabled")),
        append_only_works=_ok(told.get("aof_last_write_status")),
        product="Valkey" if "valkey_version" in told else "Redis",
        compatible=told.get("redis_version", ""),
        snapshot_works=_ok(told.get("rdb_last_bgsave_status")),
        cluster=told.get("cluster_enabled") == "1",
        replica=told.get("role") == "slave",
        used_bytes=_number(told.get("used_memory")),
        most_bytes=_number(told.get("maxmemory")),
    )


def _pairs(text: str) -> list[tuple[str, str]]:
    return [
        (name, value.strip())
        for line in text.splitlines()
        for name, mark, value in [line.partition(":")]
        if mark
    ]


def _switch(said: str | None) -> bool | None:
    return None if said is None else said == "1"


def _ok(said: str | None) -> bool | None:
    return None if said is None else said == "ok"


def _number(said: str | None) -> int:
    return int(said) if said is not None and said.isdecimal() else 0
