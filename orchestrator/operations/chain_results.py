"""What became of a chain or a plan: the records of its runs in, one value that says it all out.

A step that did not succeed has an error, one that was undone says so; what is told to the caller is what is true when
everything has settled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from actions.errors import UnknownRecord
from actions.messages import Payload, Status
from orchestrator.operations.outcome import returned

if TYPE_CHECKING:
    from orchestrator.store.records import RunView

INTERRUPTED: Final = "interrupted"
"""Code of a step that did not run because its chain was interrupted, and status of such a chain."""
_OF_OTHERS: Final = frozenset({"chain_refused", "not_run", "dependency_failed"})
"""Codes of steps with which nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Started:
    """Steps that were begun."""

    conversation: str
    """Where they run."""
    turn: str
    """Their turn; empty if there were no steps."""
    runs: tuple[str, ...]
    """The run of each step, in their order."""
    steps: tuple[str, ...] = ()
    """The name of each step; its action's where it has none."""
    base: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the chain was begun with."""


@dataclass(frozen=True, slots=True)
class StepEnd:
    """What became of one step."""

    step: str
    """Its name in the plan; the action's name if it has none."""
    action: str
    """The action's name."""
    run: str
    """Its run."""
    status: str
    """How its run ended, see `actions.messages.Status`."""
    value: Any = None
    """What its handler returned, also if that was undone; None if it did not succeed."""
    error: dict[str, Any] | None = None
    """Why it did not succeed, or, in a chain, which of its follow-ups failed: `{"error", "code"}`."""
    undo: str | None = None
    """`undone`, `failed`, or `pending` if the undo of a later step failed; None: it was not to be undone."""
    cut: bool = False
    """Whether its value was too long to be kept whole; then that is only the beginning, as `{"truncated": …}`."""

    @property
    def ok(self) -> bool:
        """Whether it succeeded and still holds; a follow-up that failed takes nothing from that."""
        return self.status == Status.SUCCEEDED and self.undo is None


@dataclass(frozen=True, slots=True)
class ChainResult:
    """What became of a chain or a plan."""

    status: str
    """`succeeded`; `interrupted` (what ran stays done, the rest did not begin); `refused` (nothing began), `failed`."""
    steps: tuple[StepEnd, ...] = ()
    """What became of each step, in their order."""
    base: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What it was begun with."""
    conversation: str = ""
    """Where it ran; empty: there was nothing to run."""
    turn: str = ""
    """Its turn."""

    @property
    def ok(self) -> bool:
        """Whether every step succeeded and holds, and nothing stopped the chain."""
        return self.status == Status.SUCCEEDED

    @property
    def value(self) -> dict[str, Any]:
        """What the steps that hold returned, merged in their order over what the chain was begun with."""
        merged = dict(self.base)
        for step in self.steps:
            if step.ok and not step.cut and isinstance(step.value, dict):
                merged |= step.value
        return merged

    @property
    def results(self) -> dict[str, Any]:
        """What each step that holds returned, by the step's name."""
        return {step.step: step.value for step in self.steps if step.ok}

    @property
    def error(self) -> dict[str, Any] | None:
        """Why it is not succeeded: the error of the first step that has one of its own."""
        if self.ok:
            return None
        errors = [step.error for step in self.steps if step.error is not None]
        own = [error for error in errors if error.get("code") not in _OF_OTHERS]
        return next(iter([*own, *errors]), None)


def result_of(started: Started, views: Sequence[RunView | None]) -> ChainResult:
    """The result of what was started, out of the records of its runs.

    Raises:
        UnknownRecord: one is not kept any more.
    """
    ends = tuple(
        _end(name, run, view) for name, run, view in zip(started.steps, started.runs, views, strict=True)
    )
    return ChainResult(_status(ends), ends, started.base, started.conversation, started.turn)


def _end(name: str, run: str, view: RunView | None) -> StepEnd:
    if view is None:
        raise UnknownRecord(
            f"there is no record of the step {name}", where=run, fix="It was kept for UMBEL_RUN_TTL"
        )
    payload = Payload.decode(view.payload)
    known = StepEnd(name, payload.action or payload.called, run, view.status, undo=view.undo)
    result = from_json(view.result or "null")
    if view.status == Status.SUCCEEDED:
        value, cut = returned(view)
        return replace(known, value=value, cut=cut, error=None if view.told is None else _lost(result))
    error = result if isinstance(result, dict) else {"error": str(result), "code": view.status}
    return replace(known, error=error)


def _lost(result: Any) -> dict[str, Any] | None:
    """The error of the follow-up by which a step stopped its chain, out of its result."""
    told = result.get("follow_ups") if isinstance(result, dict) else None
    for each in told if isinstance(told, list) else []:
        if isinstance(each, dict) and each.get("status") != Status.SUCCEEDED:
            own = each.get("result")
            error = own if isinstance(own, dict) else {"code": str(each.get("status"))}
            return {**error, "error": f"its follow-up failed: {error.get('error', each.get('status'))}"}
    return None


def _status(ends: Sequence[StepEnd]) -> str:
    if all(end.status == Status.SUCCEEDED and end.undo is None and end.error is None for end in ends):
        return Status.SUCCEEDED.value
    if any((end.error or {}).get("code") == INTERRUPTED for end in ends):
        return INTERRUPTED
    if all(end.status == Status.REFUSED for end in ends):
        return Status.REFUSED.value
    return Status.FAILED.value
