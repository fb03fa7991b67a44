"""Limits: how rate limits and locks stand, and other numbers for limits while everything runs."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from actions.policy import duration
from orchestrator import limit_changes
from orchestrator.api.auth import Admin
from orchestrator.api.given import TheHouse
from orchestrator.api.guarding import Router
from orchestrator.api.problems import Problem
from orchestrator.assembly import House
from orchestrator.limit_changes import LimitFlaw
from orchestrator.limit_standings import limits_of
from orchestrator.wire import ChangedLimit, Limits, SetLimit
from orchestrator.wire_forms import LIMIT_KEY

router = Router(tags=["limits"])

_US = 1_000_000
Name = Annotated[
    str, Path(max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", description="The limit's name.")
]


@router.get("/v1/limits", summary="List limits and locks")
async def list_limits(_caller: Admin, house: TheHouse) -> Limits:
    """What is declared, what was changed, and how it stands; of the whole house. Looks through all keys."""
    return await limits_of(house.store, house.registry)


@router.put("/v1/limits/{name}", summary="Change a limit")
async def set_limit(name: Name, asked: SetLimit, caller: Admin, house: TheHouse) -> ChangedLimit:
    """Give it, or one of its keys, other numbers; all workers follow at once, and whoever waits looks again."""
    own = limit_changes.named(house.registry, name)
    if not own:
        raise _unknown(name)
    key = _key_of(name, asked.key)
    per = duration(asked.per)
    if not limit_changes.SHORTEST <= per <= limit_changes.LONGEST:
        raise _wrong(LimitFlaw("per", "a window is between a millisecond and a year", "Take another"))
    if flaw := limit_changes.flaw_of(own, name, asked.n, key=key, burst=asked.burst, cost=asked.cost):
        raise _wrong(flaw)
    per_us = round(per.total_seconds() * _US)
    line = limit_changes.told(name, key, by=caller.name, numbers=f"{asked.n}/{per.total_seconds():g}s")
    await house.store.limits.set(
        name, n=asked.n, per_us=per_us, burst=asked.burst or 0, cost=asked.cost, key=key, line=line
    )
    return ChangedLimit(name=name, key=key, n=asked.n, per_s=per_us / _US, burst=asked.burst, cost=asked.cost)


@router.delete("/v1/limits/{name}", status_code=204, summary="Let the declared numbers hold again")
async def unset_limit(
    name: Name,
    caller: Admin,
    house: TheHouse,
    key: Annotated[str | None, Query(pattern=LIMIT_KEY, description="One key of it alone.")] = None,
) -> None:
    """Take back what was changed; what was not is no harm."""
    await _check_known(house, name)
    full = _key_of(name, key, parameter="key")
    await house.store.limits.unset(name, key=full, line=limit_changes.told(name, full, by=caller.name))


async def _check_known(house: House, name: str) -> None:
    if limit_changes.named(house.registry, name):
        return
    if not any(each.field.partition(":")[0] == name for each in await house.store.limits.changed()):
        raise _unknown(name)


def _unknown(name: str) -> Problem:
    return Problem("not_found", f"No limit has the name {name!r}; GET /v1/limits lists those that there are.")


def _key_of(name: str, given: str | None, **more: str) -> str | None:
    """One key of the limit as the store has it; None: all of them."""
    found = limit_changes.key_of(name, given)
    if isinstance(found, LimitFlaw):
        raise _wrong(found, **more)
    return found


def _wrong(flaw: LimitFlaw, *, parameter: str = "") -> Problem:
    where = {"pointer": "", "parameter": parameter} if parameter else {"pointer": f"/{flaw.field}"}
    return Problem("validation", errors=[{**where, "detail": f"{flaw.text}. {flaw.fix}", "code": "limit"}])
