"""Runs without a conversation, for trusted callers: calls in, ids at once, ends when they exist."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from actions.errors import IdempotencyConflict, ModelError, UnknownRecord
from actions.messages import TERMINAL, RunId
from orchestrator.accepting import Accepting
from orchestrator.answers import Ended, ended
from orchestrator.guards import Caps, caps
from orchestrator.submission import Length, Submission, prepare, refused_submission
from orchestrator.waiting import until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from actions.policy import Retry
    from actions.registry import Registry
    from actions.root import UmbelError
    from orchestrator.settings import Settings
    from orchestrator.store.incoming import NewRun
    from orchestrator.store.records import RunView
    from orchestrator.store.store import Store

RUNS_OF_ONE_CALL: Final = 500
"""Runs of one script call, while which nobody else is served."""


class SingleRuns:
    """Submits runs that belong to no conversation, and waits for them when asked to."""

    def __init__(self, settings: Settings, registry: Registry, store: Store) -> None:
        """Work with these."""
        self._cell = settings.cell
        self.caps = Caps.of(settings)
        """How much of a turn, a conversation and a tenant may be in flight."""
        self.audit = settings.audit_cap > 0
        """Whether the audit hears of each call."""
        self.accepting = Accepting.of(settings)
        """Which replies are accepted."""
        self._registry = registry
        self._store = store
        self._mailbox = secrets.token_hex(6)

    async def submit(
        self,
        action: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        run: str | None = None,
        key: str | None = None,
        principal: str | None = None,
        permissions: Sequence[str] = (),
        tenant: str = "",
        deadline: Length | datetime | None = None,
        delay: Length = 0,
        retry: Retry | int | None = None,
        timeout: Length | None = None,
        told: bool = False,
    ) -> RunId:
        """Submit one call of a trusted caller, without a conversation; return the id of its run.

        Args:
            action: name or simile of an action.
            arguments: its arguments.
            run: an id of your own; submitting it again changes nothing.
            key: an idempotency key: the same key (of the same tenant) and request are one run, which is given back.
            principal: on whose behalf it runs.
            permissions: what that principal may do.
            tenant: whose share of the workers it uses.
            deadline: how long from now, or until when, all of it may take; then it ends as `expired`.
            delay: how long from now it is not started.
            retry: instead of the action's retries: how many, or a whole `Retry`.
            timeout: of each attempt, if that is shorter than the action's own.
            told: whether this conductor will wait for it with `next_end`.

        Raises:
            InvalidId: the id or the tenant has not the form that keys take.
            IdempotencyConflict: the key was used for another request.
            ModelError: unknown action, one that runs only in a chain, missing permission or invalid arguments.
        """
        given = Submission(
            action, arguments or {}, run, key, principal, permissions, tenant, deadline, delay, retry, timeout,
            told=told,
        )  # fmt: skip
        return (await self.submit_all([given]))[0]

    async def submit_all(self, batch: Sequence[Submission]) -> list[RunId]:
        """Submit many calls, up to 500 a round trip; return their runs' ids in the same order.

        All are looked at before any is recorded.

        Raises:
            InvalidId, IdempotencyConflict, ModelError: as for `submit`; a note says which of them it is about.
        """
        runs: list[NewRun] = []
        for at, given in enumerate(batch, 1):
            try:
                runs.append(self._prepared(given, f"{at} of {len(batch)}"))
            except ModelError as error:  # it has no record, so the audit is told by hand
                await self._note_refusal(given, error)
                raise
        for at in range(0, len(runs), RUNS_OF_ONE_CALL):
            try:
                await self._store.runs.submit(runs[at : at + RUNS_OF_ONE_CALL])
            except IdempotencyConflict as error:
                await self._note_refusal(batch[at], error)
                raise
        return [RunId(run.id) for run in runs]

    async def _note_refusal(self, given: Submission, error: UmbelError) -> None:
        if self.audit:
            await self._store.audit.note(refused_submission(given, self._registry, error))

    def _prepared(self, given: Submission, place: str) -> NewRun:
        try:
            return prepare(
                given,
                self._registry,
                self._cell,
                reply_to=self._mailbox if given.told else "",
                guards=caps(self.caps, tenant=given.tenant),
                audit=self.audit,
            )
        except Exception as error:
            if place != "1 of 1":
                error.add_note(f"submission {place}: {given.action[:80]}")
            raise

    async def call(
        self, action: str, arguments: dict[str, Any] | None = None, *, timeout_s: float = 30.0, **who: Any
    ) -> Ended:
        """Submit one call and wait for its end.

        Raises:
            TimeoutError: it did not end in time; it goes on by itself.
        """
        run = await self.submit(action, arguments, told=False, **who)
        return await self.wait(run, timeout_s=timeout_s)

    async def wait(self, run: str, *, timeout_s: float = 30.0) -> Ended:
        """Wait until a run is terminal; Redis being away for a moment does not end the wait.

        Raises:
            TimeoutError: it is not, in time.
            UnknownRecord: there is no record of such a run.
        """

        async def probe() -> tuple[str, RunView | None]:
            view = await self._store.runs.read(run)
            if view is None:
                raise UnknownRecord(
                    f"there is no run {run}", fix="Check the id; ended runs are kept for UMBEL_RUN_TTL"
                )
            return view.status, view if view.status in TERMINAL else None

        return ended(await until(f"run {run}", probe, timeout_s))

    async def next_end(self, timeout_s: float) -> Ended | None:
        """The next end of a run that was submitted with `told=True`, or None after the timeout."""
        told = await self._store.runs.next_reply(self._mailbox, timeout_s)
        return None if told is None else Ended(told[0], told[1], from_json(told[2]))
