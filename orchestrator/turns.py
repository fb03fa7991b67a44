"""The loop, written once: `advance` leads a turn from one round to the next.

It is itself a run on the queue `turns`, made ready by the store when a turn starts or a round is complete. In: that
run. It asks the model, reads the reply, plans the calls and opens the round; the store ends this run in the same
step, so a worker that dies in the middle changes nothing, and one that comes back late is turned away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic_core import to_json

from actions.errors import Fail, TryAgain
from actions.messages import Payload, mended
from actions.policy import Retry
from actions.transcripts import last_said
from orchestrator import intake, planning
from orchestrator.accepting import Accepting
from orchestrator.bad_replies import end_of, failure_in, is_bad, mistake_in, note_on
from orchestrator.digests import digest
from orchestrator.guards import Caps
from orchestrator.modes import Manner
from orchestrator.moving import moved
from orchestrator.offers import tools
from orchestrator.people import is_silent
from orchestrator.store.incoming import Lead
from orchestrator.waiting_replies import waiting_reply

if TYPE_CHECKING:
    from actions.messages import Reply, TurnId
    from actions.registry import Registry
    from actions.services import Model
    from orchestrator.planning import Plan
    from orchestrator.store.records import Claimed, ConversationRecord
    from orchestrator.store.store import Store

ADVANCE: Final = "umbel.advance"
"""What the payload of such a run names as its action; models cannot call it (no action may have a dot in its name)."""
QUEUE: Final = "turns"
"""The Celery queue of these runs, so that slow models do not stand in the way of actions."""
RETRY: Final = Retry(3, initial="500ms", factor=2, cap="10s")
"""How a model that does not answer, or answers nothing usable, is asked again."""
TIMEOUT_S: Final = 180.0
"""Seconds that one attempt of leading a turn may take, the model's answer included."""
MAX_ROUNDS: Final = 10
"""Rounds of one turn, unless its caller says otherwise (Jido AI's tool loop has the same bound)."""


def lead(max_rounds: int = MAX_ROUNDS, *, mode: str = "", trace: str = "", bad: int = 0) -> Lead:
    """What makes `advance` follow a turn's start and each of its rounds.

    `mode` is how the turn's calls are run, `trace` the trace context that they pass on, `bad` how many replies of no
    use there were in a row.
    """
    payload = Payload(ADVANCE, mode=mode, trace=trace, bad=bad)
    return Lead(lane=QUEUE, payload=payload.encode(), max_rounds=max_rounds)


async def advance(
    run: Claimed,
    store: Store,
    registry: Registry,
    model: Model,
    *,
    caps: Caps | None = None,
    audit: bool = False,
    accepting: Accepting | None = None,
) -> str:
    """Ask the model once and open the round that it answers with; return the store's verdict, "ok" or "stale".

    A reply of no use is told the model in the next round, until there were too many of them in a row.

    Args:
        run: the leading run that was claimed.
        store: where its turn lives.
        registry: the actions that the model may ask for.
        model: whom to ask.
        caps: how much of a turn, a conversation and a tenant may run at once; the defaults if None.
        audit: whether the audit hears of each call.
        accepting: which replies are accepted; the defaults if None.

    Raises:
        TryAgain: the model did not answer, or nothing that can be read.
        Fail: this run cannot lead a turn (the conversation is gone).
    """
    conversation, moves = moved(await store.conversations.read(run.conversation), registry)
    number, told = round_of(run.id), Payload.decode(run.payload)
    step = _Step(run, store, registry, conversation, moves, told, caps or Caps(), accepting or Accepting())
    if number == 0 and (waited := waiting_reply(told)) is not None:
        following = lead(mode=waited.next_mode, trace=told.trace)
        manner = replace(waited.manner, audit=audit)
        return await step.open(waited.reply, manner, goes_on=waited.goes_on, following=following)
    messages = await store.conversations.messages(run.conversation)
    if conversation.participants and is_silent(conversation, last_said(messages)):
        return await _pass_over(run, store, conversation, moves)
    request: dict[str, Any] = {"messages": messages}
    if offered := tools(registry, conversation):
        request["tools"] = offered
    body = await model.ask(request)
    reply = intake.read(body, dialects=step.accepting.dialects_of(conversation.dialects))
    if (failure := failure_in(reply)) is not None:  # the same question again
        raise TryAgain(reason=f"the model's reply cannot be read: {failure.message}")
    manner = Manner(mode=told.mode, audit=audit, trace=told.trace)
    return await step.open(reply, manner, goes_on=reply.continues and bool(reply.calls))


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of a turn: what it has to open a round with."""

    run: Claimed
    store: Store
    registry: Registry
    conversation: ConversationRecord
    moves: tuple[str, int] | None
    told: Payload
    caps: Caps
    accepting: Accepting

    async def open(
        self,
        reply: Reply,
        manner: Manner,
        *,
        goes_on: bool,
        following: Lead | None = None,
    ) -> str:
        """Plan the calls of a reply and open the round with them; `following` leads on in place of what led so far."""
        run, conversation = self.run, self.conversation
        number = round_of(run.id)
        planned = planning.plan(
            reply,
            conversation,
            cast("TurnId", run.turn),
            number,
            self.registry,
            caps=self.caps,
            manner=manner,
        )
        bad, ends = self._count(reply, planned, waits=following is not None)
        mistake = mistake_in(reply) if bad and not ends else None
        messages = [planned.message, *([note_on(mistake)] if mistake else [])]
        if following is None and bad != self.told.bad:
            following = lead(mode=self.told.mode, trace=self.told.trace, bad=bad)
        verdict = await self.store.conversations.round(
            conversation.id,
            run.turn,
            digest(planned.message),
            number,
            messages,
            planned.runs,
            by=(run.id, run.fence),
            lead=following or lead(),
            leads_afresh=following is not None,
            goes_on=(goes_on or bad > 0) and not ends,
            moves=self.moves,
            mode="" if planned.mode == "all" else planned.mode,
            answered=bool(reply.text.strip()) and not bad,
            chain_lead=planned.chain_lead,
            ends=ends,
        )
        if verdict == "ok":
            planned.log_refusals(conversation.id)
        return _checked(verdict)

    def _count(self, reply: Reply, planned: Plan, *, waits: bool) -> tuple[int, str]:
        """How many replies of no use there are in a row, and why the turn ends if they are too many (JSON)."""
        if waits or not is_bad(reply, planned):  # who has posted a reply hears of it, whatever the model does
            return 0, ""
        bad = self.told.bad + 1
        if bad < self.accepting.bad_replies:
            return bad, ""
        return bad, to_json(end_of(bad, reply, planned)).decode()


async def _pass_over(
    run: Claimed, store: Store, conversation: ConversationRecord, moves: tuple[str, int] | None
) -> str:
    """End the turn without a word: the agent is muted here, and nobody has called it by its name."""
    verdict = await store.conversations.round(
        conversation.id,
        run.turn,
        digest("muted"),
        round_of(run.id),
        [],
        [],
        by=(run.id, run.fence),
        moves=moves,
    )
    return _checked(verdict)


def _checked(verdict: str) -> str:
    if verdict not in {"ok", "stale"}:
        raise Fail(f"the round could not be opened: {verdict}")
    return verdict


def round_of(run_id: str) -> int:
    """The number of the round that a leading run (`run_….3.next`) is to open."""
    return int(run_id.rsplit(".", 2)[1])


def user_message(text: str) -> str:
    """A user's message in OpenAI's chat shape, as JSON."""
    return to_json({"role": "user", "content": mended(text)}).decode()
