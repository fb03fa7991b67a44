"""What the HTTP API tells of the house itself: the actions that there are, limits and locks, queues."""

from __future__ import annotations

from typing import Any, Literal

from orchestrator.guard_standings import LimitStanding, LockStanding
from orchestrator.wire_answers import Answer


class ActionCard(Answer):
    """An action, as far as callers have to know it."""

    name: str
    """Its name."""
    description: str
    """What the model reads about it."""
    similes: tuple[str, ...]
    """Its other names."""
    category: str
    """A word to sort it under."""
    tags: tuple[str, ...]
    """Words to find it by."""
    version: str
    """The version that its author gave it."""
    queue: str
    """The queue that its runs wait on."""
    priority: str
    """high, normal or low, within its queue."""
    permissions: tuple[str, ...]
    """What a principal needs, all of it."""
    approval: Literal["never", "sometimes", "always"]
    """Whether a person has to approve its runs; sometimes: that depends on the arguments."""
    isolated: bool
    """Whether each run has a process of its own, which is killed when it takes too long."""
    user_only: bool
    """Whether only people may run it; no model is offered it."""
    evaluates: Literal["answered", "always"] | None
    """When it runs by itself after a turn; none: it does not."""
    chain_only: bool
    """Whether it runs only as a step of a chain."""
    undoable: bool
    """Whether a failed chain takes back what it did."""
    may_transition: bool
    """Whether it may move a conversation to another state."""
    everywhere: bool
    """Whether every state allows it."""
    depends_on: tuple[str, ...]
    """Actions that must have succeeded before, in the same conversation."""
    timeout_s: float | None
    """Seconds that one attempt may take; none: no limit."""
    retries: int
    """Attempts that may follow a failed one."""
    limits: tuple[str, ...]
    """Names of its rate limits."""
    locks: tuple[str, ...]
    """What one run holds while it runs, as templates."""
    parameters: dict[str, Any]
    """JSON schema of its arguments."""


class Catalogue(Answer):
    """The actions that there are."""

    actions: tuple[ActionCard, ...]
    """In the order in which they are registered."""


class ToolProblem(Answer):
    """What a provider does not take of an action."""

    action: str
    """The action."""
    field: str
    """Where in it: a part of the tool, or a parameter."""
    text: str
    """What is wrong there."""


class Tools(Answer):
    """The actions as tools for a provider."""

    format: str
    """Whose shape they have."""
    tools: tuple[dict[str, Any], ...]
    """What stands under `tools` in a request to the provider."""
    problems: tuple[ToolProblem, ...]
    """What the provider does not take of them."""


class DeclaredLimit(Answer):
    """A rate limit as an action declares it."""

    name: str
    """The limit's name."""
    action: str
    """The action."""
    n: int
    """Starts (or units) in each window."""
    per_s: float
    """Length of the window in seconds."""
    burst: int | None
    """Units at once; none: exactly n starts in any window."""
    key: str
    """Template of whose starts are counted together; empty: all."""
    over: Literal["wait", "refuse"]
    """What a run does that finds no room."""


class ChangedLimit(Answer):
    """Numbers that an operator gave a limit, or one of its keys."""

    name: str
    """The limit's name."""
    key: str | None
    """The one key that they are for, the name first; none: all."""
    n: int
    """Starts (or units) in each window; 0: nobody starts."""
    per_s: float
    """Length of the window in seconds."""
    burst: int | None
    """Units at once; none: half of n, where the limit has a burst at all."""
    cost: int | None
    """Units of each run in place of its own; none: its own."""


class Limits(Answer):
    """What rate limits and locks there are, and how they stand."""

    declared: tuple[DeclaredLimit, ...]
    """As the actions declare them."""
    changed: tuple[ChangedLimit, ...]
    """What operators have changed."""
    standing: tuple[LimitStanding, ...]
    """How the limits stand, for each key that is in use."""
    locks: tuple[LockStanding, ...]
    """How the locks stand that somebody holds."""


class QueueStanding(Answer):
    """How a queue stands."""

    queue: str
    """Its name."""
    ready: int
    """Runs that may start now."""
    running: int
    """Runs that an attempt of is carried out."""
    waiting: dict[str, int]
    """Runs that wait, by the word for why."""
    oldest_ready_s: float | None
    """Seconds for which the first of those that may start has waited; none: there is none."""
    seen_s: float | None
    """Seconds since a worker last served it; none: no worker did within the last day."""
    partial: bool = False
    """Whether there were too many to look at each of them: more may wait than is told."""


class Queues(Answer):
    """The queues that there are."""

    queues: tuple[QueueStanding, ...]
    """By name."""
