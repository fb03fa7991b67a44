"""The order in which locks and limits are taken, and what two actions may not declare against each other.

In: all actions of a registry. Out: a rank for the first word of each key, from 0 (narrow) to 3 (wide). It depends
on that word alone: whoever takes two guards takes them in the same order, so no two runs can wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from actions.errors import DeclarationError
from actions.templates import EVERYTHING

if TYPE_CHECKING:
    from actions.definition import Action
    from actions.limits import Lock, RateLimit


def ranks(actions: Iterable[Action]) -> dict[str, int]:
    """Return for each first word the narrowest scope that any key which begins with it names.

    Raises:
        DeclarationError: two declarations contradict each other, or an action wants a check and has none.
    """
    found: dict[str, int] = {}
    limits: dict[str, tuple[Action, RateLimit]] = {}
    locks: list[tuple[Action, Lock]] = []
    chains: list[tuple[Action, Lock]] = []
    for action in actions:
        if action.on_unknown == "check" and action.checker is None:
            raise DeclarationError(
                f'{action.name} has on_unknown="check" and no check: declare one with '
                f"@{action.name.lower()}.check, or choose retry or fail"
            )
        for limit in action.rate_limits:
            _same(action, limit, *limits.setdefault(limit.name, (action, limit)))
            _narrow(found, limit.name, limit.template.scope)
        of_chain = () if action.chain is None else action.chain.locks
        for those, others in ((action.locks, locks), (of_chain, chains)):
            for lock in those:
                _agree(action, lock, others)
                others.append((action, lock))
                _narrow(found, first_word(lock.key), lock.template.scope)
    return found


def first_word(key: str) -> str:
    """Return what stands before the first colon of a key."""
    return key.partition(":")[0]


def _narrow(found: dict[str, int], word: str, scope: int) -> None:
    found[word] = min(found.get(word, EVERYTHING), scope)


def _same(action: Action, limit: RateLimit, other: Action, first: RateLimit) -> None:
    """One name, one limit: only what a run costs, and whether it waits, may differ."""
    mine = (limit.template.parts, limit.n, limit.per, limit.burst)
    if mine != (first.template.parts, first.n, first.per, first.burst):
        raise DeclarationError(
            f"{other.name} and {action.name} declare different rate limits under the name {limit.name}: "
            "make key, n, per and burst the same, or give one of them another name"
        )


def _agree(action: Action, lock: Lock, others: Iterable[tuple[Action, Lock]]) -> None:
    """A key has as many places for everybody."""
    for other, each in others:
        if lock.places != each.places and lock.template.may_equal(each.template):
            raise DeclarationError(
                f"{other.name} locks {each.key} with {each.places} places and {action.name} {lock.key} with "
                f"{lock.places}, and these can be the same lock: make places the same, or change a key"
            )
