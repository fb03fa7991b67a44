"""Declared rate limits, locks and dedupe, and their arithmetic; nothing here is enforced.

In: what an author declares. Out: frozen values whose keys are read as templates; what makes no sense is refused
here. The store counts and holds: a limit is never exceeded and a lock has one holder, however many workers run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from pydantic.fields import FieldInfo

from actions import costs
from actions.errors import DeclarationError
from actions.policy import duration, whole
from actions.templates import Template

MOST_PLACES: Final = 100_000
"""Places of a lock; a cap beyond it bounds nothing."""
REMEMBERED: Final = 1_000
"""Starts that an exact window remembers at most: 9 bytes of the store each."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_FIRST: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]*(?::|$)")

Over = Literal["wait", "refuse"]


@dataclass(frozen=True, slots=True, init=False)
class RateLimit:
    """At most `n` starts (or units of cost) in any window of length `per`, over all workers.

    With n up to 1,000, no `burst` and a cost of 1 the window is exact: n may start at once, and the store remembers the
    last n starts. Else it is GCRA (ITU-T I.371, the virtual scheduling algorithm): `burst` units at once, then one for
    each `interval`, which is `per / (n - burst + 1)`, for with `per / n` nearly 2n would pass in one window.
    """

    n: int
    """Starts, or units of cost, in each window."""
    per: timedelta
    """Length of the window."""
    key: str
    """Template of whose starts are counted together; "" counts all under the limit's name."""
    name: str
    """By which operators change it, and the beginning of its key; "": the action's name."""
    burst: int
    """Units at once; 0 for an exact window."""
    cost: costs.Cost
    """Units of one run: a number, a template of one parameter (`"{tokens}"`), or a function of the params."""
    over: Over
    """What a run does that finds no room: wait for it, or be refused and told when to try again."""
    template: Template
    """The key, read."""

    def __init__(
        self,
        n: int,
        per: timedelta | float | str,
        *,
        key: str = "",
        name: str | None = None,
        burst: int | None = None,
        cost: costs.Cost = 1,
        over: Over = "wait",
    ) -> None:
        whole("a rate limit's n", n)
        length = duration(per)
        if not length:
            raise DeclarationError('a rate limit needs a window: RateLimit(5, per="1m")')
        exact = burst is None and n <= REMEMBERED and cost == 1
        at_once = 0 if exact else max(1, n // 2) if burst is None else burst
        if not exact:
            whole("a rate limit's burst", at_once, most=n)
        costs.check(cost, at_once or 1)
        if name is not None:
            check_name(name)
        _one_of("a rate limit's over", over, ("wait", "refuse"))
        keep = object.__setattr__  # the dataclass is frozen
        keep(self, "n", n)
        keep(self, "per", length)
        keep(self, "key", key)
        keep(self, "name", name or "")
        keep(self, "burst", at_once)
        keep(self, "cost", cost)
        keep(self, "over", over)
        keep(self, "template", Template.read(key))

    @property
    def exact(self) -> bool:
        """Whether the last n starts are remembered; else it is GCRA."""
        return not self.burst

    @property
    def interval(self) -> timedelta:
        """How long one unit takes to come back once the burst is used up; nothing for an exact window."""
        return timedelta(0) if self.exact else self.per / (self.n - self.burst + 1)

    @property
    def most(self) -> int:
        """Units that one run may take at most."""
        return self.burst or self.n

    def named(self, name: str) -> RateLimit:
        """Return the same limit with this name, if it has none."""
        if self.name:
            return self
        given: dict[str, Any] = {"key": self.key, "cost": self.cost, "over": self.over}
        return RateLimit(self.n, self.per, name=name, burst=self.burst or None, **given)

    def units(self, params: Any) -> int:
        """Return the units that a run with these params takes.

        Raises:
            ValueError: the parameter or the function gives no whole number of at least 0.
        """
        return costs.units(self.cost, params)

    @property
    def cost_parameter(self) -> str:
        """The parameter that the cost names, "" for none."""
        return costs.parameter_of(self.cost)

    def check(self, action: str, parameters: Mapping[str, FieldInfo]) -> None:
        """Raise DeclarationError for a key or a cost that names what is no parameter of the action."""
        self.template.check(action, parameters)
        costs.check_parameter(action, self.cost, parameters)


@dataclass(frozen=True, slots=True, init=False)
class Lock:
    """One run at a time (or `places`) among those whose key is the same, over all workers.

    It is held for one attempt. Who waits is served in the order in which it came, and takes nothing while it waits.
    """

    key: str
    """Template of what is locked; begins with a plain word and a colon: `orders:{principal}`."""
    policy: Literal["wait", "refuse", "replace"]
    """What a run does that finds it taken: wait, be refused, or cancel who holds it (never an undo) and take it."""
    places: int
    """How many may hold it at the same time."""
    template: Template
    """The key, read."""

    def __init__(
        self, key: str, *, policy: Literal["wait", "refuse", "replace"] = "wait", places: int = 1
    ) -> None:
        text = "conversation:{conversation}" if key == "conversation" else key
        template = Template.read(text)
        if not _FIRST.match(text):
            raise DeclarationError(
                f"the lock {text!r} has to begin with a plain word and a colon: 'orders:{{principal}}'"
            )
        _one_of("a lock's policy", policy, ("wait", "refuse", "replace"))
        whole("a lock's places", places)
        if places > MOST_PLACES:
            raise DeclarationError(
                f"the lock {text!r} has {places} places: {MOST_PLACES:,} at most, or leave the lock out"
            )
        if policy == "replace" and places > 1:
            raise DeclarationError(
                f"the lock {text!r} has {places} places: whom to replace is not clear; use wait or refuse"
            )
        keep = object.__setattr__  # the dataclass is frozen
        keep(self, "key", text)
        keep(self, "policy", policy)
        keep(self, "places", places)
        keep(self, "template", template)


@dataclass(frozen=True, slots=True, init=False)
class Dedupe:
    """Runs of one action with the same arguments, within a window, are one."""

    window: timedelta
    """How long after a run was recorded another one is the same."""
    mode: Literal["join", "refuse"]
    """join: it ends with the result of the first, at once or when that ends; refuse: it is refused."""
    scope: Literal["principal", "conversation", "tenant", "all"]
    """Whose runs can be the same: those of one principal (and tenant), of one conversation, of one tenant, or all."""

    def __init__(
        self,
        window: timedelta | float | str,
        *,
        mode: Literal["join", "refuse"] = "join",
        scope: Literal["principal", "conversation", "tenant", "all"] = "principal",
    ) -> None:
        length = duration(window)
        if not length:
            raise DeclarationError('dedupe needs a window: Dedupe("10m")')
        _one_of("the mode of dedupe", mode, ("join", "refuse"))
        _one_of("the scope of dedupe", scope, ("principal", "conversation", "tenant", "all"))
        keep = object.__setattr__  # the dataclass is frozen
        keep(self, "window", length)
        keep(self, "mode", mode)
        keep(self, "scope", scope)


def check_name(given: Any) -> None:
    """Raise DeclarationError for what cannot be the name of a limit."""
    if not isinstance(given, str) or not _NAME.fullmatch(given):
        raise DeclarationError(
            f"{given!r} cannot name a rate limit: letters, digits, _ . and -, at most 64, no sign first"
        )


def _one_of(what: str, given: Any, known: tuple[str, ...]) -> None:
    if given not in known:
        raise DeclarationError(f"{what} is one of {', '.join(known)}, not {given!r}")
