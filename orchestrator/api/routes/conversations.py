"""Conversations: opening, reading, deleting; what is said in them comes in through `turns`."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Final, TypeVar

from fastapi import Query, Response
from pydantic_core import from_json

from actions.errors import ConfigError, DeclarationError, InvalidCursor
from orchestrator import cursors
from orchestrator.api import ownership, verdicts
from orchestrator.api.auth import Reader, Stopper, Submitter
from orchestrator.api.conventions import IdempotencyKey
from orchestrator.api.given import Conducting, Cursor, TheHouse, made, told_of_making
from orchestrator.api.guarding import Router
from orchestrator.api.ownership import OwnConversation, StoppableConversation
from orchestrator.api.problems import Problem
from orchestrator.dialects import check_dialects
from orchestrator.offers import offered
from orchestrator.opening import Opening
from orchestrator.standings import ConversationStanding, TurnStanding
from orchestrator.wire import (
    ConversationContext,
    ConversationState,
    Messages,
    OpenConversation,
    Opened,
    Turns,
    Verdict,
)

router = Router(tags=["conversations"])

T = TypeVar("T", str, int)

_FORGET_S: Final = 1.0
"""Seconds for handlers to stop in; those that need longer are waited for by the workers."""


@router.post(
    "/v1/conversations",
    status_code=201,
    summary="Open a conversation",
    responses=told_of_making(201, "It was made."),
)
async def open_conversation(
    asked: OpenConversation, caller: Submitter, conductor: Conducting, key: IdempotencyKey, response: Response
) -> Opened:
    """Make a conversation with the caller's tenant, principal and permissions."""
    try:
        check_dialects(asked.dialects)
    except DeclarationError as error:
        flaw = {"pointer": "/dialects", "detail": str(error), "code": "unknown"}
        raise Problem("validation", errors=[flaw]) from None
    opening = Opening(
        **dict(asked),
        principal=caller.principal,
        permissions=sorted(caller.permissions),
        tenant=caller.tenant,
        key=key,
    )
    try:
        conversation, repeated = await conductor.open_once(opening)
    except ConfigError as error:
        place = "/machine" if asked.state is None else "/state"
        flaw = {"pointer": place, "detail": " ".join(str(error).split()), "code": "unknown"}
        raise Problem("validation", errors=[flaw]) from None
    url = f"/v1/conversations/{conversation}"
    made(response, url, repeated=repeated)
    return Opened(conversation=conversation, url=url)


@router.get("/v1/conversations/{conversation_id}", summary="Read a conversation")
async def read_conversation(found: OwnConversation, caller: Reader, house: TheHouse) -> ConversationStanding:
    """How it stands: its state, who takes part, its live turn, and what waits behind that."""
    told = await ownership.standing(house, caller, found.id)
    assert isinstance(told, ConversationStanding)  # noqa: S101 - its id says so
    return told


@router.delete("/v1/conversations/{conversation_id}", status_code=204, summary="Delete a conversation")
async def delete_conversation(found: StoppableConversation, caller: Stopper, conductor: Conducting) -> None:
    """Cancel what runs and remove everything. Nobody finds it from now on; what has to stop first is removed then.

    Another principal's needs the scope `operate`.
    """
    with suppress(TimeoutError):
        await conductor.forget(found.id, timeout_s=_FORGET_S)
    await conductor.note_deed(found.id, "forget", by=caller.name)


@router.post("/v1/conversations/{conversation_id}/cancel", summary="Cancel what lives in a conversation")
async def cancel_conversation(found: StoppableConversation, caller: Stopper, house: TheHouse) -> Verdict:
    """Cancel its live turn and all that waits behind it. Another principal's needs the scope `operate`."""
    return Verdict(id=found.id, verdict=await verdicts.cancel(house, caller, found.id))


@router.get("/v1/conversations/{conversation_id}/messages", summary="List a conversation's messages")
async def list_messages(
    found: OwnConversation,
    _caller: Reader,
    house: TheHouse,
    limit: Annotated[int, Query(ge=1, le=1_000, description="How many at most.")] = 100,
    cursor: Cursor = "",
) -> Messages:
    """Its messages in the shape of OpenAI's chat completions, oldest first.

    A page may hold fewer than `limit` and still have a next one: it ends at 4 MiB.
    """
    first = _place(cursor, "messages", found.id, int) if cursor else 0
    told, rest = await house.store.conversations.messages_from(found.id, first, limit)
    return Messages(
        messages=tuple(told),
        next=None if rest is None else cursors.encode("messages", found.id, rest),
    )


@router.get("/v1/conversations/{conversation_id}/state", summary="Read a conversation's state")
async def read_state(found: OwnConversation, _caller: Reader, house: TheHouse) -> ConversationState:
    """Its state, and the actions that a model may call in it now."""
    try:
        allowed = tuple(action.name for action in offered(house.registry, found))
    except ConfigError:  # this process does not have its machine
        allowed = ()
    return ConversationState(
        conversation=found.id,
        machine=found.machine,
        state=found.state,
        revision=found.state_revision,
        allowed=allowed,
    )


@router.get("/v1/conversations/{conversation_id}/context", summary="Read a conversation's context")
async def read_context(found: OwnConversation, _caller: Reader) -> ConversationContext:
    """What it keeps for its conditions and handlers."""
    return ConversationContext(context={name: from_json(text) for name, text in found.context.items()})


@router.get("/v1/conversations/{conversation_id}/turns", summary="List a conversation's turns")
async def list_turns(
    found: OwnConversation,
    caller: Reader,
    house: TheHouse,
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 20,
    cursor: Cursor = "",
) -> Turns:
    """How its turns stand, newest first."""
    newest = _place(cursor, "turns", found.id, str) if cursor else found.last_turn
    ids, rest = await house.store.conversations.turns_from(found.id, newest, limit)
    told = [await ownership.standing(house, caller, each) for each in ids]
    return Turns(
        turns=tuple(each for each in told if isinstance(each, TurnStanding)),
        next=cursors.encode("turns", found.id, rest) if rest else None,
    )


def _place(cursor: str, kind: str, conversation: str, of: type[T]) -> T:
    """Where a page of a conversation's list begins."""
    whose, where = cursors.decode(kind, cursor, str, of)
    if whose != conversation:
        raise InvalidCursor("the cursor is none of this list", fix="Take `next` of the page before, whole")
    assert isinstance(where, of)  # noqa: S101 - `decode` has looked
    return where
