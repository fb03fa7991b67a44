"""How locks, limits and the ladder of a run stand, for people who ask why it waits.

Values without behaviour, as `orchestrator.store` reads them; times are µs since the epoch by Redis's clock. They know
nothing of Redis, so that whoever is told of them needs nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from pydantic import ConfigDict, with_config

TOLD: Final = ConfigDict(use_attribute_docstrings=True)
"""The sentence of each field goes into the API's description, too."""

Where = Literal["held", "here", "parked", "ahead"]


@with_config(TOLD)
@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a place of a lock."""

    run: str
    """The run; for a ghost the one whose handler it was. The HTTP API leaves it empty if it is another tenant's."""
    ghost: bool
    """Whether the run has ended and its handler still goes on."""
    status: str
    """The run's status: one that waits for another guard holds its place as well."""
    since_us: int
    """When that status began, µs since the epoch."""


@with_config(TOLD)
@dataclass(frozen=True, slots=True)
class LockStanding:
    """How a lock stands."""

    key: str
    """What is locked; keys that begin with `~` are caps of the house."""
    places: int
    """How many may hold it."""
    holders: tuple[Holder, ...]
    """Who does, first come first."""
    waiting: int
    """How many wait behind them."""
    now_us: int
    """The store's clock at that moment."""


@with_config(TOLD)
@dataclass(frozen=True, slots=True)
class LimitStanding:
    """How a limit stands for one key."""

    key: str
    """The key, the limit's name first."""
    used: int | None
    """Starts or units that count now; None: nobody told how many it lets through."""
    most: int | None
    """How many there may be at once; 0: an operator has closed it; None: nobody told."""
    next_us: int | None
    """When one more is free, µs since the epoch, in the past if it is now; None: it is closed, or nobody told."""
    cooled_us: int | None
    """Until when it lets nobody through, µs since the epoch; None: it is not cooled."""
    waiting: int
    """Runs that wait for it in their place."""
    parked: int
    """Runs that wait for it for long, without a place."""
    first: str | None
    """Who has the turn when there is room; None: nobody waits; empty, in the HTTP API: a run of another tenant."""
    now_us: int
    """The store's clock at that moment."""


@with_config(TOLD)
@dataclass(frozen=True, slots=True)
class Rung:
    """One guard of a run."""

    key: str
    """What is locked, or counted."""
    where: Where
    """held: it has a place there; here: it waits for it; parked: it waits for long, and holds nothing; ahead: later."""
    before: int | None
    """How many come before it; None: it does not wait there."""
    lock: LockStanding | None
    """How the lock or cap stands; None: it is a limit."""
    limit: LimitStanding | None
    """How the limit stands; None: it is a lock."""


@with_config(TOLD)
@dataclass(frozen=True, slots=True)
class Ladder:
    """What a run waits for beside the clock."""

    rungs: tuple[Rung, ...]
    """Its guards, in the order in which it climbs them."""
    open: int
    """Runs that have to end before it is ready."""
    joined: str | None
    """The run with whose result it ends (dedupe)."""
