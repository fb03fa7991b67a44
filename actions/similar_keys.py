"""Keys of arguments that are nearly those of an action: arguments in, the same under the action's own keys out.

Only for an action that asks for it (`similar_keys`), and only its own parameters: never names of actions, never what
lies deeper. Whoever could mean two parameters, or means one that is given already, is refused with both names: nothing
is overwritten, nothing is chosen. What stays unknown is refused later, as ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from actions import likeness
from actions.errors import DeclarationError, InvalidArguments
from actions.policy import is_number
from actions.short import cut
from actions.wording import told

if TYPE_CHECKING:
    from actions.refusals import Flaw

FORM: Final = "form"
"""Keys may differ in the case of their letters and in what stands between their words, in nothing else."""
LIKE: Final = 0.9
"""How alike (Jaro-Winkler) a key and a parameter have to be where an action says no more than that they may be.

Slips of the keyboard are above it (`amonut` 0.96, `txet` 0.93), other words mostly below (`account`, `amount` 0.86)."""
_SHOWN: Final = 60
_NAMED: Final = 6


class Keyed(Protocol):
    """What takes arguments under keys: an action."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that may be given."""
        ...

    similar_keys: float | str | None
    """What `checked_similar_keys` returned for it."""


def checked_similar_keys(action: str, given: Any) -> float | str | None:
    """Return how alike keys have to be (0 to 1), `FORM`, or None for keys that are taken as they are."""
    if given is None or given is False:
        return None
    if given is True:
        return LIKE
    if given == FORM:
        return FORM
    if is_number(given) and 0 < given <= 1:
        return float(given)
    raise DeclarationError(
        f'{action}: similar_keys has to be True, False, "{FORM}", or how alike keys have to be, above 0 and up to 1, '
        f"not {given!r}"
    )


def under_own_keys(
    action: Keyed, arguments: Mapping[str, Any], taken: Mapping[str, Any] | None = None
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Return the arguments under the action's keys, and which key was read as which, in words.

    Args:
        action: whose parameters they are for.
        arguments: as they were given.
        taken: by key: parameters that something else fills, so that no argument may mean them.

    Raises:
        InvalidArguments: a key could mean several parameters, or one that is given already.
    """
    loose: Any = arguments.keys() - set(action.keys)
    if action.similar_keys is None or not loose:
        return arguments, ()
    unknown = [key for key in loose if isinstance(key, str)]
    found = _matched(action, unknown)
    rest = [key for key in unknown if found.pairs and key not in found.pairs and key not in found.ambiguous]
    beside = {key: target for key in rest for target in _matched(action, [key]).pairs.values()}
    given = {*arguments, *(taken or ()), *beside.values()}
    if flaws := [*_unclear(found), *_given_twice({**found.pairs, **beside}, given)]:
        text, told_flaws = told(flaws)
        raise InvalidArguments(text, flaws=told_flaws)
    words = tuple(f"{cut(key, _SHOWN)} read as {target}" for key, target in found.pairs.items())
    return {found.pairs.get(key, key): value for key, value in arguments.items()}, words


def _matched(action: Keyed, unknown: Sequence[str]) -> likeness.Matched:
    if action.similar_keys == FORM:
        return likeness.match(unknown, action.keys, likeness.same_form, 1.0)
    threshold = LIKE if action.similar_keys is None else float(action.similar_keys)
    return likeness.match(unknown, action.keys, threshold=threshold, careful=True)


def _unclear(found: likeness.Matched) -> list[Flaw]:
    return [
        ((key,), f"is unknown and could mean {' or '.join(targets[:_NAMED])}: write the key itself")
        if len(targets) > 1
        else (
            (key,),
            f"is unknown, and so is another key that could mean {targets[0]} as well: write {targets[0]}",
        )
        for key, targets in found.ambiguous.items()
    ]


def _given_twice(pairs: Mapping[str, str], given: set[str]) -> list[Flaw]:
    return [
        ((key,), f"is unknown and seems to mean {target}, which is given already: give {target} alone")
        for key, target in sorted(pairs.items())
        if target in given
    ]
