"""Calls in, a plan out: which become runs, in what order, and which are refused at once.

Resolve the name, ask the policy, validate the arguments, order. A refused call keeps its place with its result, so
that each call has exactly one. What a state machine allows is judged here only for calls that stand before the first
possible transition of their reply; the later ones wait for it and are judged when they are claimed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from actions.errors import DeclarationError
from actions.messages import Payload, Status, idempotency_key, run_id_of
from orchestrator import modes
from orchestrator.chaining import guards_of_chain, lead_of, refuse_together
from orchestrator.chat_shape import assistant_message, call_ids, tool_head
from orchestrator.dependencies import Names, depend, refer
from orchestrator.drafting import draft, draft_refused
from orchestrator.guards import Caps
from orchestrator.guards import caps as caps_of
from orchestrator.intake.draft import MAX_LISTED
from orchestrator.judging import Decided, decide, fit, judge_states

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.messages import Call, Reply, TurnId
    from actions.registry import Registry
    from orchestrator.store.incoming import NewRun
    from orchestrator.store.records import ConversationRecord

log: Final = logging.getLogger("umbel.planning")

_NONE: Final[frozenset[str]] = frozenset()
STANDARD_CAPS: Final = Caps()
"""Unless the settings say otherwise."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that does not run, and what the model is told."""

    call: Call
    """What the model asked for."""
    error: dict[str, Any]
    """`{"error": text, "code": code}`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A reply, ready to be submitted as one round."""

    message: str
    """The assistant's message in OpenAI's chat shape, as JSON."""
    runs: list[NewRun]
    """One for each call, in call order; the refused ones are terminal already."""
    refused: list[Refusal]
    """The refused ones again, for people."""
    mode: str = "all"
    """How they are run: all, sequence or chain."""
    chain_lead: NewRun | None = None
    """The run that holds the locks of the chain; None if there are none."""

    def log_refusals(self, conversation: str) -> None:
        """Tell the operator's log what was refused, by name and code: arguments may be anybody's secrets."""
        if self.refused:
            names = ", ".join(
                f"{refusal.call.name:.60} ({refusal.error['code']})" for refusal in self.refused[:8]
            )
            more = f" and {len(self.refused) - 8} more" if len(self.refused) > 8 else ""  # noqa: PLR2004 - a line's worth
            log.info(
                "%s: refused %s%s", conversation, names.encode("ascii", "backslashreplace").decode(), more
            )


def plan(
    reply: Reply,
    conversation: ConversationRecord,
    turn: TurnId,
    number: int,
    registry: Registry,
    caps: Caps = STANDARD_CAPS,
    manner: modes.Manner = modes.AS_USUAL,
) -> Plan:
    """Plan the calls of a reply as round `number` (from 0) of a turn, with these caps on what is in flight.

    Raises:
        DeclarationError: results are to be merged, or locks to be held, by what is no chain, or there are more than
            1,024 calls (a model's are fewer: intake drops the rest).
    """
    if len(reply.calls) > MAX_LISTED:
        raise DeclarationError(
            f"{len(reply.calls):,} calls are too many for one turn: {MAX_LISTED:,} at most, in several turns"
        )
    decided = [decide(call, conversation, registry) for call in reply.calls]
    mode = modes.choose(decided, manner.mode, conversation.mode)
    if mode != "chain" and (manner.merge or manner.locks):
        raise DeclarationError(
            f"merge and locks are for chains, but these calls are run in the mode {mode!r}"
        )
    _settle(decided, mode, manner, conversation, registry)
    return _Drafting(reply, decided, mode, conversation, turn, number, registry, manner).plan(caps)


def _settle(
    decided: Sequence[Decided],
    mode: str,
    manner: modes.Manner,
    conversation: ConversationRecord,
    registry: Registry,
) -> None:
    """Decide on every call what is left to be decided: arguments, state, what it depends on."""
    names = Names(decided, registry) if any(map(_is_tied, decided)) else None
    for at, found in enumerate(decided):
        if names is not None:
            refer(at, found, names)
        fit(found, conversation, registry, _later(at, found, merge=manner.merge))
    if conversation.machine:
        judge_states(decided, registry.machine(conversation.machine), conversation.state)
    if names is not None:
        depend(decided, names, conversation.did, registry, in_order=manner.in_order or mode != "all")
    if mode == "chain":
        refuse_together(decided)


def _is_tied(found: Decided) -> bool:
    call, action = found.call, found.action
    return bool(call.depends_on or call.uses or (action is not None and (action.depends_on or action.uses)))


def _later(at: int, found: Decided, *, merge: bool) -> frozenset[str]:
    """The parameters that come when the call is claimed: referred to, or left to be filled by merging."""
    if not found.uses and not merge:
        return _NONE
    own = frozenset(parameter for parameter, _, _ in found.uses)
    if not merge or not at or found.action is None:
        return own
    return own | (frozenset(found.action.keys) - (found.call.arguments or {}).keys())


@dataclass(slots=True)
class _Drafting:
    """The calls of a reply, decided on, on their way to records."""

    reply: Reply
    decided: list[Decided]
    mode: str
    conversation: ConversationRecord
    turn: TurnId
    number: int
    registry: Registry
    manner: modes.Manner

    def plan(self, caps: Caps) -> Plan:
        """Draft a run for each call."""
        decided, turn, number = self.decided, self.turn, self.number
        ids = call_ids(self.reply.calls, turn, number)
        run_ids = [str(run_id_of(turn, number, at)) for at in range(len(decided))]
        waits = modes.order(decided, self.mode)
        followed = modes.dependents(waits, run_ids)
        lead = self._chain_guards()
        together = sum(1 for found in decided if found.error is None) if self.mode == "all" else 1
        of_round = caps_of(
            caps,
            calls=together,
            turn=turn,
            conversation=self.conversation.id,
            tenant=self.conversation.tenant,
        )
        runs: list[NewRun] = []
        for at, found in enumerate(decided):
            place: dict[str, Any] = {
                "id": run_ids[at],
                "tenant": self.conversation.tenant,
                "position": at,
                "head": tool_head(ids[at]),
                "conversation": self.conversation.id,
                "audit": self.manner.audit,
            }
            payload = self._payload(at, found, run_ids)
            if found.error is not None or found.action is None:
                runs.append(draft_refused(found.error or {}, payload, action=found.action, **place))
                continue
            held = len(waits[at]) + (1 if lead and at == 0 else 0)
            runs.append(
                draft(
                    found.action,
                    found.params,
                    payload,
                    registry=self.registry,
                    principal=self.conversation.principal,
                    guards=found.guards,
                    caps_guards=of_round,
                    status=Status.BLOCKED if held else Status.READY,
                    open=held,
                    dependents=followed[at],
                    chain="step" if self.mode == "chain" else "",
                    **place,
                )
            )
        refused = [Refusal(found.call, found.error) for found in decided if found.error is not None]
        first = lead_of(runs[0], lead, turn, number) if lead else None
        return Plan(assistant_message(self.reply, ids), runs, refused, self.mode, first)

    def _chain_guards(self) -> tuple[Any, ...]:
        if self.mode != "chain" or not self.decided or self.decided[0].error is not None:
            return ()
        return guards_of_chain(self.decided, self.manner.locks, self.conversation, self.registry)

    def _payload(self, at: int, found: Decided, run_ids: Sequence[str]) -> Payload:
        action, call, conversation = found.action, found.call, self.conversation
        payload = Payload(
            action=action.name if action else "",
            arguments=call.arguments or {},
            call_id=call.id,
            called=call.name,
            principal=conversation.principal,
            permissions=conversation.permissions,
            key=idempotency_key(conversation.id, self.turn, self.number, at),
            turn_text=self.reply.text if action and action.everywhere else "",
            trace=self.manner.trace,
        )
        if found.uses:
            payload.uses = tuple((parameter, run_ids[place], path) for parameter, place, path in found.uses)
        if self.manner.merge:
            payload.merge = tuple(run_ids[:at])
            payload.base = dict(self.manner.base) if at else {}
        return payload
