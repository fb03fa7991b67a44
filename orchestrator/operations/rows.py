"""The runs that the calls of `act` become: calls and options in, one row a call out, in call order.

Bounds of the batch are guards of its runs and its order is barriers between them, so they hold over all workers and go
on without the one who asked. A row without a run is a call that cannot run; it has the error instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from actions.errors import BadReference, ModelError
from actions.messages import TERMINAL, Payload, Reply, RunId
from actions.policy import duration, milliseconds
from orchestrator.auditing import line, masked
from orchestrator.digests import digest
from orchestrator.guards import ordered
from orchestrator.judging import check_offered
from orchestrator.mending import check_repaired
from orchestrator.store.incoming import LimitGuard, LockGuard
from orchestrator.submission import Submission, prepare

if TYPE_CHECKING:
    from actions.messages import Call
    from actions.registry import Registry
    from orchestrator.operations.options import ActOptions
    from orchestrator.planning import Plan
    from orchestrator.store.incoming import NewRun


BATCH: Final = "~act"
"""First word of the keys of a batch; what begins with `~` is the house's own and stands before all shared keys."""


@dataclass(frozen=True, slots=True)
class Row:
    """One call, and the run that it becomes."""

    call: Call
    """What was asked for."""
    name: str
    """The action's name, or what was asked for if there is none."""
    run: NewRun | None = None
    """The run; None for a call that cannot be one."""
    error: dict[str, Any] | None = None
    """Why it cannot run."""

    @property
    def runs(self) -> bool:
        """Whether something is to be waited for."""
        return self.run is not None and self.run.status not in TERMINAL


@dataclass(frozen=True, slots=True)
class Batch:
    """What the runs of one `act` have in common."""

    id: str
    """Made of the idempotency key, or new."""
    options: ActOptions
    """What was asked for."""

    @property
    def guards(self) -> tuple[LockGuard | LimitGuard, ...]:
        """The bounds of this batch alone."""
        found: list[LockGuard | LimitGuard] = []
        if (most := self.options.max_concurrent) is not None:
            found.append(LockGuard(f"{BATCH}:{self.id}", places=most))
        if (pace := self.options.throttle) is not None:
            gap_us = round(duration(pace) / timedelta(microseconds=1))
            found.append(LimitGuard(f"{BATCH}:{self.id}", BATCH, 1, gap_us))
        return tuple(found)

    @property
    def mailbox(self) -> str:
        """Where the ends of its runs are told."""
        return f"act-{self.id}"

    def run_id(self, position: int) -> RunId:
        """The id of the run of one call."""
        return RunId(f"run_{self.id}x{position}")


def alone(
    calls: Sequence[Call],
    batch: Batch,
    registry: Registry,
    cell: str,
    more: Sequence[LockGuard],
    *,
    audit: bool = False,
) -> list[Row]:
    """The rows of calls without a conversation; `more` are the house's own guards, wider than the batch's.

    Raises:
        InvalidId: the tenant or a permission has not the form that keys take.
    """
    guards = (*batch.guards, *more)
    return [_row(at, call, batch, registry, cell, guards, audit=audit) for at, call in enumerate(calls)]


def _row(
    at: int,
    call: Call,
    batch: Batch,
    registry: Registry,
    cell: str,
    guards: Sequence[LockGuard | LimitGuard],
    *,
    audit: bool,
) -> Row:
    if call.error is not None:
        return Row(call, call.name, error={"error": call.error.message, "code": call.error.code})
    options = batch.options
    asked = Submission(
        call.name,
        call.arguments or {},
        run=batch.run_id(at),
        principal=options.principal,
        permissions=options.permissions,
        tenant=options.tenant,
        retry=options.retry,
        timeout=options.attempt_timeout,
        told=True,
    )
    try:
        if call.depends_on or call.uses:
            raise BadReference(
                "calls that depend on each other need a conversation: name one, or use run_plan"
            )
        action = registry.resolve(call.name)
        check_offered(action)  # calls may be written by a model: `submit` is for people
        run = prepare(asked, registry, cell, reply_to=batch.mailbox, guards=guards, audit=audit)
        check_repaired(action, call)
    except ModelError as error:
        return Row(call, call.name, error=error.for_model())
    if options.key is not None:
        run = replace(run, digest=digest(run.payload, options.mark))
    return Row(call, Payload.decode(run.payload).action, run)


def refused_call(row: Row, options: ActOptions, registry: Registry) -> dict[str, Any]:
    """The audit's line of a call that cannot run, in a batch without a conversation."""
    known = registry.resolve(row.call.name) if row.call.name in registry else None
    return line(
        "",
        "asked",
        by=options.principal or "",
        action=known.name if known else "",
        called=row.call.name,
        tenant=options.tenant,
        conversation="",
        arguments=masked(known, row.call.arguments),
        decided=str((row.error or {}).get("code", "")),
    )


def in_round(reply: Reply, planned: Plan, batch: Batch, registry: Registry) -> list[Row]:
    """The rows of calls that were planned as the round of a conversation."""
    rows: list[Row] = []
    for call, run in zip(reply.calls, planned.runs, strict=True):
        payload = Payload.decode(run.payload)
        if run.status in TERMINAL:
            rows.append(Row(call, payload.action or call.name, run, from_json(run.result or "{}")))
            continue
        payload.retry = batch.options.retry
        if batch.options.attempt_timeout is not None:
            payload.timeout_ms = milliseconds(duration(batch.options.attempt_timeout))
        bounded = replace(
            run,
            payload=payload.encode(),
            guards=ordered((*batch.guards, *run.guards), registry),
            total_ms=_least(run.total_ms, batch.options.timeout),
            reply_to=batch.mailbox,
        )
        rows.append(Row(call, payload.action, bounded))
    return rows


def _least(own: int | None, timeout: Any) -> int | None:
    if timeout is None:
        return own
    asked = milliseconds(duration(timeout))
    return asked if own is None else min(own, asked)


def grouped(rows: Sequence[Row], together: int | None) -> list[list[int]]:
    """The positions of what runs, in groups that run together."""
    live = [at for at, row in enumerate(rows) if row.runs]
    size = together or max(1, len(live))
    return [live[at : at + size] for at in range(0, len(live), size)]


def chained(rows: Sequence[Row], groups: Sequence[Sequence[int]], batch: Batch) -> list[Row]:
    """The rows with a barrier between each group and the one before it, beside what they wait for already.

    Runs have to be recorded in the order of the groups: a barrier is as high as the runs before it that are there.
    """
    told = list(rows)
    for number, group in enumerate(groups):
        before = _barrier(batch, number) if number + 1 < len(groups) else ""
        after = _barrier(batch, number - 1) if number else ""
        for at in group:
            if (run := told[at].run) is not None:
                told[at] = replace(told[at], run=replace(run, before=before, after=after))
    return told


def _barrier(batch: Batch, number: int) -> str:
    return f"{batch.id}.{number}"


def delayed(rows: Sequence[Row], first: Sequence[int], delay_ms: int) -> list[Row]:
    """The rows with those that start first starting later."""
    told = list(rows)
    for at in first:
        if (run := rows[at].run) is not None:
            told[at] = replace(rows[at], run=replace(run, delay_ms=delay_ms))
    return told
