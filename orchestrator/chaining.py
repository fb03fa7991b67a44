"""A reply's calls as one chain: all of them or none, under locks that the whole chain holds.

In: the calls as they were decided, and what they and the caller say of locks. Out: every call refused if one is, and
the run that leads the chain: it takes the locks together before the first step and keeps them until all is settled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actions.chains import Chain
from actions.errors import ChainRefused, DeclarationError
from actions.messages import Payload, Status
from orchestrator.guards import ordered
from orchestrator.store.incoming import LockGuard, NewRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.limits import Lock
    from actions.registry import Registry
    from orchestrator.judging import Decided
    from orchestrator.store.records import ConversationRecord

LEAD: Final = "umbel.chain"
"""What the payload of such a run names as its action; no action may have a dot in its name, and no pump gets it."""
LOCK: Final = "~chain"
"""First word of the keys that chains lock: no action's key begins so."""
_SHOWN: Final = 200


def refuse_together(decided: Sequence[Decided]) -> None:
    """If one call is refused, refuse the others too: a chain of which one step cannot run does not begin."""
    for at, found in enumerate(decided):
        if found.error is not None:
            why = str(found.error.get("error", ""))[:_SHOWN]
            told = ChainRefused(f"not run: step {at + 1} of this chain ({found.name}) was refused: {why}")
            for other in decided:
                if other.error is None:
                    other.error = told.for_model()
            return


def callers_locks(given: Lock | str | Sequence[Lock | str] | None) -> tuple[Lock, ...]:
    """The locks that a caller asks for, for the whole chain; a key may hold {principal}, {tenant}, {conversation}.

    Raises:
        DeclarationError: a lock is none, replaces, or its key names what is known of no chain.
    """
    locks = Chain(given).locks
    for lock in locks:
        if lock.template.parameters or any(hole == "action" for _, hole in lock.template.parts):
            raise DeclarationError(
                f"locks: {lock.key!r} names a parameter: the lock of a whole chain knows only principal, tenant and "
                "conversation; let an action declare it with Chain(...)"
            )
    return locks


def guards_of_chain(
    decided: Sequence[Decided], locks: Sequence[Lock], conversation: ConversationRecord, registry: Registry
) -> tuple[LockGuard, ...]:
    """The locks of a chain, each once, in the one order in which all chains take them."""
    owned = {
        "principal": conversation.principal or None,
        "tenant": conversation.tenant or None,
        "conversation": conversation.id,
    }
    found: dict[str, LockGuard] = {}
    for lock in locks:
        _add(found, lock, lock.template.expand(owned, {}))
    for each in decided:
        if each.action is not None and each.action.chain is not None:
            values = each.values.__dict__ if each.values is not None else {}
            for lock in each.action.chain.locks:
                _add(found, lock, lock.template.expand({**owned, "action": each.action.name}, values))
    return ordered(found.values(), registry)


def _add(found: dict[str, LockGuard], lock: Lock, key: str) -> None:
    found.setdefault(key, LockGuard(f"{LOCK}:{key}", lock.policy, lock.places))


def lead_of(first: NewRun, guards: tuple[LockGuard, ...], turn: str, number: int) -> NewRun:
    """The run that holds the locks of a chain whose first step is this."""
    return NewRun(
        id=f"run_{turn[5:]}.{number}.chain",
        lane=first.lane,
        payload=Payload(LEAD).encode(),
        status=Status.READY,
        priority=first.priority,
        tenant=first.tenant,
        position="chain",
        guards=guards,
        dependents=(first.id,),
        chain="lead",
    )
