"""`act`: calls in, one result for each out, in their order; every call is a durable run.

Read the calls, make runs of them, hand these in, wait for their ends. What a caller asks for (bounds, order, clocks)
is in the records, so it holds when the caller dies, and no record waits for one that is not there; with a key the
caller can ask again and gets the same runs. In a conversation request and results are messages, once.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from actions.messages import (
    Reply,
    Status,
    TurnId,
    new_run_id,
    new_turn_id,
    run_id_from_key,
    turn_id_from_key,
)
from actions.policy import duration, milliseconds
from orchestrator import ids, planning
from orchestrator.answers import check_accepted
from orchestrator.digests import request_digest
from orchestrator.guards import caps
from orchestrator.intake import MAX_CALLS
from orchestrator.intake.calls import surplus
from orchestrator.modes import Manner
from orchestrator.moving import moved
from orchestrator.operations import outcome
from orchestrator.operations.calls import Asked, distinct, read
from orchestrator.operations.outcome import Acted, CallFailed
from orchestrator.operations.rows import Batch, Row, alone, chained, delayed, grouped, in_round, refused_call
from orchestrator.waiting import Ends, patiently

if TYPE_CHECKING:
    from actions.messages import Call
    from orchestrator.assembly import House
    from orchestrator.operations.options import ActOptions
    from orchestrator.store.incoming import NewRun
    from orchestrator.store.records import RunView

log: Final = logging.getLogger("umbel.act")

_BATCH: Final = 500
"""Runs of one script call."""


async def act(house: House, asked: Asked | Sequence[Asked], options: ActOptions) -> list[Acted]:
    """Run calls and return what became of each, in the order in which they were given.

    Raises:
        InvalidId: conversation, tenant or permission has not the form that keys take.
        UnknownConversation, ConversationBusy: there is none, or another turn lives in it.
        IdempotencyConflict: the key was used for other calls or options.
        CallFailed: one failed and `suppress_errors` is off.
        StoreUnavailable: Redis was away for half a minute; the runs go on without us.
    """
    calls = read(asked, sanitize=options.sanitize_input)
    if options.unique_input:
        calls = distinct(calls, house.registry)
    walk = _Walk(house, options)
    results = await (walk.in_conversation(calls) if options.conversation else walk.alone(calls))
    failed = sum(not each.ok for each in results)
    log.info("act %s: %d calls, %d of them failed", walk.batch.id, len(results), failed)
    if failed and options.stops_at_failure:
        raise CallFailed(walk.first_failure(results), results)
    return outcome.shaped(results, options)


class _Walk:
    """One `act` on its way."""

    def __init__(self, house: House, options: ActOptions) -> None:
        self._house = house
        self._options = options
        self._cell = house.settings.cell
        self.batch = Batch(self._new_id(), options)
        timeout_s = None if options.timeout is None else duration(options.timeout).total_seconds()
        self._ends = Ends(
            house.store, self.batch.mailbox, timeout_s=timeout_s, stops_at_failure=options.stops_at_failure
        )

    def _new_id(self) -> str:
        """Made of what cannot change when the same is asked for again."""
        conversation, key = self._options.conversation, self._options.key
        if conversation is not None:
            ids.check_conversation(conversation)
            return (turn_id_from_key(conversation, key, self._cell) if key else new_turn_id(self._cell))[5:]
        tenant = self._options.tenant
        ids.check_tenant(tenant)
        return (run_id_from_key(tenant, f"act {key}", self._cell) if key else new_run_id(self._cell))[4:]

    def first_failure(self, results: Sequence[Acted]) -> Acted:
        """The failure that was heard of first, else the first call that could not run, else any."""
        failures = [each for each in results if not each.ok]
        by_run = {each.run: each for each in failures if each.run}
        heard = [by_run[run] for run in self._ends.failed if run in by_run]
        unfit = [each for each in failures if each.status == Status.REFUSED]
        return [*heard, *unfit, *failures][0]

    async def alone(self, calls: Sequence[Call]) -> list[Acted]:
        """Calls without a conversation: what cannot run has no run, the rest is submitted."""
        more = caps(self._house.conductor.caps, tenant=self._options.tenant)
        audit = self._house.conductor.audit
        rows = alone(calls, self.batch, self._house.registry, self._cell, more, audit=audit)
        if audit:
            await self._note_refusals(rows)
        if self._options.stops_at_failure and any(row.error for row in rows):
            return self._told(rows, {})
        groups = grouped(rows, self._options.together)
        rows = self._first_delayed(rows, groups)
        if self._options.stops_at_failure:
            for group in groups:  # recorded one after the other: what stands behind a failure never starts
                if not self._ends.failed and self._ends.left_s:
                    await self._submit(rows, [group])
                    await self._ends.wait_for(_ids(rows, group))
        else:
            rows = chained(rows, groups, self.batch)
            await self._submit(rows, groups)
            await self._ends.wait_for(_ids(rows, [at for group in groups for at in group]))
        return await self._read(rows)

    async def _note_refusals(self, rows: Sequence[Row]) -> None:
        """Tell the audit of calls that have no record of their own."""
        for row in rows:
            if row.error is not None:
                told = refused_call(row, self._options, self._house.registry)
                await patiently(partial(self._house.store.audit.note, told))

    async def in_conversation(self, calls: Sequence[Call]) -> list[Acted]:
        """Calls as a round of a conversation: the request is the assistant's message, each result a tool message."""
        conversation = self._options.conversation or ""
        store, registry = self._house.store, self._house.registry
        turn = TurnId(f"turn_{self.batch.id}")
        asked = [*calls[:MAX_CALLS], *(surplus(call, MAX_CALLS) for call in calls[MAX_CALLS:])]
        reply = Reply(format="act", calls=tuple(asked))
        record, moves = moved(await store.conversations.read(conversation), registry)
        # The strategy is the caller's word on the order; only an action that runs in chains alone has another one.
        manner = Manner(
            mode="all", in_order=self._options.together is not None, audit=self._house.conductor.audit
        )
        planned = planning.plan(reply, record, turn, 0, registry, self._house.conductor.caps, manner)
        rows = in_round(reply, planned, self.batch, registry)
        if self._options.stops_at_failure and planned.refused:
            return self._told(rows, {})
        groups = grouped(rows, self._options.together)
        rows = chained(self._first_delayed(rows, groups), groups, self.batch)
        runs = [row.run for row in rows if row.run is not None]
        digest = request_digest(planned.message, reply.calls, self._options.mark)
        verdict = await patiently(
            lambda: store.conversations.round(
                conversation, turn, digest, 0, [planned.message], runs, moves=moves,
                mode="" if planned.mode == "all" else planned.mode, chain_lead=planned.chain_lead,
            )
        )  # fmt: skip
        check_accepted(verdict, conversation)
        if verdict != "exists":
            planned.log_refusals(conversation)
        await self._ends.wait_for(_ids(rows, [at for group in groups for at in group]))
        if planned.mode == "chain":  # what is true of its steps is known when it has settled
            with suppress(TimeoutError):
                await self._house.conductor.wait_for_turn(turn, timeout_s=self._ends.left_s)
        return await self._read(rows)

    def _first_delayed(self, rows: list[Row], groups: list[list[int]]) -> list[Row]:
        delay = milliseconds(duration(self._options.initial_delay))
        return delayed(rows, groups[0], delay) if groups and delay else rows

    async def _submit(self, rows: Sequence[Row], groups: Sequence[Sequence[int]]) -> None:
        """Record runs, at most 500 a script, the first ones first.

        Whatever ends this in the middle: what a recorded run waits for is recorded too, so that none waits for ever.
        """
        runs = [run for group in groups for at in group if (run := rows[at].run) is not None]
        for at in range(0, len(runs), _BATCH):
            some = [self._in_time(run) for run in runs[at : at + _BATCH]]
            await patiently(partial(self._house.store.runs.submit, some))

    def _in_time(self, run: NewRun) -> NewRun:
        if (left := self._ends.left_s) == math.inf:
            return run
        most = max(1, round(left * 1000))
        return replace(run, total_ms=min(run.total_ms or most, most))

    async def _read(self, rows: Sequence[Row]) -> list[Acted]:
        """What the records say of all of them."""
        names = [row.run.id for row in rows if row.run is not None]
        views: dict[str, RunView | None] = {}
        for at in range(0, len(names), _BATCH):
            some = names[at : at + _BATCH]
            found = await patiently(partial(self._house.store.runs.read_all, some))
            views |= zip(some, found, strict=True)
        return self._told(rows, views)

    def _told(self, rows: Sequence[Row], views: Mapping[str, RunView | None]) -> list[Acted]:
        return [self._result(row, views) for row in rows]

    def _result(self, row: Row, views: Mapping[str, RunView | None]) -> Acted:
        if row.error is not None:
            return outcome.refused(row)
        view = views.get(row.run.id) if row.run is not None else None
        if row.run is not None and (view is not None or not self._options.stops_at_failure):
            overdue = row.run.id in self._ends.overdue
            return outcome.ended(row, row.run.id, view, timing=self._options.timing, overdue=overdue)
        if not self._ends.left_s:
            return outcome.left_out(row, Status.EXPIRED, "the time was over before its turn came")
        return outcome.left_out(row, Status.CANCELLED, "not run: another call had failed")


def _ids(rows: Sequence[Row], positions: Sequence[int]) -> list[str]:
    return [run.id for at in positions if (run := rows[at].run) is not None]
