"""The face for those who hand work in: conversations, replies, single runs, and their results.

In: what a person or a service brings (a reply of a model, a user's message, a call). Out: ids at once, results when
they exist. It never waits for a run unless it is asked to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actions.errors import InvalidId, UnusableReply
from actions.messages import TurnId, new_turn_id, turn_id_from_key
from orchestrator import ids, intake, planning, reading, turns
from orchestrator.answers import Ended, Posted, check_accepted
from orchestrator.chaining import callers_locks
from orchestrator.decisions import Decisions
from orchestrator.digests import owner_of, request_digest
from orchestrator.evaluators import When, draft_evaluators
from orchestrator.modes import Manner, Mode, check_mode
from orchestrator.moving import moved
from orchestrator.rooms import Rooms
from orchestrator.second_chances import SecondChances
from orchestrator.single_runs import SingleRuns
from orchestrator.submission import Submission
from orchestrator.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.limits import Lock
    from actions.messages import Reply
    from orchestrator.reading import Standing
    from orchestrator.store.incoming import Lead, NewRun

__all__ = ["Conductor", "Ended", "Posted", "Submission"]


class Conductor(SingleRuns, Rooms, Decisions, SecondChances):
    """Hands work to the store."""

    async def post_reply(
        self,
        conversation: str,
        body: str | bytes | dict[str, Any],
        *,
        format: str | None = None,  # noqa: A002 - the field's word
        key: str | None = None,
        then: Lead | None = None,
        mode: Mode | None = None,
        merge: bool = False,
        locks: Lock | str | Sequence[Lock | str] | None = None,
    ) -> Posted:
        """Run the calls of a model's reply; their results come into the conversation together.

        Args:
            conversation: where the reply belongs.
            body: a provider's response or text, whole.
            format: its format, if it shall not be detected.
            key: an idempotency key: the same key and request (reply, mode, merge, locks) begin one turn only.
            then: what follows when the round is complete; None: the turn ends.
            mode: how the calls are run: `all`, `sequence` or `chain`; None: as the conversation says, else `all`. An
                action that runs only in a chain makes a chain of them.
            merge: whether each step of a chain gets the results of the steps before it, for what its call leaves out.
            locks: what the chain holds from before its first step until it has settled.

        Raises:
            UnusableReply: there is nothing in it but errors.
            UnknownConversation: there is none with this id.
            ConversationBusy: another turn lives; post again when it has ended.
            IdempotencyConflict: the key was used for another reply.
            DeclarationError: there is no such mode, or merge or locks were given for what is no chain.
        """
        reply = intake.read(body, format)
        if (flaw := intake.unusable(reply)) is not None:
            raise UnusableReply(f"the reply cannot be used: {flaw.code}: {flaw.message}", where=conversation)
        manner = Manner(check_mode(mode), merge, locks=callers_locks(locks), audit=self.audit)
        return await self._post(conversation, reply, manner, key=key, then=then)

    async def _post(
        self,
        conversation: str,
        reply: Reply,
        manner: Manner,
        *,
        key: str | None = None,
        then: Lead | None = None,
        owner: str = "",
    ) -> Posted:
        """Plan the calls of a reply and open a turn with them; `owner`: whose it is, where a repetition may say it."""
        turn = turn_id_from_key(conversation, key, self._cell) if key else new_turn_id(self._cell)
        record, moves = moved(await self._store.conversations.read(conversation), self._registry)
        if owner and owner != owner_of(record.principal, record.permissions):
            check_accepted("conflict", conversation)  # it was opened by this key, for somebody else
        planned = planning.plan(reply, record, turn, 0, self._registry, self.caps, manner)
        verdict = await self._store.conversations.round(
            conversation, turn, request_digest(planned.message, reply.calls, manner.mark, owner),
            0, [planned.message], planned.runs,
            lead=then, goes_on=then is not None, moves=moves,
            mode="" if planned.mode == "all" else planned.mode, answered=bool(reply.text.strip()),
            evaluators=draft_evaluators(record, turn, self._registry, audit=self.audit),
            chain_lead=planned.chain_lead,
        )  # fmt: skip
        check_accepted(verdict, conversation)
        repeated = verdict == "exists"
        if not repeated:
            planned.log_refusals(conversation)
        runs = () if repeated else tuple(run.id for run in planned.runs)
        return Posted(turn, runs, tuple(planned.refused), reply, repeated)

    async def say(
        self, conversation: str, text: str, *, key: str | None = None, mode: Mode | None = None
    ) -> TurnId:
        """Add a user's message and let the model lead a turn; while another turn lives it waits its turn.

        Args:
            conversation: where it is said.
            text: what is said.
            key: an idempotency key: the same key, text and mode begin one turn only.
            mode: how the calls of the model's replies are run: `all`, `sequence` or `chain`; None: as the conversation
                says.

        Raises:
            UnknownConversation: there is none with this id.
            IdempotencyConflict: the key was used for another message.
            DeclarationError: there is no such mode.
        """
        turn = turn_id_from_key(conversation, key, self._cell) if key else new_turn_id(self._cell)
        message = turns.user_message(text)
        asked = check_mode(mode)
        leads = turns.lead(mode=asked)
        verdict = await self._store.conversations.say(
            conversation, turn, request_digest(message, (), asked), message, leads,
            evaluators=await self._evaluators(conversation, turn),
        )  # fmt: skip
        check_accepted(verdict, conversation)
        return turn

    async def _evaluators(self, conversation: str, turn: str) -> list[tuple[When, NewRun]]:
        """What runs by itself after a turn; the conversation is read only where there is something that does."""
        if not self._registry.evaluators:
            return []
        record = await self._store.conversations.read(conversation)
        return draft_evaluators(record, turn, self._registry, audit=self.audit)

    async def interrupt(self, turn: str) -> str:
        """Let the chain of a turn start no further step; what it did stays done, and the results come so far.

        Returns:
            "interrupted": no step follows the one that runs, if one does. "terminal": it had ended, or was being
            undone. "no_chain": the calls of its round are no chain. "missing".

        Raises:
            InvalidId: this is no id of a turn.
        """
        if ids.kind(turn) != "turn":
            raise InvalidId(f"{turn[:80]!r} is no id of a turn", fix="Ids of turns begin with turn_")
        return await self._store.conversations.interrupt(turn)

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
            thread goes on by itself, without effect on our records). "undoing": what a failed chain did is being taken
            back, which nothing stops. "terminal": it had ended before. "missing".

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
