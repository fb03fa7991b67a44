"""What a caller of `act` gets back: calls and the records of their runs in, one result a call out, in call order.

A failure is a result like any other: it has its place, its code and its reason. The options that leave something out
or take lists apart are applied here, after everything has ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from actions.errors import BadReference, OperatorError
from actions.messages import TERMINAL, Status
from orchestrator.references import value_of

if TYPE_CHECKING:
    from orchestrator.operations.options import ActOptions
    from orchestrator.operations.rows import Row
    from orchestrator.store.records import RunView

_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one call took, by the store's clock."""

    waited_s: float
    """Seconds from when it was recorded to the start of its first attempt; of one that never started, to its end."""
    ran_s: float
    """Seconds from there to its end, the waits between attempts included."""


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of one call."""

    action: str
    """Name of the action that ran; of a call that no action answers to, the name that was asked for."""
    arguments: dict[str, Any]
    """The arguments as they were given."""
    status: str
    """`succeeded`, or how else it ended: failed (also if it was undone), timed_out, cancelled, expired, refused,
    denied, dead."""
    value: Any = None
    """What the handler returned, in its JSON form, without its follow-ups; of a failed call `default`, or None."""
    error: dict[str, Any] | None = None
    """Why it failed, `{"error": text, "code": code}`; None for one that succeeded."""
    run: str | None = None
    """The id of its run; None if there was none to be made."""
    attempts: int = 0
    """How many attempts began."""
    timing: Timing | None = None
    """How long it took, if that was asked for and it ran."""

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.status == Status.SUCCEEDED


class CallFailed(OperatorError):
    """A call of `act` failed and errors were not to be suppressed; `results` has what became of each call."""

    code = "call_failed"

    def __init__(self, failed: Acted, results: Sequence[Acted]) -> None:
        told = failed.error or {}
        super().__init__(
            f"{failed.action} {failed.status}: {told.get('error', 'no reason is known')}",
            where=failed.run or "it never ran",
            fix="The error's `results` say what became of the others",
        )
        self.failed = failed
        self.results = list(results)


def refused(row: Row) -> Acted:
    """A call that could not run."""
    run = None if row.run is None else row.run.id
    return Acted(row.name, row.call.arguments or {}, Status.REFUSED.value, error=row.error, run=run)


def left_out(row: Row, status: Status, why: str) -> Acted:
    """A call whose turn never came."""
    return Acted(row.name, row.call.arguments or {}, status.value, error={"error": why, "code": str(status)})


def ended(row: Row, run: str, view: RunView | None, *, timing: bool, overdue: bool) -> Acted:
    """What the record of a run says; one that was not over in time, or cancelled for that (`overdue`), is expired."""
    known = Acted(row.name, row.call.arguments or {}, Status.EXPIRED.value, run=run)
    if view is None:
        return replace(known, error={"error": "its record is not kept any more", "code": "missing"})
    known = replace(known, attempts=view.attempts, timing=_timing(view) if timing else None)
    if view.status not in TERMINAL or (overdue and view.status == Status.CANCELLED):
        told = (
            "it was cancelled, for its time was over"
            if overdue
            else f"the time was over while it was {view.status}"
        )
        return replace(known, error={"error": told, "code": str(Status.EXPIRED)})
    result = from_json(view.result or "null")
    if view.status == Status.SUCCEEDED and view.undo is not None:
        return replace(known, status=Status.FAILED.value, error=_undone(view))
    if view.status == Status.SUCCEEDED:
        return replace(known, status=view.status, value=returned(view)[0])
    error = result if isinstance(result, dict) else {"error": str(result), "code": view.status}
    return replace(known, status=view.status, error=error)


def returned(view: RunView) -> tuple[Any, bool]:
    """What the handler of a run that succeeded returned, without its follow-ups' results; whether it had to be cut."""
    try:
        return value_of(view), False
    except BadReference:  # too long to be kept whole: what is left of it says so
        value = from_json(view.result or "null")
        return value.get("result", value) if view.children else value, True


def _undone(view: RunView) -> dict[str, Any]:
    """What is true of a step whose chain has failed: it was taken back, or is to be."""
    told = from_json(view.told or "null")
    known = isinstance(told, dict) and "error" in told
    return told if known else {"error": "its chain has failed", "code": str(view.undo)}


def _timing(view: RunView) -> Timing:
    end = view.since_us
    recorded = end if view.created_us is None else view.created_us
    began = end if view.began_us is None else view.began_us
    return Timing((began - recorded) / _MICROSECONDS, (end - began) / _MICROSECONDS)


def shaped(results: Iterable[Acted], options: ActOptions) -> list[Acted]:
    """The results as they were asked for: failures filled or dropped, lists taken apart, what is equal once."""
    told = list(results)
    if options.has_default:
        told = [each if each.ok else replace(each, value=options.default) for each in told]
    if options.drop_failed:
        told = [each for each in told if each.ok]
    if options.flatten:
        told = [replace(each, value=value) for each in told for value in _flat(each.value)]
    if options.drop_none:
        told = [each for each in told if not each.ok or each.value is not None]
    return list(_unique(told)) if options.unique_output else told


def _flat(value: Any) -> Iterator[Any]:
    if not isinstance(value, list):
        yield value
        return
    for item in value:
        yield from _flat(item)


def _unique(results: Iterable[Acted]) -> Iterator[Acted]:
    seen: set[str] = set()
    for each in results:
        if each.ok:
            mark = json.dumps(each.value, sort_keys=True)
            if mark in seen:
                continue
            seen.add(mark)
        yield each
