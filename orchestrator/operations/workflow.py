"""Walking through a workflow: its nodes and the first values in, the last values and what became of each node out.

The one who walks is this process: if it ends, what runs goes on, but no further node starts. With an idempotency key a
workflow that is run again finds what it did before by that key, and goes on where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from actions.messages import Call, Status
from orchestrator.digests import digest
from orchestrator.operations.act import act
from orchestrator.operations.options import ActOptions
from orchestrator.operations.outcome import CallFailed
from orchestrator.workflows import BranchNode, ParallelNode, StepNode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orchestrator.assembly import House
    from orchestrator.instructions import Instruction
    from orchestrator.operations.outcome import Acted
    from orchestrator.workflows import Node, Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class Behalf:
    """For whom a workflow runs."""

    principal: str | None = None
    """On whose behalf."""
    permissions: Sequence[str] = ()
    """What that principal may do."""
    tenant: str = ""
    """Whose share of the workers it uses."""
    key: str | None = None
    """An idempotency key; each node has one of its own below it."""


@dataclass(slots=True)
class WorkflowResult:
    """What became of a workflow."""

    values: dict[str, Any]
    """What it was begun with, and what its nodes have returned, so far as it came."""
    steps: list[tuple[str, Acted]] = field(default_factory=list["tuple[str, Acted]"])
    """What became of each action, with its node's name, in the order in which they were run."""
    taken: dict[str, bool] = field(default_factory=dict[str, bool])
    """What the condition of each branch said."""
    failed: str = ""
    """The node that it ended at, because it failed; empty if none did."""
    error: dict[str, Any] | None = None
    """Why, `{"error", "code"}`."""

    @property
    def ok(self) -> bool:
        """Whether it came to its end."""
        return not self.failed


async def run_workflow(
    house: House, workflow: Workflow, params: Mapping[str, Any], behalf: Behalf
) -> WorkflowResult:
    """Walk through the nodes; the first failure ends it.

    Raises:
        InvalidId, IdempotencyConflict, StoreUnavailable: as for `act`.
    """
    walk = _Walk(house, behalf, WorkflowResult(dict(params)))
    await walk.through(workflow.nodes)
    return walk.result


class _Walk:
    """One workflow on its way."""

    def __init__(self, house: House, behalf: Behalf, result: WorkflowResult) -> None:
        self._house = house
        self._behalf = behalf
        self.result = result

    async def through(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            if self.result.failed:
                return
            match node:
                case StepNode():
                    await self._step(node)
                case BranchNode():
                    await self._branch(node)
                case ParallelNode():
                    await self._parallel(node)

    async def _step(self, node: StepNode) -> None:
        (end,) = await act(self._house, [self._call(node.does)], self._options(node.name))
        self.result.steps.append((node.name, end))
        if not end.ok:
            self._fail(node.name, end.error)
        elif isinstance(end.value, dict):
            self.result.values |= end.value

    async def _branch(self, node: BranchNode) -> None:
        try:
            answer = bool(node.when(dict(self.result.values)) if callable(node.when) else node.when)
        except Exception as error:  # noqa: BLE001 - a condition of the author's: it ends this workflow, nothing else
            told = f"the condition of {node.name} failed ({type(error).__name__}: {error})"
            return self._fail(node.name, {"error": told, "code": "condition_failed"})
        self.result.taken[node.name] = answer
        return await self.through(node.then if answer else node.otherwise)

    async def _parallel(self, node: ParallelNode) -> None:
        more = {"max_concurrent": node.max_concurrency, "attempt_timeout": node.timeout}
        options = self._options(node.name, suppress_errors=not node.fail_on_error, **more)
        calls = [self._call(each) for each in node.tasks]
        try:
            ends = await act(self._house, calls, options) if calls else []
        except CallFailed as error:
            ends = error.results
            self._fail(node.name, error.failed.error)
        self.result.steps += ((node.name, end) for end in ends)
        self.result.values[node.name] = [
            end.value if end.status == Status.SUCCEEDED else end.error for end in ends
        ]

    def _call(self, does: Instruction) -> Call:
        """The call of an action, with those of the values so far that it has parameters for."""
        registry = self._house.registry
        keys = registry.resolve(does.action).keys if does.action in registry else ()
        given = {key: value for key, value in self.result.values.items() if key in keys}
        return Call(name=does.action, arguments={**given, **does.arguments})

    def _options(self, name: str, **more: Any) -> ActOptions:
        behalf = self._behalf
        return ActOptions(
            principal=behalf.principal,
            permissions=behalf.permissions,
            tenant=behalf.tenant,
            key=None if behalf.key is None else digest("node", behalf.key, name),  # both may hold spaces
            **more,
        )

    def _fail(self, name: str, error: Mapping[str, Any] | None) -> None:
        self.result.failed = name
        self.result.error = dict(error or {})
