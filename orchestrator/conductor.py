"""The face for those who hand work in: conversations, replies, single runs, and their results.

In: what a person or a service brings (a reply of a model, a user's message, a call). Out: ids at once, results when
they exist. It never waits for a run unless it is asked to.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from actions.errors import (
    ConfigError,
    ConversationBusy,
    IdempotencyConflict,
    StoreRefused,
    UnknownConversation,
    UnusableReply,
)
from actions.messages import (
    TERMINAL,
    ConversationId,
    Payload,
    RunId,
    TurnId,
    mended,
    new_conversation_id,
    new_run_id,
    new_turn_id,
    turn_id_from_key,
)
from actions.params import bind
from orchestrator import ids, intake, planning, turns
from orchestrator.store.keys import lane
from orchestrator.store.records import NewRun, Priority
from orchestrator.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.messages import Reply
    from actions.registry import Registry
    from orchestrator.planning import Refusal
    from orchestrator.settings import Settings
    from orchestrator.store.records import Lead, RunView
    from orchestrator.store.store import Store


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a posted reply."""

    turn: TurnId
    """The turn it began, or the one that the same key began before."""
    runs: tuple[str, ...]
    """One run for each call, in call order; empty when `repeated`."""
    refused: tuple[Refusal, ...]
    """The calls that do not run, with what the model is told."""
    reply: Reply
    """What intake read."""
    repeated: bool = False
    """The key was known: nothing was submitted again."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a run."""

    run: str
    """Which run."""
    status: str
    """A terminal status."""
    result: Any
    """What the model is told: the handler's value, or `{"error", "code"}`."""


class Conductor:
    """Hands work to the store."""

    def __init__(self, settings: Settings, registry: Registry, store: Store) -> None:
        """Work with these."""
        self._cell = settings.cell
        self._registry = registry
        self._store = store
        self._mailbox = secrets.token_hex(6)

    async def open_conversation(
        self,
        conversation: str | None = None,
        *,
        machine: str | None = None,
        state: str | None = None,
        principal: str | None = None,
        permissions: Sequence[str] = (),
        tenant: str = "",
        context: dict[str, Any] | None = None,
    ) -> ConversationId:
        """Make a conversation (once: an id that exists is left as it is) and return its id.

        Args:
            conversation: an id of your own, `conv_…`; a new one if None.
            machine: name of a registered state machine.
            state: where it begins; the machine's initial state if None.
            principal: on whose behalf the model's calls run.
            permissions: what that principal may do.
            tenant: whose share of the workers it uses.
            context: the first context.

        Raises:
            InvalidId: the id or the tenant has not the form that keys take.
            ConfigError: there is no such state machine, or it has no such state.
        """
        chosen = ConversationId(conversation or new_conversation_id(self._cell))
        ids.check_conversation(chosen)
        ids.check_permissions(permissions)
        ids.check_tenant(tenant)
        start = state if machine is None else self._first_state(machine, state)
        await self._store.conversations.open(
            chosen,
            machine=machine,
            state=start,
            principal=None if principal is None else mended(principal),
            permissions=permissions,
            tenant=tenant,
            context=context,
        )
        return chosen

    def _first_state(self, machine: str, state: str | None) -> str:
        known = self._registry.machine(machine)
        if state is not None and state not in known.states:
            raise ConfigError(
                f"the machine {machine} has no state {state!r}",
                where=f"its states: {', '.join(known.states)}",
                fix="Use one of them, or none to begin at the initial one",
            )
        return state or known.initial

    async def post_reply(
        self,
        conversation: str,
        body: str | bytes | dict[str, Any],
        *,
        format: str | None = None,  # noqa: A002 - the field's word
        key: str | None = None,
        then: Lead | None = None,
    ) -> Posted:
        """Run the calls of a model's reply; their results come into the conversation together.

        Args:
            conversation: where the reply belongs.
            body: a provider's response or text, whole.
            format: its format, if it shall not be detected.
            key: an idempotency key: the same key and reply begin one turn only.
            then: what follows when the round is complete; None: the turn ends.

        Raises:
            UnusableReply: there is nothing in it but errors.
            UnknownConversation: there is none with this id.
            ConversationBusy: another turn lives; post again when it has ended.
            IdempotencyConflict: the key was used for another reply.
        """
        reply = intake.read(body, format)
        if (flaw := intake.unusable(reply)) is not None:
            raise UnusableReply(f"the reply cannot be used: {flaw.code}: {flaw.message}", where=conversation)
        turn = turn_id_from_key(conversation, key, self._cell) if key else new_turn_id(self._cell)
        record, moves = planning.moved(await self._store.conversations.read(conversation), self._registry)
        planned = planning.plan(reply, record, turn, 0, self._registry)
        verdict = await self._store.conversations.round(
            conversation, turn, turns.digest(planned.message), 0, [planned.message], planned.runs,
            lead=then, goes_on=then is not None, moves=moves,
        )  # fmt: skip
        _check(verdict, conversation)
        repeated = verdict == "exists"
        if not repeated:
            planned.log_refusals(conversation)
        runs = () if repeated else tuple(run.id for run in planned.runs)
        return Posted(turn, runs, tuple(planned.refused), reply, repeated)

    async def say(self, conversation: str, text: str, *, key: str | None = None) -> TurnId:
        """Add a user's message and let the model lead a turn; while another turn lives it waits its turn.

        Raises:
            UnknownConversation: there is none with this id.
            IdempotencyConflict: the key was used for another message.
        """
        turn = turn_id_from_key(conversation, key, self._cell) if key else new_turn_id(self._cell)
        message = turns.user_message(text)
        verdict = await self._store.conversations.say(
            conversation, turn, turns.digest(message), message, turns.lead()
        )
        _check(verdict, conversation)
        return turn

    async def submit(
        self,
        action: str,
        arguments: dict[str, Any] | None = None,
        *,
        run: str | None = None,
        principal: str | None = None,
        permissions: Sequence[str] = (),
        tenant: str = "",
        told: bool = False,
    ) -> RunId:
        """Submit one call of a trusted caller, without a conversation; return the id of its run.

        Args:
            action: name or simile of an action.
            arguments: its arguments.
            run: an id of your own; submitting it again changes nothing.
            principal: on whose behalf it runs.
            permissions: what that principal may do.
            tenant: whose share of the workers it uses.
            told: whether this conductor will wait for it with `next_end`.

        Raises:
            InvalidId: the id or the tenant has not the form that keys take.
            ModelError: unknown action, missing permission or invalid arguments.
        """
        chosen = RunId(run or new_run_id(self._cell))
        ids.check_run(chosen)
        ids.check_tenant(tenant)
        found = self._registry.resolve(action)
        planning.check_permissions(found, permissions)
        bind(found, arguments or {})
        payload = Payload(
            found.name, arguments or {}, None, action, principal, tuple(permissions), turns.digest(chosen)
        )
        new = NewRun(
            id=chosen,
            lane=lane(found.queue, threaded=not found.is_async),
            payload=payload.encode(),
            priority=Priority[found.priority.upper()],
            tenant=tenant,
            reply_to=self._mailbox if told else "",
        )
        await self._store.runs.submit([new])
        return chosen

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
            StoreRefused: there is no record of such a run.
        """

        async def probe() -> tuple[str, RunView | None]:
            view = await self._store.runs.read(run)
            if view is None:
                raise StoreRefused(
                    f"there is no run {run}", fix="Check the id; ended runs are kept for UMBEL_RUN_TTL"
                )
            return view.status, view if view.status in TERMINAL else None

        return _ended(await until(f"run {run}", probe, timeout_s))

    async def wait_for_turn(self, turn: str, *, timeout_s: float = 30.0) -> str:
        """Wait until a turn has ended; return how: "done", "failed", "max_rounds" or "missing".

        Raises:
            TimeoutError: it has not, in time.
        """

        async def probe() -> tuple[str, str | None]:
            status = (await self._store.conversations.turn(turn)).get("s", "missing")
            return status, None if status in {"live", "queued"} else status

        return await until(f"turn {turn}", probe, timeout_s)

    async def next_end(self, timeout_s: float) -> Ended | None:
        """The next end of a run that was submitted with `told=True`, or None after the timeout."""
        told = await self._store.runs.next_reply(self._mailbox, timeout_s)
        return None if told is None else Ended(told[0], told[1], from_json(told[2]))

    async def cancel(self, run: str) -> str:
        """Cancel a run: "cancelled", "cancelling", "terminal" or "missing"."""
        return await self._store.runs.cancel(run)

    async def messages(self, conversation: str) -> list[dict[str, Any]]:
        """All messages of a conversation in OpenAI's chat shape."""
        return await self._store.conversations.messages(conversation)


def _ended(view: RunView) -> Ended:
    return Ended(view.id, view.status, from_json(view.result or to_json(None)))


def _check(verdict: str, conversation: str) -> None:
    match verdict:
        case "missing":
            raise UnknownConversation(
                f"there is no conversation {conversation}", fix="Open it first, or check the id"
            )
        case "busy":
            raise ConversationBusy(
                f"conversation {conversation} has a live turn",
                fix="Wait for its end and post the reply again",
            )
        case "conflict":
            raise IdempotencyConflict(
                "this key was used for another request",
                where=conversation,
                fix="Use a new key for a new request",
            )
        case _:
            return
