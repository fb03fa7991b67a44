"""What a caller may do with what is its tenant's: who asks and a record in, nothing out, or `not_yours`.

Who posts into a conversation is its principal, with at least its permissions. Who stops something is its principal, or
an operator. Who gives a run other arguments is its principal (or an admin) and has all of its permissions. So nobody
acts with rights or in the name of others, but to end, approve or repeat what these have asked for.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from actions.errors import UnknownConversation, UnreadableRecord
from actions.messages import Payload
from orchestrator.api.problems import Problem

if TYPE_CHECKING:
    from orchestrator.assembly import House
    from orchestrator.keyring import Caller
    from orchestrator.store.records import ConversationRecord, RunView


def may_post(caller: Caller, found: ConversationRecord) -> None:
    """Raise not_yours if the caller is not who the conversation speaks for, or holds fewer permissions."""
    if found.principal != caller.principal or not caller.permissions.issuperset(found.permissions):
        raise Problem("not_yours")


def may_stop(caller: Caller, principal: str | None) -> None:
    """Raise not_yours if the caller is neither on whose behalf something goes on, nor an operator."""
    if "operate" not in caller.scopes and (principal is None or principal != caller.principal):
        raise Problem("not_yours", "It belongs to another principal: stopping it needs the scope operate.")


async def may_edit(house: House, caller: Caller, found: RunView) -> None:
    """Raise not_yours if the caller is another principal and no admin, or lacks a permission that a replay may have.

    An operator replays what others asked for. With other arguments it would be something that nobody has asked for but
    the operator, and it would run in the name and with the rights of others.
    """
    payload = Payload.decode(found.payload)
    is_own = payload.principal is not None and payload.principal == caller.principal
    if not is_own and "admin" not in caller.scopes:
        raise Problem("not_yours", "Other arguments need a key of the run's principal, or the scope admin.")
    rights = set(payload.permissions)
    if found.conversation:
        with suppress(UnknownConversation):
            rights.update((await house.store.conversations.read(found.conversation)).permissions)
    if not caller.permissions.issuperset(rights):
        raise Problem("not_yours", "Other arguments need a key with all permissions that the run has.")


def principal_of(found: RunView) -> str | None:
    """On whose behalf a run goes on; None: nobody's, or its record cannot be read."""
    try:
        return Payload.decode(found.payload).principal
    except UnreadableRecord:
        return None
