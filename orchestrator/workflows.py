"""Workflows: steps, branches and parallel parts as plain values, which one who runs them walks through.

    Workflow([
        step("load", "LOAD", {"id": 7}),
        branch("big", lambda values: values["size"] > 10, "SPLIT", "KEEP"),
        converge("store", "STORE"),
        parallel("told", [("MAIL", {"to": "ada"}), ("MAIL", {"to": "bob"})], max_concurrency=1),
    ])

In: what people write. Out: nodes that are checked when they are made. Values flow through: each step gets those of the
values so far that it has parameters for, under its own arguments, and what it returns, if an object, joins them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from actions.errors import DeclarationError
from actions.policy import whole
from orchestrator.instructions import Instruction, instruction, instructions
from orchestrator.submission import Length, named

PARALLEL: Final = "parallel_results"
"""Under which key the results of a parallel part join the values, if it has no name."""


@dataclass(frozen=True, slots=True)
class StepNode:
    """One action; `converge` makes the same, where two branches meet again."""

    name: str
    """By which results and idempotency keys know it."""
    does: Instruction
    """The action, with its own arguments."""


@dataclass(frozen=True, slots=True)
class BranchNode:
    """One of two ways."""

    name: str
    """By which results and idempotency keys know it."""
    when: Callable[[Mapping[str, Any]], Any] | bool
    """Asked with the values so far, when its turn comes; or the answer itself."""
    then: tuple[Node, ...]
    """What follows if it is true."""
    otherwise: tuple[Node, ...]
    """What follows if not."""


@dataclass(frozen=True, slots=True)
class ParallelNode:
    """Several actions at once."""

    name: str
    """By which results and idempotency keys know it, and the key under which its results join the values."""
    tasks: tuple[Instruction, ...]
    """The actions; each gets the values so far, none what the others return."""
    max_concurrency: int | None
    """How many run at the same time; None: all of them."""
    timeout: Length | None
    """How long each attempt of each may take, if that is less than its action allows; None: as long as that."""
    fail_on_error: bool
    """Whether the first failure cancels the others and fails the workflow; else an error stands in its place."""


Node = StepNode | BranchNode | ParallelNode


@dataclass(frozen=True, slots=True)
class Workflow:
    """Nodes in the order in which they are walked through."""

    nodes: Sequence[Node]
    """At least their names are known before anything runs."""

    def __post_init__(self) -> None:
        nodes = _nodes("a workflow", list(self.nodes))
        object.__setattr__(self, "nodes", nodes)
        names = [node.name for node in _all(nodes)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise DeclarationError(
                f"a workflow: {', '.join(twice)} stands twice: give each node its own name"
            )


def step(name: str, action: Any, arguments: Mapping[str, Any] | None = None) -> StepNode:
    """One action, as `instruction` reads it; `arguments` are for one that is given by name alone.

    Raises:
        DeclarationError: it is none.
    """
    read = instruction(action if arguments is None else (action, arguments))
    if read.context or read.options:
        raise DeclarationError(
            f"{name}: a step has no context and no options of its own: give them to the workflow"
        )
    return StepNode(_name(name), read)


def converge(name: str, action: Any, arguments: Mapping[str, Any] | None = None) -> StepNode:
    """The step where the ways of a branch meet again: it gets whatever the one that was taken has left."""
    return step(name, action, arguments)


def branch(
    name: str,
    when: Callable[[Mapping[str, Any]], Any] | bool,  # noqa: FBT001 - the answer itself, where it is known
    then: Any,
    otherwise: Any = (),
) -> BranchNode:
    """One of two ways, each a node, an instruction or a list of them; an empty list goes on.

    Raises:
        DeclarationError: the condition is none, or a way has what is no node.
    """
    if not callable(when) and not isinstance(cast("Any", when), bool):
        raise DeclarationError(
            f"{name}: the condition is a function of the values so far, True or False, not {when!r:.80}"
        )
    return BranchNode(_name(name), when, _way(name, "then", then), _way(name, "otherwise", otherwise))


def parallel(
    name: str = PARALLEL,
    tasks: Sequence[Any] = (),
    *,
    max_concurrency: int | None = None,
    timeout: Length | None = None,
    fail_on_error: bool = False,
) -> ParallelNode:
    """Several instructions at once; their results join the values as a list under the name, in their order.

    Raises:
        DeclarationError: one is no instruction, or an option makes no sense.
    """
    if max_concurrency is not None:
        whole(f"{name}: max_concurrency", max_concurrency)
    if timeout is not None:
        named(f"{name}: timeout", timeout)
    read = tuple(instructions(list(tasks)))
    if any(each.context or each.options for each in read):
        raise DeclarationError(
            f"{name}: a task has no context and no options of its own: give them to the workflow"
        )
    return ParallelNode(_name(name), read, max_concurrency, timeout, fail_on_error)


def _way(name: str, which: str, given: Any) -> tuple[Node, ...]:
    listed: list[Any] = given if isinstance(given, list) else [] if given == () else [given]
    return _nodes(f"{name}.{which}", listed)


def _nodes(where: str, given: list[Any]) -> tuple[Node, ...]:
    """Nodes; an instruction among them becomes a step that is named after its place."""
    return tuple(
        each if isinstance(each, StepNode | BranchNode | ParallelNode) else step(f"{where}.{at}", each)
        for at, each in enumerate(given)
    )


def _all(nodes: Sequence[Node]) -> list[Node]:
    found: list[Node] = []
    for node in nodes:
        found.append(node)
        if isinstance(node, BranchNode):
            found += [*_all(node.then), *_all(node.otherwise)]
    return found


def _name(given: Any) -> str:
    if not isinstance(given, str) or not given.strip():
        raise DeclarationError(f"{given!r:.80} is no name of a node: a text is wanted")
    return given
