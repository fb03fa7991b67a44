"""What is known when a scenario is over: what was asked, what the store says, what handlers noted; and what is wrong.

Values without behaviour: `stage` fills them in, `checker` judges them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from faults.history import Entry


@dataclass(frozen=True, slots=True)
class Asked:
    """A run that was accepted."""

    run: str
    """Its id."""
    tag: str
    """What its handler says back."""
    expects: frozenset[str] = frozenset({"succeeded"})
    """The statuses that it may end with."""
    once: Literal["", "always", "in touch"] = ""
    """Whether its handler may not begin twice: never, or not as long as workers are in touch with the store (one
    that is not may begin what was taken from it meanwhile; only the fence keeps that apart)."""


@dataclass(frozen=True, slots=True)
class Record:
    """A run as the store has it in the end."""

    status: str
    """Its status."""
    result: str | None
    """Its result as JSON."""
    attempts: int = 1
    """Attempts begun."""
    deaths: int = 0
    """How many of them ended with their worker."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation into which replies were posted, in the end."""

    id: str
    """Its id."""
    rounds: tuple[tuple[tuple[str, str], ...], ...]
    """Of each reply the calls in call order: call id and run."""
    messages: Sequence[Mapping[str, Any]]
    """All its messages."""
    seen: tuple[str, ...]
    """The tags that its handlers left in its context."""


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known when a scenario is over."""

    asked: Sequence[Asked]
    """What was accepted."""
    records: Mapping[str, Record | None]
    """What became of it."""
    entries: Sequence[Entry]
    """What handlers noted."""
    told: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    """The ends that the submitter heard of: status and result."""
    every_end_told: bool = False
    """Whether it must have heard of each: so it is if its own connection was never hurt."""
    listens_to: frozenset[str] = frozenset()
    """The runs whose end it asked to be told."""
    talks: Sequence[Talk] = ()
    """Conversations."""
    endless: Sequence[str] = ()
    """Keys that have no end, and by the legend should have one."""
    stopped: Collection[tuple[int, float]] = ()
    """Processes that were stopped for longer than a lease, and when (ms): what they held then was others' later."""
    nobody_died: bool = False
    """Whether workers only ended as they were asked to: then no attempt may count as a death."""
    out_of_touch: bool = False
    """Whether a worker was alive without the store for longer than a lease."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold."""

    rule: str
    """Which rule, in a word."""
    what: str
    """What was seen."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that was hurt."""

    at_ms: float
    """When, by the machine's clock."""
    pids: frozenset[int] = frozenset()
    """Whom it took away; empty if it was no process of a worker."""
    until_ms: float | None = None
    """When it was over, for what passes."""
