"""What an action needs of others: that they succeeded before it, and values out of their results.

In: names as they were declared. Out: the actions behind them, in an order that exists. A name that no action has and
a circle are errors of the declaration, told with all names or the whole path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, Final

from actions.declaration import checked_words
from actions.errors import DeclarationError

if TYPE_CHECKING:
    from actions.definition import Action

_SOURCE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_ -]{0,63}(?:\.[^.\s]+(?: [^.\s]+)*)*", re.ASCII)


def checked_depends_on(action: str, given: Any) -> tuple[str, ...]:
    """Return the names that were declared, one or several, each once."""
    names = (given,) if isinstance(given, str) else given
    return tuple(dict.fromkeys(name.strip() for name in checked_words(action, "depends_on", names)))


def checked_uses(action: str, given: Any, keys: Iterable[str]) -> dict[str, str]:
    """Return which arguments are filled from which result: `{"quote": "GET_QUOTE.price"}`."""
    if not isinstance(given, Mapping):
        raise DeclarationError(
            f'{action}: uses has to be a dict such as {{"quote": "GET_QUOTE.price"}}, not {given!r}'
        )
    known = tuple(keys)
    if unknown := [str(key) for key in given if key not in known]:
        raise DeclarationError(
            f"{action}: uses fills {', '.join(unknown)}, which is no parameter; "
            f"it has {', '.join(known) or 'none'}"
        )
    for key, source in given.items():
        if not isinstance(source, str) or not _SOURCE.fullmatch(source):
            raise DeclarationError(
                f"{action}: uses fills {key} from {source!r}: write an action's name, and behind dots the way to "
                'the value in its result: "GET_QUOTE.price"'
            )
    return dict(given)


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
