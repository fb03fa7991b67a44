"""Conversations: opening, speaking, rounds; reading them stands in `conversation_reading`.

`open`, `say`, `round`, `cancel` and `forget` are the only ways in which a caller changes one; the rest happens where
runs end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic_core import to_json

from actions.errors import ConversationBusy, IdempotencyConflict
from orchestrator.store.conversation_reading import ConversationReading, unknown
from orchestrator.store.incoming import Lead, NewRun

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestrator.store.values import Value

    Evaluator = tuple[Literal["answered", "always"], NewRun]
    """When it is run, and the run."""


class Conversations(ConversationReading):
    """Conversations in the store."""

    async def open(
        self,
        conversation: str,
        *,
        tenant: str = "",
        principal: str | None = None,
        permissions: Sequence[str] = (),
        machine: str | None = None,
        state: str | None = None,
        context: dict[str, Any] | None = None,
        mode: str | None = None,
        agent: str | None = None,
        dialects: str | None = None,
        participants: Mapping[str, str] | Iterable[str] = (),
        digest: str = "",
    ) -> bool:
        """Make a conversation; False if it was there already (it is left as it is).

        Tenant, principal and permissions are the server's to say: they never come from a model or a message.
        `digest` is of what was asked for, under an id made of an idempotency key.

        Raises:
            ConversationBusy: it is there, and is being removed.
            IdempotencyConflict: it is there, and something else was asked for.
        """
        fields: dict[str, str] = {"u": tenant, "perm": " ".join(permissions)}
        told = {"who": principal, "mode": mode, "agent": agent, "dial": dialects}
        fields |= {name: value for name, value in told.items() if value is not None}
        there = participants if isinstance(participants, Mapping) else dict.fromkeys(participants, "")
        fields |= {f"p:{name}": state for name, state in there.items()}
        if machine is not None and state is not None:
            fields |= {"mach": machine, "st": state}
        for key, value in (context or {}).items():
            fields[f"x:{key}"] = to_json(value).decode()
        pairs = [part for pair in fields.items() for part in pair]
        verdict = await self._connection.run("open", conversation, digest, *pairs)
        if verdict == "conflict":
            raise IdempotencyConflict(
                "this key was used for another request", fix="Use a new key for a new request"
            )
        if verdict == "going":
            raise ConversationBusy(
                f"conversation {conversation} is being removed",
                fix="Wait a moment and open it again, or take a new id",
            )
        return bool(verdict == "ok")

    async def say(
        self,
        conversation: str,
        turn: str,
        digest: str,
        message: str,
        lead: Lead,
        *,
        evaluators: Sequence[Evaluator] = (),
        busy: str = "enqueue",
    ) -> str:
        """Start a turn with a user message: "started", "queued", "exists", "conflict", "missing" or "busy".

        Args:
            conversation: where it is said.
            turn: the turn that it begins.
            digest: of the request; the same turn with another one is a conflict.
            message: in OpenAI's chat shape, JSON; empty: the turn begins without one, with a reply that waited.
            lead: what leads the turn.
            evaluators: runs that are recorded when the turn has ended, each with when: if it was answered, or always.
            busy: what becomes of it while another turn lives, see `modes.Busy`.
        """
        spec: list[Value] = [lead.lane, lead.payload, int(lead.priority), lead.max_rounds]
        spec += [to_json(_rows(evaluators)).decode() if evaluators else "", busy]
        return str(await self._connection.run("say", conversation, turn, digest, message, *spec))

    async def round(
        self,
        conversation: str,
        turn: str,
        digest: str,
        number: int,
        messages: Sequence[str],
        runs: Sequence[NewRun],
        *,
        by: tuple[str, str] | None = None,
        lead: Lead | None = None,
        goes_on: bool = False,
        moves: tuple[str, int] | None = None,
        mode: str = "",
        answered: bool = False,
        evaluators: Sequence[Evaluator] = (),
        chain_lead: NewRun | None = None,
        leads_afresh: bool = False,
        ends: str = "",
    ) -> str:
        """Open a round: "ok", "exists", "conflict", "busy", "missing" or "stale".

        Args:
            conversation: whose round it is.
            turn: a new turn for a posted reply, or the live one.
            digest: of the reply; the same turn with another digest is a conflict.
            number: of the round, from 0.
            messages: the assistant's message (JSON), or none.
            runs: one for each call, in call order, refused ones with their results.
            by: run and fence of what leads the turn; it ends in this step. None for a posted reply.
            lead: what is to follow the rounds of this turn; None: the turn ends with this round.
            goes_on: whether that happens without being asked for by an action.
            moves: the state that the conversation goes to by itself, and the state revision that this was decided
                on; nothing moves if that no longer holds.
            mode: "chain" if the runs are steps of one; their order stands in the runs.
            answered: whether the reply says something to the user.
            evaluators: runs that are recorded when the turn has ended (for a posted reply), see `say`.
            chain_lead: the run that holds the chain's locks, if it has any.
            leads_afresh: whether `lead` takes the place of what led the turn so far (with `by`).
            ends: why the turn ends as failed with this round, JSON; empty: it does not.
        """
        who, fence = by or ("", "")
        told = lead if by is None or leads_afresh else None
        lane, payload, priority = (told.lane, told.payload, int(told.priority)) if told else ("", "", "")
        begin: list[Value] = [conversation, turn, digest, number, who, fence, "1" if goes_on and lead else ""]
        follow: list[Value] = [lead.max_rounds if lead else 1, lane, payload, priority]
        rows = [value for run in runs for value in run.row()]
        rest: dict[str, Any] = {"mode": mode} if mode == "chain" else {}
        if answered:
            rest["ans"] = 1
        if evaluators:
            rest["ev"] = _rows(evaluators)
        if ends:
            rest["end"] = ends
        if chain_lead is not None:
            rest["lead"] = chain_lead.row()
        more = to_json(rest).decode() if rest else ""
        arguments = [*begin, *follow, *(moves or ("", "")), more, len(messages), *messages, *rows]
        return str(await self._connection.run("round", *arguments))

    async def cancel_turn(self, turn: str) -> str:
        """End a turn: "cancelled", "cancelling" (handlers are being stopped), "undoing", "terminal" or "missing".

        undoing: what a failed chain of it did is being taken back, and that is not stopped.
        """
        return str(await self._connection.run("cancel_turn", turn, "turn"))

    async def interrupt(self, turn: str) -> str:
        """Let a chain start no further step; what it did stays done.

        Returns:
            "interrupted", "terminal" (there was nothing to interrupt any more), "no_chain" or "missing".
        """
        return str(await self._connection.run("interrupt", turn))

    async def set_participant(self, conversation: str, name: str, state: str | None) -> None:
        """Say of somebody in it: "", "followed" or "muted"; None: he is not there any more.

        Raises:
            UnknownConversation: there is none with this id.
        """
        told = "-" if state is None else state
        if await self._connection.run("person", conversation, name, told) == "missing":
            raise unknown(conversation)

    async def cancel(self, conversation: str) -> str:
        """End the live turn and all that wait behind it; answers as `cancel_turn` ("terminal": nothing lived)."""
        return str(await self._connection.run("cancel_turn", conversation, "conversation"))

    async def forget(self, conversation: str, *, timeout_s: float = 60.0) -> bool:
        """Cancel what lives, wait for the last finish, and remove everything; whether there was anything.

        New messages hear "missing" at once. If the wait is too long (or this process ends), workers do the rest.

        Raises:
            TimeoutError: a handler has not stopped in time; it is removed when it does.
        """
        if await self._connection.run("cancel_turn", conversation, "forget") == "missing":
            return False
        limit = time.monotonic() + timeout_s
        pause = 0.01
        while await self._connection.run("forget", conversation) == "more":
            if time.monotonic() > limit:
                raise TimeoutError(
                    f"{conversation} still has a run that does not stop; it is removed when it does"
                )
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.5)
        return True


def _rows(evaluators: Sequence[Evaluator]) -> list[tuple[str, tuple[Value, ...]]]:
    return [(when, run.row()) for when, run in evaluators]
