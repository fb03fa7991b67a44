"""Many calls of a trusted caller that are one request: all of them are recorded, or none and each bad one is told.

They are recorded by one script, whoever dies meanwhile: 1,000 take the store some 100 ms. An idempotency key stands for
the whole batch: the first run has the id that the key alone would make, so that the same key with other calls, or with
a single one, is a conflict.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from actions.canonical import canonical
from actions.errors import DeclarationError, IdempotencyConflict, InvalidId, ModelError
from actions.messages import RunId
from actions.root import UmbelError
from orchestrator.digests import digest
from orchestrator.drafting import check_recordable
from orchestrator.single_runs import SingleRuns
from orchestrator.submission import Submission
from orchestrator.wire_forms import MOST_RUNS

if TYPE_CHECKING:
    from orchestrator.store.incoming import NewRun

MOST_TOLD: Final = 20
"""Bad calls of a batch that are told; the rest of it is not looked at any more."""
_BREATH: Final = 50
"""Calls that are looked at before others of the process have their turn."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The runs of a batch."""

    runs: tuple[RunId, ...]
    """One for each call, in their order."""
    repeated: bool
    """The key was known: nothing was recorded again."""


class RefusedBatch(UmbelError):
    """Calls of a batch cannot run; nothing was recorded."""

    code = "validation"
    exit_code = 65

    def __init__(self, flaws: Sequence[tuple[int, UmbelError]]) -> None:
        """Take the places (from 0) of the bad calls, each with what is wrong with it."""
        count = f"at least {len(flaws)}" if len(flaws) >= MOST_TOLD else f"{len(flaws)}"
        super().__init__(f"{count} of the calls cannot run, so nothing was recorded")
        self.flaws = tuple(flaws)


class Batches(SingleRuns):
    """Submits batches."""

    async def submit_once(self, given: Submission) -> tuple[RunId, bool]:
        """Submit one call as `submit` does; return its run, and whether that was recorded before.

        Raises:
            InvalidId, IdempotencyConflict, ModelError, DeclarationError: as for `submit`.
        """
        try:
            run = self._prepared(given, "1 of 1")
            new = await self._store.runs.submit([run])
        except (ModelError, IdempotencyConflict) as error:
            await self._note_refusal(given, error)
            raise
        return RunId(run.id), not new

    async def submit_batch(self, batch: Sequence[Submission], *, key: str | None = None) -> Recorded:
        """Submit many calls as one request; the audit hears of those that are refused.

        Args:
            batch: the calls, 1,000 at most, without keys of their own.
            key: an idempotency key of the tenant's: the same key and batch are the same runs.

        Raises:
            RefusedBatch: calls that cannot run; it tells of `MOST_TOLD` at most.
            IdempotencyConflict: the key was used for another request; nothing was recorded.
            DeclarationError: there are too many for one step.
        """
        if len(batch) > MOST_RUNS:
            raise DeclarationError(f"a batch has {MOST_RUNS} calls at most, this one has {len(batch)}")
        calls = batch if key is None else _keyed(batch, key)
        runs = await self._looked_at(calls)
        try:
            new = await self._store.runs.submit(runs, together=key is not None)
        except IdempotencyConflict as error:
            await self._note_refusal(calls[0], error)
            raise
        return Recorded(tuple(RunId(run.id) for run in runs), repeated=new < len(runs))

    async def _looked_at(self, calls: Sequence[Submission]) -> list[NewRun]:
        runs: list[NewRun] = []
        flaws: list[tuple[int, UmbelError]] = []
        for at, given in enumerate(calls):
            try:
                runs.append(self._prepared(given, "1 of 1"))
            except (ModelError, DeclarationError, InvalidId) as error:
                flaws.append((at, error))
                await self._note_refusal(given, error)
                if len(flaws) == MOST_TOLD:
                    break
            if at % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)
        if flaws:
            raise RefusedBatch(flaws)
        return runs


def _keyed(batch: Sequence[Submission], key: str) -> list[Submission]:
    """The calls, each with a key of its own that no caller can send (theirs have no line breaks)."""
    whole = digest(canonical([_asked(given) for given in batch]))
    return [
        replace(given, key=key if at == 0 else f"{key}\n{at}", batch=whole) for at, given in enumerate(batch)
    ]


def _asked(given: Submission) -> list[Any]:
    """What is asked for, as far as the digest of a call alone does not tell it of the others."""
    try:
        check_recordable(given.arguments)
    except ModelError:  # it is refused for that a moment later
        return [given.action]
    return [given.action, given.arguments, given.delay, given.deadline, given.retry, given.timeout]
