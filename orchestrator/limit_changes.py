"""Other numbers for a rate limit: what an operator wants in, what is wrong with it out.

A slip of the pen is found before anything is changed: a limit that nobody has would take its numbers silently, and one
key's numbers would become everybody's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from actions.limits import REMEMBERED, RateLimit
from orchestrator import auditing
from orchestrator.decisions import check_by
from orchestrator.wire_forms import LIMIT_KEY

if TYPE_CHECKING:
    from actions.registry import Registry

MOST: Final = 2**31
"""Numbers of a limit stay below it."""
LONGEST: Final = timedelta(days=366)
"""Length of the longest window."""
SHORTEST: Final = timedelta(milliseconds=1)
"""Length of the shortest window."""


@dataclass(frozen=True, slots=True)
class LimitFlaw:
    """What is wrong with a change."""

    field: Literal["n", "per", "burst", "cost", "key"]
    """Which number."""
    text: str
    """What is wrong with it."""
    fix: str
    """What to do."""


def named(registry: Registry, name: str) -> list[RateLimit]:
    """The limits of this name, as the actions declare them; none: there is no such limit."""
    return [limit for action in registry.actions for limit in action.rate_limits if limit.name == name]


def key_of(name: str, given: str | None) -> str | LimitFlaw | None:
    """The one key that is meant, as the store has it, the limit's name first; None: none was given, so all are meant.

    The bare name is no key: a principal may be called as the limit, and a change for that one would be everybody's.
    """
    if given is None:
        return None
    if given == name:
        return LimitFlaw(
            "key",
            f"{name} alone would be the whole limit, not one key of it",
            f"Write {name}:{name} for the key of that name, or leave it out for all",
        )
    if not re.fullmatch(LIMIT_KEY, given, re.ASCII):
        return LimitFlaw(
            "key",
            f"{given!r:.80} is no key: letters, digits and . _ ~ @ % : -, at most 400 (a * stands for nothing)",
            "`umbel limits` lists those in use",
        )
    return given if given.startswith(f"{name}:") else f"{name}:{given}"


def told(name: str, key: str | None, *, by: str, numbers: str = "as declared") -> dict[str, Any]:
    """The line of a change for the audit, which the store writes in the same step.

    Raises:
        DeclarationError: nobody is named who does it.
    """
    check_by(by)
    return auditing.line("", "limit", by=by, limit=key or name, numbers=numbers)


def flaw_of(
    own: Sequence[RateLimit],
    name: str,
    n: int,
    *,
    key: str | None = None,
    burst: int | None = None,
    cost: int | None = None,
) -> LimitFlaw | None:
    """What is wrong with these numbers for the limits of that name; None: nothing.

    Args:
        own: the limits as they are declared; none: that cannot be told.
        name: what they are called.
        n: starts (or units) in each window.
        key: the one key of the limit that they are for, if they are not for all.
        burst: units at once.
        cost: units of each run.
    """
    if burst is not None and burst > n:
        return LimitFlaw("burst", f"a burst of {burst} is more than the {n} of a window", "Give less")
    if cost is not None and cost > max(n, 1):
        return LimitFlaw("cost", f"a cost of {cost} never fits into {n}", "Give less")
    if key is not None and own and not own[0].key:
        return LimitFlaw("key", f"the limit {name} has one key, its name", "Leave it out")
    return _flaw_of_exact(name, n, burst, cost) if any(limit.exact for limit in own) else None


def _flaw_of_exact(name: str, n: int, burst: int | None, cost: int | None) -> LimitFlaw | None:
    if burst or cost:
        return LimitFlaw(
            "burst" if burst else "cost",
            f"the limit {name} counts starts exactly: it has no burst and no cost",
            "Leave it out, or declare the limit with a burst",
        )
    if n > REMEMBERED:
        return LimitFlaw(
            "n",
            f"an exact limit counts no more than {REMEMBERED} starts",
            "Take fewer in a shorter window, or declare the limit with a burst",
        )
    return None
