"""What an action needs of others: that they succeeded before it, and values out of their results.

In: names as they were declared. Out: the actions behind them, in an order that exists. A name that no action has and
a circle are errors of the declaration, told with all names or the whole path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from actions.errors import DeclarationError

if TYPE_CHECKING:
    from actions.definition import Action


def source_of(reference: str) -> tuple[str, str]:
    """Split a reference into what it names and the way into its result, "" for the whole of it."""
    name, _, path = reference.partition(".")
    return name, path


def resolved(
    actions: Iterable[Action], find: Callable[[str], Action | None]
) -> dict[str, tuple[Action, ...]]:
    """Return by name of each action that depends on others which these are, each once.

    Raises:
        DeclarationError: for a name that nobody has, an action that depends on itself, and a circle.
    """
    listed = tuple(actions)
    found: dict[str, tuple[Action, ...]] = {}
    for action in listed:
        for reference in action.uses.values():
            _found(action, "uses", source_of(reference)[0], find, listed)
        if action.depends_on:
            names = action.depends_on
            needed = [_found(action, "depends_on", name, find, listed) for name in names]
            found[action.name] = tuple(dict.fromkeys(needed))
    _check_order(found)
    return found


def _found(
    action: Action, field: str, name: str, find: Callable[[str], Action | None], listed: Iterable[Action]
) -> Action:
    other = find(name)
    if other is None:
        there = ", ".join(sorted(each.name for each in listed))
        raise DeclarationError(
            f"{action.name}: {field} names {name!r}, which is no action here; there are {there}"
        )
    return other


def _check_order(found: Mapping[str, tuple[Action, ...]]) -> None:
    try:
        TopologicalSorter({name: [each.name for each in them] for name, them in found.items()}).prepare()
    except CycleError as error:
        path = " -> ".join(reversed(error.args[1]))
        raise DeclarationError(
            f"actions depend on each other in a circle, so none can be first: {path}; take one depends_on out"
        ) from None
