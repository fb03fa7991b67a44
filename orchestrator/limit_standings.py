"""What rate limits and locks there are and how they stand: store and actions in, one answer out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from orchestrator.store.room import Numbers
from orchestrator.wire import ChangedLimit, DeclaredLimit, Limits

if TYPE_CHECKING:
    from actions.registry import Registry
    from orchestrator.store.store import Store

_US: Final = timedelta(microseconds=1)


async def limits_of(store: Store, registry: Registry) -> Limits:
    """All limits and locks of the house. Looks through all keys."""
    declared = [(action.name, limit) for action in registry.actions for limit in action.rate_limits]
    numbers = {limit.name: Numbers(limit.n, limit.per // _US, limit.burst) for _, limit in declared}
    return Limits(
        declared=tuple(
            DeclaredLimit(
                name=limit.name,
                action=action,
                n=limit.n,
                per_s=limit.per.total_seconds(),
                burst=limit.burst or None,
                key=limit.key,
                over=limit.over,
            )
            for action, limit in declared
        ),
        changed=tuple(
            ChangedLimit(
                name=each.field.partition(":")[0],
                key=each.field if ":" in each.field else None,
                n=each.n,
                per_s=each.per_us / 1e6,
                burst=each.burst or None,
                cost=each.cost,
            )
            for each in await store.limits.changed()
        ),
        standing=tuple(await store.limits.standing(declared=numbers)),
        locks=tuple(await store.locks.standing()),
    )
