"""What is said in a conversation: a model's reply or a user's message in, a turn out.

While another turn lives, what comes waits, is refused, takes that one's place, or goes into it: as its sender wants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actions.errors import UnusableReply
from actions.messages import Payload, TurnId, new_turn_id, turn_id_from_key
from orchestrator import intake, planning, turns
from orchestrator.answers import Posted, check_accepted
from orchestrator.chaining import callers_locks
from orchestrator.digests import owner_of, request_digest
from orchestrator.evaluators import When, draft_evaluators
from orchestrator.modes import Busy, Manner, Mode, check_busy, check_mode
from orchestrator.moving import moved
from orchestrator.store.incoming import Lead, NewRun
from orchestrator.waiting_replies import WaitingReply, payload_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.limits import Lock
    from actions.messages import Reply
    from actions.registry import Registry
    from orchestrator.accepting import Accepting
    from orchestrator.guards import Caps
    from orchestrator.store.records import ConversationRecord
    from orchestrator.store.store import Store


class Postings:
    """Posts replies and messages."""

    accepting: Accepting
    audit: bool
    caps: Caps
    _cell: str
    _registry: Registry
    _store: Store

    async def post_reply(
        self,
        conversation: str,
        body: str | bytes | dict[str, Any] | list[Any],
        *,
        format: str | None = None,  # noqa: A002 - the field's word
        key: str | None = None,
        then: Lead | None = None,
        mode: Mode | None = None,
        merge: bool = False,
        locks: Lock | str | Sequence[Lock | str] | None = None,
        busy: Busy = "enqueue",
        trace: str = "",
    ) -> Posted:
        """Run the calls of a model's reply; their results come into the conversation together.

        Args:
            conversation: where the reply belongs.
            body: a provider's response or text, whole. Bytes and texts that are JSON of no known shape count as text.
            format: its format, if it shall not be detected.
            key: an idempotency key: the same key and request (reply, mode, merge, locks, busy, and whether anything
                follows) begin one turn only.
            then: what follows when the round is complete; None: the turn ends.
            mode: how the calls are run: `all`, `sequence` or `chain`; None: as the conversation says, else `all`. An
                action that runs only in a chain makes a chain of them.
            merge: whether each step of a chain gets the results of the steps before it, for what its call leaves out.
            locks: what the chain holds from before its first step until it has settled.
            busy: what becomes of it while another turn lives: it waits (`enqueue`), is refused, or that turn is
                cancelled (`interrupt`). One that waits is planned when its turn comes, by a worker of the turns.
            trace: a W3C `traceparent` that the handlers pass on.

        Raises:
            UnusableReply: there is nothing in it but errors.
            UnknownConversation: there is none with this id.
            ConversationBusy: another turn lives, and it was not to wait; post again when that has ended.
            IdempotencyConflict: the key was used for another reply, or for this one to be handled otherwise.
            DeclarationError: there is no such mode or no such word for `busy`, or merge or locks were given for what is
                no chain.
        """
        check_busy(busy, reply=True)
        found = await self._store.conversations.read(conversation)
        reply = intake.read(body, format, self.accepting.dialects_of(found.dialects))
        if (flaw := intake.unusable(reply)) is not None:
            raise UnusableReply(f"the reply cannot be used: {flaw.code}: {flaw.message}", where=conversation)
        manner = Manner(check_mode(mode), merge, locks=callers_locks(locks), audit=self.audit, trace=trace)
        handled = " ".join([*(["lead"] if then else []), *([busy] if busy != "enqueue" else [])])
        return await self._post(
            conversation, reply, manner, key=key, then=then, busy=busy, handled=handled, found=found
        )

    async def _post(
        self,
        conversation: str,
        reply: Reply,
        manner: Manner,
        *,
        key: str | None = None,
        then: Lead | None = None,
        owner: str = "",
        busy: Busy = "refuse",
        handled: str = "",
        found: ConversationRecord | None = None,
    ) -> Posted:
        """Plan the calls of a reply and open a turn with them.

        `owner`: whose it is, where a repetition may say it; `handled`: what else is part of the request, in words;
        `found`: its record, if that has just been read.
        """
        turn = turn_id_from_key(conversation, key, self._cell) if key else new_turn_id(self._cell)
        found = found or await self._store.conversations.read(conversation)
        record, moves = moved(found, self._registry)
        if owner and owner != owner_of(record.principal, record.permissions):
            check_accepted("conflict", conversation)  # it was opened by this key, for somebody else
        planned = planning.plan(reply, record, turn, 0, self._registry, self.caps, manner)
        asked = request_digest(planned.message, reply.calls, manner.mark, owner, handled)
        after = draft_evaluators(record, turn, self._registry, audit=self.audit)
        verdict = await self._store.conversations.round(
            conversation, turn, asked, 0, [planned.message], planned.runs,
            lead=then, goes_on=then is not None, moves=moves,
            mode="" if planned.mode == "all" else planned.mode, answered=bool(reply.text.strip()),
            evaluators=after,
            chain_lead=planned.chain_lead,
        )  # fmt: skip
        if verdict == "busy" and busy != "refuse":
            waiting = WaitingReply(reply, manner, then is not None, _mode_of(then))
            leads = Lead(
                turns.QUEUE, payload_of(turns.ADVANCE, waiting), max_rounds=then.max_rounds if then else 1
            )
            verdict = await self._store.conversations.say(
                conversation, turn, asked, "", leads, evaluators=after, busy=busy
            )
            if verdict in {"started", "queued"}:
                return Posted(turn, (), (), reply, queued=True)
        check_accepted(verdict, conversation)
        repeated = verdict == "exists"
        if not repeated:
            planned.log_refusals(conversation)
        runs = () if repeated else tuple(run.id for run in planned.runs)
        return Posted(turn, runs, tuple(planned.refused), reply, repeated)

    async def say(
        self,
        conversation: str,
        text: str,
        *,
        key: str | None = None,
        mode: Mode | None = None,
        busy: Busy = "enqueue",
        trace: str = "",
    ) -> TurnId:
        """Add a user's message and let the model lead a turn.

        Args:
            conversation: where it is said.
            text: what is said.
            key: an idempotency key: the same key, text, mode and busy begin one turn only.
            mode: how the calls of the model's replies are run: `all`, `sequence` or `chain`; None: as the conversation
                says.
            busy: what becomes of it while another turn lives: it waits (`enqueue`), is refused, that turn is cancelled
                (`interrupt`), or the message goes into that turn before the model is asked again (`inject`; this turn
                then ends as "injected", and if the other one asks no more, it is next).
            trace: a W3C `traceparent` that the handlers pass on.

        Raises:
            UnknownConversation: there is none with this id.
            ConversationBusy: another turn lives, and it was to be refused then.
            IdempotencyConflict: the key was used for another message.
            DeclarationError: there is no such mode, or no such word for `busy`.
        """
        return (await self.say_once(conversation, text, key=key, mode=mode, busy=busy, trace=trace))[0]

    async def say_once(
        self,
        conversation: str,
        text: str,
        *,
        key: str | None = None,
        mode: Mode | None = None,
        busy: Busy = "enqueue",
        trace: str = "",
    ) -> tuple[TurnId, bool]:
        """Add a user's message as `say` does; return its turn, and whether that was begun before."""
        turn = turn_id_from_key(conversation, key, self._cell) if key else new_turn_id(self._cell)
        message = turns.user_message(text)
        asked = check_mode(mode)
        check_busy(busy)
        leads = turns.lead(mode=asked, trace=trace)
        how = asked if busy == "enqueue" else f"{asked} {busy}"
        verdict = await self._store.conversations.say(
            conversation, turn, request_digest(message, (), how), message, leads,
            evaluators=await self._evaluators(conversation, turn), busy=busy,
        )  # fmt: skip
        check_accepted(verdict, conversation)
        return turn, verdict == "exists"

    async def _evaluators(self, conversation: str, turn: str) -> list[tuple[When, NewRun]]:
        """What runs by itself after a turn; the conversation is read only where there is something that does."""
        if not self._registry.evaluators:
            return []
        record = await self._store.conversations.read(conversation)
        return draft_evaluators(record, turn, self._registry, audit=self.audit)


def _mode_of(then: Lead | None) -> str:
    """How the replies are run that the model gives when it leads on."""
    return "" if then is None else Payload.decode(then.payload).mode
