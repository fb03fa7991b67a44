"""Chain: an action that runs only as a step of a chain, and the locks that such a chain holds.

In: what an action declares. Out: the locks that the whole chain takes before its first step and keeps until it has
settled. Their keys live apart from those of actions: a step never waits for its own chain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from actions.errors import DeclarationError
from actions.limits import Lock


@dataclass(frozen=True, slots=True, init=False)
class Chain:
    """Runs in a chain alone: when a later step fails for good, what this one did is undone."""

    locks: tuple[Lock, ...]
    """What the whole chain holds; their templates may name the parameters of the action that declares them."""

    def __init__(self, lock: Lock | str | Sequence[Lock | str] | None = None) -> None:
        object.__setattr__(self, "locks", locks_of("a chain", lock))  # the dataclass is frozen
        if replacing := [each.key for each in self.locks if each.policy == "replace"]:
            raise DeclarationError(
                f"the chain's lock {replacing[0]!r} replaces: a chain would have to be undone first; "
                "use wait or refuse"
            )


def checked_chain(action: str, given: Any, parameters: Iterable[str]) -> Chain | None:
    """Return what was declared: True is a chain without locks, False is none.

    Raises:
        DeclarationError: it is something else, or a lock's key names what is no parameter.
    """
    if given is False or given is None:
        return None
    chain = Chain() if given is True else given
    if not isinstance(chain, Chain):
        raise DeclarationError(
            f'{action}: chain has to be True, False or Chain("orders:{{principal}}"), not {given!r}'
        )
    known = tuple(parameters)
    for lock in chain.locks:
        lock.template.check(action, known)
    return chain


def locks_of(owner: str, given: Any) -> tuple[Lock, ...]:
    """Return one lock or several, each a Lock or its key.

    Raises:
        DeclarationError: for anything else, and for two locks with the same key.
    """
    locks: list[Lock] = []
    several: tuple[Any, ...] = tuple(given) if isinstance(given, list | tuple) else (given,)
    for each in () if given is None else several:
        if not isinstance(each, Lock | str):
            raise DeclarationError(f"{owner}: lock has to be Lock(...), a key, or several, not {each!r}")
        try:
            locks.append(Lock(each) if isinstance(each, str) else each)
        except DeclarationError as error:
            raise DeclarationError(f"{owner}: {error}") from None
    if len({lock.key for lock in locks}) < len(locks):
        raise DeclarationError(f"{owner}: two of its locks have the same key: keep one")
    return tuple(locks)
