"""What the store under test says in the end: records of runs, conversations, keys that have no end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from faults.case import Record, Talk

if TYPE_CHECKING:
    from orchestrator.assembly import House

PERMANENT: Final = frozenset({"fence", "queues", "audit"})
"""Keys that the legend (orchestrator/store/keys.py) lets stand for ever."""
_TRIP: Final = 500


async def records(house: House, runs: Sequence[str]) -> dict[str, Record | None]:
    """The records of these runs; None for one that has none."""
    found: dict[str, Record | None] = {}
    connection = house.store.connection
    for at in range(0, len(runs), _TRIP):
        some = runs[at : at + _TRIP]
        views = await house.store.runs.read_all(some)
        deaths = await connection.ask(*(["HGET", f"{connection.prefix}r:{run}", "d"] for run in some))
        for run, view, died in zip(some, views, deaths, strict=True):
            found[run] = view and Record(view.status, view.result, view.attempts, int(died or 0))
    return found


async def talk(house: House, conversation: str, rounds: Sequence[tuple[tuple[str, str], ...]]) -> Talk:
    """A conversation into which these calls were posted, one row for each reply."""
    record = await house.store.conversations.read(conversation)
    messages = await house.conductor.messages(conversation)
    return Talk(conversation, tuple(rounds), messages, tuple(json.loads(record.context.get("seen", "[]"))))


async def endless(house: House) -> list[str]:
    """The keys that stand for ever and should not."""
    connection = house.store.connection
    keys = [key async for key in connection.redis.scan_iter(f"{connection.prefix}*", count=1_000)]
    ends = await connection.ask(*(["PTTL", key] for key in keys)) if keys else []
    names = (key.removeprefix(connection.prefix) for key, end in zip(keys, ends, strict=True) if end == -1)
    return [name for name in names if name not in PERMANENT]
