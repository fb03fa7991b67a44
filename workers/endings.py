"""How an attempt ended: a flight whose task is over, or that ends without it, in; its `Finish` out.

Once an attempt was stopped it does not matter what its handler says after all. `judged` has the last word on each: what
it means for a chain, an undo or an on_error.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from actions.errors import Fail, HandlerKilled, OutcomeUnknown, TimedOut, TryAgain
from actions.messages import Status
from orchestrator import turns
from orchestrator.store.incoming import Effect, EffectKind, Finish
from workers import finishes, outcome
from workers.terms import NO_RETRY

if TYPE_CHECKING:
    from actions.errors import ModelError
    from orchestrator.store.records import Claimed
    from workers.flight import Flight

log: Final = logging.getLogger("umbel.flights")

_NO_EFFECT: Final = {"failed", "refused", "timed_out", "cancelled"}
"""Ends that say that the action did not do its work."""


_RESCUED: Final = {Status.FAILED, Status.TIMED_OUT, Status.EXPIRED}
"""Ends that an on_error may make good; and that of a handler that was cancelled from outside."""
_UNDO_ENDS: Final = {Status.SUCCEEDED, Status.FAILED, Status.TIMED_OUT, *finishes.LATER}
"""Verdicts that an undo may have; whatever else it says means that it failed."""
_NEXT: Final = {*finishes.LATER, finishes.ASKS}
"""Verdicts after which the run is attempted again."""


def finish_of(flight: Flight) -> Finish:
    """How it ended."""
    if not flight.stopped:
        return _by_itself(flight)
    return judged(flight, _cut_off(flight))


def _cut_off(flight: Flight) -> Finish:
    run = flight.run
    match flight.stopped:
        case "cancelled":
            return finishes.cancelled(run)
        case "total":
            return finishes.expired(run)
        case "silent":
            return timed_out(flight, f"{flight.what} gave no heartbeat for {_spoken(flight.silence)}")
        case _:
            return timed_out(flight, f"{flight.what} took longer than {_spoken(flight.limit)}")


def judged(flight: Flight, finish: Finish) -> Finish:
    """The same end, with what follows from it for a chain or an on_error; or what it means for an undo or on_error."""
    run, action = flight.run, flight.action
    if run.rescue:
        return _rescued(flight, finish)
    if run.undoes:
        return _undone(finish)
    if action is None or (finish.verdict == Status.SUCCEEDED and not flight.hooked):
        return finish
    effects: list[Effect] = []
    if finish.verdict != Status.SUCCEEDED:
        if action.undoer is not None and action.undo_takes_none and flight.is_uncertain:
            effects.append(Effect(EffectKind.UNKNOWN))
        ended = finish.verdict in _RESCUED or flight.stopped == "cancelled"
        if action.rescuer is not None and ended and flight.has_begun:
            effects.append(Effect(EffectKind.RESCUE))
    if flight.hooked and (finish.verdict in _NEXT or action.undoer is not None or effects):
        effects.append(Effect(EffectKind.HOOKED, value=flight.hooked))
    return finishes.with_effects(finish, tuple(effects))


def _rescued(flight: Flight, finish: Finish) -> Finish:
    """The run ends as it had failed before its on_error was called, which is called once; and says how that went."""
    run = flight.run
    told = {**error_of(run), "compensated": finish.verdict == Status.SUCCEEDED}
    if not told["compensated"]:
        told["compensation_error"] = from_json(finish.result or "{}").get("error") or "it did not end"
    kept = tuple(each for each in finish.effects if each.kind != EffectKind.STOP)
    return Finish(run.id, run.fence, run.rescue, to_json(told).decode(), effects=kept)


def error_of(run: Claimed) -> dict[str, Any]:
    """The error with which a run ends whose on_error is called; empty if its record cannot be read."""
    try:
        error = from_json(run.error)
    except ValueError:
        return {}
    return error if isinstance(error, dict) else {}


def _undone(finish: Finish) -> Finish:
    """An undo succeeds or fails, or is tried again; it ends no turn."""
    kept = tuple(each for each in finish.effects if each.kind != EffectKind.STOP)
    verdict = finish.verdict if finish.verdict in _UNDO_ENDS else Status.FAILED
    return replace(finish, verdict=verdict, effects=kept)


def timed_out(flight: Flight, text: str) -> Finish:
    """A clock of the attempt ran out."""
    if flight.action is None:
        return outcome.raised(flight.run, TryAgain(reason="leading the turn took too long"), turns.RETRY)
    return _stopped(flight, TimedOut(text), "timed_out", "timeout", TimeoutError())


def killed(flight: Flight, text: str) -> Finish:
    """The process of an isolated run is gone, and its handler with it."""
    error = HandlerKilled(text)
    return _stopped(flight, error, "failed", "killed", error)


def _stopped(flight: Flight, error: ModelError, status: str, word: str, as_if: BaseException) -> Finish:
    """What follows; before its handler began nothing is unknown, and it may well be tried again."""
    if flight.checking:
        return outcome.unanswered(flight.run, f"its check did not end: {error}", flight.retry)
    action = flight.action
    asks = action is not None and flight.may_have_acted and not flight.is_aside
    on_unknown = action.on_unknown if action is not None and asks else "retry"
    return outcome.stopped(flight.run, error, status, flight.retry, on_unknown, word, as_if=as_if)


def last_word(flight: Flight) -> Finish | None:
    """It took no effect before it was stopped: that used up a try, is there another?"""
    run, killed = flight.run, str(flight.run.check) == "killed"
    how = "was killed" if killed else "did not end in time"
    error = (HandlerKilled if killed else TimedOut)(f"the action {how}; it took no effect")
    retry, tried = flight.retry, outcome.tries(run) - 1
    if retry.left(tried) and retry.covers(error if killed else TimeoutError()):
        return None
    return finishes.ended(run, "failed" if killed else "timed_out", error)


def haunted(finish: Finish) -> Finish:
    """The same end of a run whose handler goes on: its locks stay taken until that has ended too."""
    return finishes.with_effects(finish, (Effect(EffectKind.GHOST),))


def still_asked(flight: Flight, finish: Finish) -> Finish:
    """The end of an attempt that was to find out first whether the one before took effect.

    As long as its check has not said no, the next attempt has to ask as well; and if this is the end of the run nobody
    knows. Who cancels a run, or lets its time run out, hears just that, as always when a handler was stopped.
    """
    if flight.acted or flight.answer == "no":
        return finish
    if finish.verdict in finishes.LATER:
        return outcome.checked_next(finish, flight.run.check)
    if flight.answer or flight.stopped in {"cancelled", "total"}:
        return finish
    told = from_json(finish.result)
    if finish.verdict not in _NO_EFFECT or told["code"] == OutcomeUnknown.code:
        return finish
    error = OutcomeUnknown(f"nobody knows whether the action took effect: {told['error']}")
    return replace(finishes.ended(flight.run, "failed", error), effects=finish.effects)


def note_late(ended: list[Finish], told: list[str]) -> None:
    """Log those ends that the store did not take."""
    for finish, verdict in zip(ended, told, strict=True):
        if verdict == "stale":
            log.warning("%s ended too late (fence %s): its result is discarded", finish.run, finish.fence)


def _by_itself(flight: Flight) -> Finish:
    if flight.task.cancelled():
        return judged(
            flight, outcome.raised(flight.run, Fail(f"{flight.what} was cancelled from within"), NO_RETRY)
        )
    broken = flight.task.exception()
    if broken is None:
        return flight.task.result()
    log.critical("%s broke the worker's own code; it failed", flight.run.id, exc_info=broken)
    return judged(flight, outcome.raised(flight.run, broken, NO_RETRY))


def _spoken(seconds: float | None) -> str:
    return f"{seconds:g} s"
