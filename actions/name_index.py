"""Actions by their names, and by their similes.

In: actions. Out: dicts whose keys are normalised. What two actions share is reported, all of it at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from actions.errors import AmbiguousAction, DuplicateAction
from actions.names import normalise

if TYPE_CHECKING:
    from actions.definition import Action


def named(actions: Iterable[Action]) -> dict[str, Action]:
    """Return the actions by their names; raise DuplicateAction for all names that two of them have."""
    groups: dict[str, list[Action]] = {}
    for action in actions:
        groups.setdefault(normalise(action.name), []).append(action)
    problems = [f"{them[0].name} ({_homes(them)})" for them in groups.values() if len(them) > 1]
    if problems:
        raise DuplicateAction(
            f"registered twice: {'; '.join(problems)}: rename one, or replace it with with_(..., update=True)"
        )
    return {name: them[0] for name, them in groups.items()}


def aliased(actions: Iterable[Action]) -> dict[str, Action]:
    """Return the actions by their similes; raise AmbiguousAction for all similes that two of them have."""
    groups: dict[str, dict[Action, str]] = {}
    for action in actions:
        for simile in action.similes:
            groups.setdefault(normalise(simile), {})[action] = simile
    problems = [
        f"{next(iter(them.values()))} is a simile of {' and of '.join(each.name for each in them)}"
        for them in groups.values()
        if len(them) > 1
    ]
    if problems:
        raise AmbiguousAction(f"{'; '.join(problems)}: leave it to one of them")
    return {name: next(iter(them)) for name, them in groups.items()}


def _homes(actions: Iterable[Action]) -> str:
    handlers: list[Any] = [action.handler for action in actions]
    return " and ".join(f"{each.__module__}.{getattr(each, '__qualname__', '?')}" for each in handlers)
