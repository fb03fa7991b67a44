"""Deeds on runs, turns and conversations: who does it to what in, how it is now out; conflicts are problems.

Each may be repeated and is answered alike: what a caller wanted and what has come true since is no conflict. The audit
names the caller's principal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actions.errors import UnknownRecord
from actions.messages import Status
from orchestrator import ids
from orchestrator.api import ownership
from orchestrator.api.problems import Problem
from orchestrator.dead_calls import STATUSES

if TYPE_CHECKING:
    from orchestrator.assembly import House
    from orchestrator.keyring import Caller

_STOPPED: Final = {"cancelled", "cancelling"}


async def cancel(house: House, caller: Caller, given: str) -> str:
    """Cancel a run, a turn, or what lives in a conversation: "cancelled", "cancelling" or "terminal".

    Raises:
        Problem: undoing: it is being taken back, which goes on.
    """
    verdict = await house.conductor.cancel(given)
    if verdict in _STOPPED:
        await house.conductor.note_deed(given, "cancel", by=caller.name, decided=verdict)
    if verdict == "terminal" and await _ended_as(house, given) == Status.CANCELLED:
        return "cancelled"
    return _accepted(verdict, given, {*_STOPPED, "terminal"})


async def approve(house: House, caller: Caller, run: str, digest: str | None) -> str:
    """Approve a run that waits for it: "approved".

    Raises:
        Problem: changed: it asks for something else; decided: it waits for no approval (any more).
    """
    if not await _approved(house, run, digest):
        verdict = await house.conductor.approve(run, by=caller.name, digest=digest)
        if verdict != "decided" or not await _approved(house, run, digest):
            return _accepted(verdict, run, {"approved"})
    return "approved"


async def deny(house: House, caller: Caller, run: str, reason: str) -> str:
    """End a run that waits for an approval: "denied".

    Raises:
        Problem: decided: it waits for no approval (any more).
    """
    if await _ended_as(house, run) == Status.DENIED:
        return "denied"
    verdict = await house.conductor.deny(run, by=caller.name, reason=reason)
    if verdict == "decided" and await _ended_as(house, run) == Status.DENIED:
        return "denied"
    return _accepted(verdict, run, {"denied"})


async def interrupt(house: House, caller: Caller, turn: str) -> str:
    """Let the chain of a turn start no further step: "interrupted" or "terminal".

    Raises:
        Problem: no_chain: there is none to interrupt.
    """
    verdict = await house.conductor.interrupt(turn)
    if verdict == "interrupted":
        await house.conductor.note_deed(turn, "interrupt", by=caller.name, decided=verdict)
    return _accepted(verdict, turn, {"interrupted", "terminal"})


async def retry_undo(house: House, caller: Caller, run: str) -> str:
    """Try a failed undo again: "retried".

    Raises:
        Problem: not_stuck: no undo of this run rests as failed.
    """
    verdict = await house.conductor.retry_undo(run, by=caller.name)
    if verdict == "not_stuck" and await house.store.runs.read(f"{run}.undo2") is not None:
        return "retried"  # a second undo was begun, so somebody has asked for it
    return _accepted("not_stuck" if verdict == "missing" else verdict, run, {"retried"})


async def replay(house: House, caller: Caller, run: str, *, new_key: bool) -> str:
    """Run one of the dead again; the id of the new run.

    Raises:
        UnknownRecord: there is no such run for this caller.
        Problem: not_dead: it did not end as what can be replayed, or was discarded.
    """
    await ownership.run(house, caller, run)
    try:
        return await house.conductor.replay(run, by=caller.name, new_key=new_key)
    except UnknownRecord:
        if (before := (await ownership.run(house, caller, run)).replayed) is None:
            raise Problem("not_dead") from None
        return before


async def discard(house: House, caller: Caller, run: str) -> None:
    """Take one of the dead off the list; one that is not there any more is no harm.

    Raises:
        UnknownRecord: there is no such run for this caller.
        Problem: not_dead: it never was one of the dead.
    """
    view = await ownership.run(house, caller, run)
    if not await house.conductor.discard(run, by=caller.name) and view.status not in STATUSES:
        raise Problem("not_dead")


async def _approved(house: House, run: str, digest: str | None) -> bool:
    """Whether somebody has approved it already, and just this.

    Raises:
        Problem: changed: something else was approved.
    """
    view = await house.store.runs.read(run)
    if view is None or view.approval != "given":
        return False
    if digest is not None and digest != await house.store.approvals.digest_of(run):
        raise Problem("changed")
    return True


async def _ended_as(house: House, given: str) -> str | None:
    """The status of a run or a turn; of a conversation that of its newest turn."""
    match ids.kind(given):
        case "run":
            view = await house.store.runs.read(given)
            return None if view is None else view.status
        case "turn":
            return (await house.store.conversations.turn(given)).get("s")
        case "conv":
            last = (await house.store.conversations.read(given)).last_turn
            return await _ended_as(house, last) if last else None


def _accepted(verdict: str, given: str, accepted: set[str]) -> str:
    """The verdict, if it is one of these; others are problems of the same name."""
    if verdict in accepted:
        return verdict
    if verdict == "missing":
        raise UnknownRecord(f"there is no {ids.kind(given)} {given}")
    raise Problem(verdict)
