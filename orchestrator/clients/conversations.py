"""What a client asks for about conversations and their turns. Each function makes one request.

In: what the caller gives. Out: a `Request`, or a `Paging` for lists. Both clients bind these as their methods.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from orchestrator.clients.paging import Paging
from orchestrator.clients.paths import OfConversation, OfTurn, checked, path
from orchestrator.clients.requests import (
    JSON,
    TEXT,
    Request,
    as_json,
    body,
    made,
    parsed,
    query,
    reads,
    reads_nothing,
)
from orchestrator.wire import (
    Accepted,
    ConversationContext,
    ConversationStanding,
    ConversationState,
    Messages,
    Opened,
    Round,
    Rounds,
    Turns,
    TurnStanding,
)

if TYPE_CHECKING:
    from orchestrator.wire import Busy, Mode


_PAGE: Final = 200
"""Messages of one page."""


def open_conversation(
    *,
    machine: str | None = None,
    state: str | None = None,
    context: Mapping[str, Any] | None = None,
    mode: Mode | None = None,
    agent: str | None = None,
    participants: Mapping[str, str] | Iterable[str] = (),
    dialects: Iterable[str] | None = None,
    key: str | None = None,
) -> Request[Opened]:
    """Open a conversation; it belongs to the principal of the client's key, with that key's permissions.

    Args:
        machine: name of a registered state machine.
        state: where it begins; the machine's first state if None.
        context: the first context.
        mode: how the calls of a reply are run, unless who posts it says otherwise: `all`, `sequence` or `chain`.
        agent: the participant that the model speaks for; "agent" if None.
        participants: who is there from the beginning: names, or names with "", "followed" or "muted".
        dialects: the dialects in which calls may stand in a reply's text, for example ["hermes"]; as the service's
            settings say if None.
        key: an idempotency key of your own: the same key and request are one conversation.
    """
    there = dict(participants) if isinstance(participants, Mapping) else dict.fromkeys(participants, "")
    content = body(
        machine=machine,
        state=state,
        context=None if context is None else dict(context),
        mode=mode,
        agent=agent,
        participants=there or None,
        dialects=None if dialects is None else list(dialects),
    )
    return Request("POST", path("conversations"), reads(Opened), content=content, headers=made(key))


def conversation(conversation: str | OfConversation) -> Request[ConversationStanding]:
    """How a conversation stands.

    Raises:
        NotFound: there is no such conversation (any more).
    """
    return Request("GET", _of(conversation), reads(ConversationStanding))


def forget(conversation: str | OfConversation) -> Request[None]:
    """Delete a conversation: what runs is cancelled, and with its last end everything is removed.

    Raises:
        NotFound: there is no such conversation (any more).
    """
    return Request("DELETE", _of(conversation), reads_nothing, gone_is_done=True)


def messages(conversation: str | OfConversation, *, limit: int | None = None) -> Paging[dict[str, Any]]:
    """The messages of a conversation in OpenAI's chat shape, oldest first; at most `limit`, if that is given."""
    first = Request("GET", _of(conversation, "messages"), reads(Messages), query(limit=_PAGE))
    return Paging(first, lambda page: page.messages, limit)


def state(conversation: str | OfConversation) -> Request[ConversationState]:
    """In which state of its machine a conversation is, and which actions that allows."""
    return Request("GET", _of(conversation, "state"), reads(ConversationState))


def context(conversation: str | OfConversation) -> Request[dict[str, Any]]:
    """What a conversation keeps for its conditions and handlers."""
    return Request(
        "GET",
        _of(conversation, "context"),
        lambda answer: parsed(ConversationContext, answer.content, answer).context,
    )


def turns(conversation: str | OfConversation, *, limit: int | None = None) -> Paging[TurnStanding]:
    """The turns of a conversation, newest first; at most `limit`, if that is given."""
    first = Request("GET", _of(conversation, "turns"), reads(Turns))
    return Paging(first, lambda page: page.turns, limit)


def say(
    conversation: str | OfConversation,
    text: str,
    *,
    mode: Mode | None = None,
    busy: Busy | None = None,
    key: str | None = None,
    traceparent: str | None = None,
) -> Request[Accepted]:
    """Add a user's message and let the model lead a turn.

    Args:
        conversation: where it is said.
        text: what is said.
        mode: how the calls of the model's replies are run; None: as the conversation says.
        busy: what happens while another turn lives: `enqueue` (it waits its turn; so it is if None), `refuse`,
            `interrupt` (that turn is ended first), `inject` (it becomes part of that turn).
        key: an idempotency key of your own: the same key and request begin one turn.
        traceparent: the caller's trace; handlers find it as `ctx.traceparent`.

    Raises:
        Conflict: another turn lives, and `busy` is `refuse`.
        Forbidden: the conversation is another principal's.
        Invalid: no model is configured.
    """
    return Request(
        "POST",
        _of(conversation, "messages"),
        reads(Accepted),
        content=body(text=text, mode=mode, busy=busy),
        headers=made(key, traceparent),
    )


def post_reply(
    conversation: str | OfConversation,
    reply: Any,
    *,
    format: str | None = None,  # noqa: A002 - the field's word
    mode: Mode | None = None,
    busy: Busy | None = None,
    lead: bool = False,
    key: str | None = None,
    traceparent: str | None = None,
) -> Request[Accepted]:
    """Run the calls of a model's reply; their results come into the conversation together.

    Args:
        conversation: where the reply belongs.
        reply: what the provider answered: its JSON as an object (also an SDK's pydantic model) or as bytes; or a text
            that a model wrote.
        format: its format, if it shall not be detected.
        mode: how the calls are run: `all`, `sequence` or `chain`; None: as the conversation says.
        busy: as for `say`, without `inject`.
        lead: whether the service's own model goes on with the turn afterwards.
        key: an idempotency key of your own: the same key and request begin one turn.
        traceparent: as for `say`.

    Raises:
        Invalid: there is nothing in it but errors, or an object has the shape of no known format: `code` is then
            "unusable_reply", and nothing was stored.
        Conflict, Forbidden: as for `say`.
    """
    content, is_text = _reply(reply)
    return Request(
        "POST",
        _of(conversation, "replies"),
        reads(Accepted),
        query(format=format, mode=mode, busy=busy, lead=lead or None),
        content=content,
        media=TEXT if is_text else JSON,
        headers=made(key, traceparent),
    )


def turn(turn: str | OfTurn) -> Request[TurnStanding]:
    """How a turn stands, with the runs of its newest round.

    Raises:
        NotFound: there is no such turn (any more).
    """
    return Request("GET", path("turns", checked(turn, "turn")), reads(TurnStanding))


def rounds(turn: str | OfTurn) -> Request[tuple[Round, ...]]:
    """The rounds of a turn, each with its runs in call order."""
    return Request(
        "GET",
        path("turns", checked(turn, "turn"), "rounds"),
        lambda answer: parsed(Rounds, answer.content, answer).rounds,
    )


def _reply(given: Any) -> tuple[bytes, bool]:
    """A reply as it is sent, and whether it is a text; bytes are what they look like."""
    if isinstance(given, str):
        return given.encode("utf-8", "replace"), True  # a lone surrogate is no letter
    if isinstance(given, bytes):
        return given, not given.lstrip().startswith((b"{", b"["))
    return as_json(given, "the reply"), False


def _of(conversation: str | OfConversation, *more: str) -> str:
    return path("conversations", checked(conversation, "conv"), *more)
