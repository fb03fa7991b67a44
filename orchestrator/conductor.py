"""The face for those who hand work in: conversations, replies, single runs, and their results.

In: what a person or a service brings (a reply of a model, a user's message, a call). Out: ids at once, results when
they exist. It never waits for a run unless it is asked to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actions.errors import ConfigError, UnusableReply
from actions.messages import (
    ConversationId,
    TurnId,
    mended,
    new_conversation_id,
    new_turn_id,
    turn_id_from_key,
)
from orchestrator import ids, intake, planning, reading, turns
from orchestrator.answers import Ended, Posted, check_accepted
from orchestrator.single_runs import SingleRuns
from orchestrator.submission import Submission
from orchestrator.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.reading import Standing
    from orchestrator.store.incoming import Lead

__all__ = ["Conductor", "Ended", "Posted", "Submission"]


class Conductor(SingleRuns):
    """Hands work to the store."""

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
        planned = planning.plan(reply, record, turn, 0, self._registry, caps=self.caps)
        verdict = await self._store.conversations.round(
            conversation, turn, turns.digest(planned.message), 0, [planned.message], planned.runs,
            lead=then, goes_on=then is not None, moves=moves,
        )  # fmt: skip
        check_accepted(verdict, conversation)
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
        check_accepted(verdict, conversation)
        return turn

    async def wait_for_turn(self, turn: str, *, timeout_s: float = 30.0) -> str:
        """Wait until a turn has ended; return how: "done", "failed", "max_rounds", "cancelled" or "missing".

        Raises:
            TimeoutError: it has not, in time.
        """

        async def probe() -> tuple[str, str | None]:
            status = (await self._store.conversations.turn(turn)).get("s", "missing")
            return status, None if status in {"live", "queued"} else status

        return await until(f"turn {turn}", probe, timeout_s)

    async def cancel(self, id: str) -> str:  # noqa: A002 - the word of those who call it
        """Cancel a run, a turn or a conversation's live turn and all that waits behind it, by what its id begins with.

        Returns:
            "cancelled": it has ended. "cancelling": handlers are being stopped (within a second; a sync one in a
            thread goes on by itself, without effect on our records). "terminal": it had ended before. "missing".

        Raises:
            InvalidId: it begins with none of `run_`, `turn_`, `conv_`.
        """
        match ids.kind(id):
            case "run":
                return await self._store.runs.cancel(id)
            case "turn":
                return await self._store.conversations.cancel_turn(id)
            case "conv":
                return await self._store.conversations.cancel(id)

    async def read(self, id: str) -> Standing:  # noqa: A002 - as above
        """How a run, a turn or a conversation stands, and why it waits; arguments are masked.

        Raises:
            InvalidId: it begins with none of `run_`, `turn_`, `conv_`.
            UnknownRecord, UnknownConversation: there is no such record (any more).
        """
        return await reading.read(id, self._store, self._registry)

    async def forget(self, conversation: str) -> bool:
        """Delete a conversation: what runs is cancelled, and with its last end everything is removed.

        Returns:
            Whether there was such a conversation.

        Raises:
            TimeoutError: a handler has not stopped within a minute; what is left is removed when it does.
        """
        ids.check_conversation(conversation)
        return await self._store.conversations.forget(conversation)

    async def messages(self, conversation: str) -> list[dict[str, Any]]:
        """All messages of a conversation in OpenAI's chat shape."""
        return await self._store.conversations.messages(conversation)
