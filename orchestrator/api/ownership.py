"""The wall between tenants: an id and a caller in, what it names out, or the 404 of what is not there.

What belongs to another tenant, was never there, or is no such id is answered in the same words. Within a tenant all
may look; who may do more than that stands in `rights`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

from fastapi import Depends, Path, Request
from pydantic import TypeAdapter

from actions.errors import UnknownConversation, UnknownRecord
from orchestrator.api.rights import may_edit, may_post, may_stop, principal_of
from orchestrator.api.service import service_of
from orchestrator.keyring import Caller
from orchestrator.standings import ConversationStanding, RunStanding, TurnStanding
from orchestrator.store.records import ConversationRecord, RunView

if TYPE_CHECKING:
    from orchestrator.assembly import House
    from orchestrator.guard_standings import Ladder, Rung
    from orchestrator.standings import Standing

_REST: Final = r"[A-Za-z0-9._-]{1,115}"
_IDS: Final = {kind: re.compile(f"{kind}_{_REST}", re.ASCII) for kind in ("run", "turn", "conv")}
_FIX: Final = "Check the id; what has ended is kept for UMBEL_RUN_TTL"
_ADAPTERS: Final[dict[type, TypeAdapter[Any]]] = {
    kind: TypeAdapter(kind) for kind in (RunStanding, TurnStanding, ConversationStanding)
}


async def conversation(house: House, caller: Caller, given: str) -> ConversationRecord:
    """A conversation of the caller's tenant.

    Raises:
        UnknownConversation: there is none for this caller.
    """
    if _IDS["conv"].fullmatch(given):
        try:
            found = await house.store.conversations.read(given)
        except UnknownConversation:
            raise _no_conversation(given) from None
        if found.tenant == caller.tenant:
            return found
    raise _no_conversation(given)


async def run(house: House, caller: Caller, given: str) -> RunView:
    """A run of the caller's tenant.

    Raises:
        UnknownRecord: there is none for this caller.
    """
    if _IDS["run"].fullmatch(given):
        found = await house.store.runs.read(given)
        if found is not None and found.tenant == caller.tenant:
            return found
    raise _no_record("run", given)


async def turn(house: House, caller: Caller, given: str) -> dict[str, str]:
    """The record of a turn in a conversation of the caller's tenant (see `store.keys`).

    Raises:
        UnknownRecord: there is none for this caller.
    """
    if _IDS["turn"].fullmatch(given):
        found = await house.store.conversations.turn(given)
        if found:
            try:
                await conversation(house, caller, found.get("c", ""))
            except UnknownConversation:
                raise _no_record("turn", given) from None
            return found
    raise _no_record("turn", given)


async def standing(house: House, caller: Caller, given: str) -> Standing:
    """How a run, a turn or a conversation of the caller's tenant stands, without a word on other tenants.

    Raises:
        UnknownRecord, UnknownConversation: there is none for this caller.
    """
    match given.partition("_")[0]:
        case "conv":
            await conversation(house, caller, given)
        case "turn":
            await turn(house, caller, given)
        case _:
            await run(house, caller, given)
    told = await house.conductor.read(given)
    return await _veiled(house, told) if isinstance(told, RunStanding) else told


def as_json(told: Standing) -> bytes:
    """A standing as the API answers with it."""
    return _ADAPTERS[type(told)].dump_json(told)


async def _veiled(house: House, told: RunStanding) -> RunStanding:
    """The standing of a run, in whose ladder runs of other tenants have no names: they may share locks and limits."""
    ladder = told.ladder
    if ladder is None or not (named := sorted(_named(ladder))):
        return told
    views = await house.store.runs.read_short(named)
    own = {view.id for view in views if view is not None and view.tenant == told.tenant}
    rungs = tuple(_veiled_rung(rung, own) for rung in ladder.rungs)
    joined = ladder.joined if ladder.joined is None or ladder.joined in own else ""
    return replace(told, ladder=replace(ladder, rungs=rungs, joined=joined))


def _named(ladder: Ladder) -> set[str]:
    found = {holder.run for rung in ladder.rungs if rung.lock for holder in rung.lock.holders}
    found |= {rung.limit.first for rung in ladder.rungs if rung.limit and rung.limit.first}
    return found | ({ladder.joined} if ladder.joined else set())


def _veiled_rung(rung: Rung, own: set[str]) -> Rung:
    lock, limit = rung.lock, rung.limit
    if lock is not None:
        holders = tuple(
            each if each.run in own else replace(each, run="", ghost=False, status="")
            for each in lock.holders
        )
        lock = replace(lock, holders=holders)
    if limit is not None and limit.first is not None and limit.first not in own:
        limit = replace(limit, first="")
    return replace(rung, lock=lock, limit=limit)


def _no_conversation(given: str) -> UnknownConversation:
    return UnknownConversation(f"there is no conversation {given[:120]}", fix="Check the id, or open one")


def _no_record(kind: str, given: str) -> UnknownRecord:
    return UnknownRecord(f"there is no {kind} {given[:120]}", fix=_FIX)


def caller_of(request: Request) -> Caller:
    """Who was admitted to a guarded route."""
    return cast("Caller", request.state.caller)


ConversationId = Annotated[
    str, Path(description="The id of a conversation, `conv_…`.", pattern=rf"^conv_{_REST}$")
]
RunId = Annotated[str, Path(description="The id of a run, `run_…`.", pattern=rf"^run_{_REST}$")]
TurnId = Annotated[str, Path(description="The id of a turn, `turn_…`.", pattern=rf"^turn_{_REST}$")]


async def _own_conversation(request: Request, conversation_id: ConversationId) -> ConversationRecord:
    return await conversation(service_of(request).house, caller_of(request), conversation_id)


async def _own_run(request: Request, run_id: RunId) -> RunView:
    return await run(service_of(request).house, caller_of(request), run_id)


async def _own_turn(request: Request, turn_id: TurnId) -> str:
    await turn(service_of(request).house, caller_of(request), turn_id)
    return turn_id


async def _postable(
    request: Request, found: Annotated[ConversationRecord, Depends(_own_conversation)]
) -> ConversationRecord:
    may_post(caller_of(request), found)
    return found


async def _stoppable_conversation(
    request: Request, found: Annotated[ConversationRecord, Depends(_own_conversation)]
) -> ConversationRecord:
    may_stop(caller_of(request), found.principal)
    return found


async def _stoppable_run(request: Request, found: Annotated[RunView, Depends(_own_run)]) -> RunView:
    may_stop(caller_of(request), principal_of(found))
    return found


async def _stoppable_turn(request: Request, turn_id: TurnId) -> str:
    house, caller = service_of(request).house, caller_of(request)
    found = await turn(house, caller, turn_id)
    may_stop(caller, (await conversation(house, caller, found["c"])).principal)
    return turn_id


async def _editable(request: Request, found: Annotated[RunView, Depends(_own_run)]) -> RunView:
    await may_edit(service_of(request).house, caller_of(request), found)
    return found


OwnConversation = Annotated[ConversationRecord, Depends(_own_conversation)]
"""The conversation of the path, if it is the caller's tenant's."""
OwnRun = Annotated[RunView, Depends(_own_run)]
"""The run of the path, if it is the caller's tenant's."""
OwnTurn = Annotated[str, Depends(_own_turn)]
"""The id of the turn of the path, if it is the caller's tenant's."""
Postable = Annotated[ConversationRecord, Depends(_postable)]
"""The conversation of the path, if the caller may post into it."""
StoppableConversation = Annotated[ConversationRecord, Depends(_stoppable_conversation)]
"""The conversation of the path, if the caller may cancel or delete it."""
StoppableRun = Annotated[RunView, Depends(_stoppable_run)]
"""The run of the path, if the caller may cancel it."""
StoppableTurn = Annotated[str, Depends(_stoppable_turn)]
"""The id of the turn of the path, if the caller may cancel or interrupt it."""
EditableRun = Annotated[RunView, Depends(_editable)]
"""The run of the path, if the caller may give it other arguments."""
