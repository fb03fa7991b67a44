"""What a run has to pass before an attempt starts: its locks, its rate limits, and the caps of the house.

In: an action, its params, and whose run it is. Out: guards with their keys, in the one order in which every run climbs
them (narrow scope to wide, locks before limits, then key). The order depends on the keys alone, so no two runs can wait
for each other; what is no key of this run (a conversation's, for a run without one) is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from actions.errors import CostTooHigh, InvalidArguments
from actions.ranks import first_word
from actions.templates import TENANT, word
from orchestrator.store.incoming import LimitGuard, LockGuard

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import BaseModel

    from actions.definition import Action
    from actions.limits import RateLimit
    from actions.registry import Registry
    from orchestrator.settings import Settings

Guard = LockGuard | LimitGuard
G = TypeVar("G", LockGuard, LimitGuard, LockGuard | LimitGuard)

TURN_CAP: Final = "~turn"
CONVERSATION_CAP: Final = "~conv"
TENANT_CAP: Final = "~tenant"
"""First words of the house's own keys; no declared key begins with `~`."""

_HOUSE: Final = -1
"""The rank of the house's own keys but one: a turn or a batch is narrower than any key that is shared. What waits there
stands in nobody's way but its own turn's."""
_US: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Caps:
    """How many runs may be in flight at the same time; the overflow waits."""

    turn: int = 32
    """Of one turn."""
    conversation: int = 64
    """Of one conversation."""
    tenant: int = 0
    """Of one named tenant; 0: as many as there are."""

    @classmethod
    def of(cls, settings: Settings) -> Caps:
        """Return the caps that the settings ask for."""
        return cls(settings.turn_cap, settings.conversation_cap, settings.tenant_cap)


def caps(
    most: Caps, *, calls: int = 0, turn: str = "", conversation: str = "", tenant: str = ""
) -> tuple[LockGuard, ...]:
    """Return the caps that each run of a round of so many calls needs; a cap that cannot be reached is none.

    A conversation has one live turn, so a round is all that it has in flight.
    """
    found: list[LockGuard] = []
    if turn and calls > most.turn:
        found.append(LockGuard(f"{TURN_CAP}:{turn}", places=most.turn))
    if conversation and calls > most.conversation:
        found.append(LockGuard(f"{CONVERSATION_CAP}:{conversation}", places=most.conversation))
    if tenant and most.tenant > 0:
        found.append(LockGuard(f"{TENANT_CAP}:{word(tenant)}", places=most.tenant))
    return tuple(found)


def guards_of(
    action: Action,
    params: BaseModel,
    *,
    principal: str | None,
    tenant: str | None,
    conversation: str | None,
    registry: Registry,
) -> tuple[Guard, ...]:
    """Return the guards of one run, in order.

    Raises:
        CostTooHigh: it would take more units of a limit than the limit ever has at once.
        InvalidArguments: what it costs cannot be worked out.
    """
    if not (action.rate_limits or action.locks):  # most have none
        return ()
    owned = {
        "action": action.name,
        "principal": principal or None,
        "tenant": tenant or None,
        "conversation": conversation or None,
    }
    values = params.__dict__
    found: dict[tuple[type[Guard], str], Guard] = {}
    for lock in action.locks:
        if lock.template.needs_conversation and not conversation:
            continue
        key = lock.template.expand(owned, values)
        # Two templates may mean the same thing for this run: from an account to itself is one account.
        found.setdefault((LockGuard, key), LockGuard(key, lock.policy, lock.places))
    for limit in action.rate_limits:
        if limit.template.needs_conversation and not conversation:
            continue
        guard = _limit(action, limit, params, owned)
        if guard.cost:
            found.setdefault((LimitGuard, guard.key), guard)
    return ordered(found.values(), registry)


def ordered(guards: Iterable[G], registry: Registry) -> tuple[G, ...]:
    """Return guards in the one order in which every run climbs them."""
    return tuple(sorted(guards, key=lambda guard: _place(guard, registry)))


def limit_keys(guards: Iterable[Guard], name: str = "", *, weighed: bool = False) -> tuple[str, ...]:
    """Return the keys of those limits among a run's guards that have this name; "" takes all.

    Args:
        guards: what `guards_of` gave.
        name: a limit's name.
        weighed: only those that count units of cost, which can be corrected afterwards.
    """
    return tuple(
        guard.key
        for guard in guards
        if isinstance(guard, LimitGuard) and name in {"", guard.name} and (guard.burst or not weighed)
    )


def _place(guard: Guard, registry: Registry) -> tuple[int, bool, str]:
    first = first_word(guard.key)
    rank = TENANT if first == TENANT_CAP else _HOUSE if first[:1] == "~" else registry.rank(first)
    return (rank, isinstance(guard, LimitGuard), guard.key)


def _limit(
    action: Action, limit: RateLimit, params: BaseModel, owned: Mapping[str, str | None]
) -> LimitGuard:
    try:
        units = limit.units(params)
    except Exception as error:  # a function of the author's: it refuses this call, no other
        raise InvalidArguments(
            f"what {action.name} would cost of the limit {limit.name} cannot be worked out "
            f"({type(error).__name__})"
        ) from error
    if units > limit.most:
        raise CostTooHigh(
            f"{action.name} would take {units} units of the limit {limit.name}, which has {limit.most} at most"
        )
    key = limit.template.expand(owned, params.__dict__)
    return LimitGuard(
        key=f"{limit.name}:{key}" if limit.key else limit.name,
        name=limit.name,
        n=limit.n,
        per_us=limit.per // _US,
        burst=limit.burst,
        cost=units,
        over=limit.over,
    )
