"""How an attempt ended: a flight whose task is over, or that ends without it, in; its `Finish` out.

Once an attempt was stopped it does not matter what its handler says after all.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pydantic_core import from_json

from actions.errors import Fail, HandlerKilled, OutcomeUnknown, TimedOut, TryAgain
from orchestrator import turns
from orchestrator.store.incoming import Effect, EffectKind
from workers import outcome
from workers.flight import NO_RETRY

if TYPE_CHECKING:
    from actions.errors import ModelError
    from orchestrator.store.incoming import Finish
    from workers.flight import Flight

log: Final = logging.getLogger("umbel.flights")

_NO_EFFECT: Final = {"failed", "refused", "timed_out", "cancelled"}
"""Ends that say that the action did not do its work."""


def finish_of(flight: Flight) -> Finish:
    """How it ended."""
    run = flight.run
    match flight.stopped:
        case "":
            return _by_itself(flight)
        case "cancelled":
            return outcome.cancelled(run)
        case "total":
            return outcome.expired(run)
        case "silent":
            return timed_out(flight, f"the action gave no heartbeat for {_spoken(flight.silence)}")
        case "timeout":
            return timed_out(flight, f"the action took longer than {_spoken(flight.limit)}")


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
    on_unknown = action.on_unknown if action is not None and flight.may_have_acted else "retry"
    return outcome.stopped(flight.run, error, status, flight.retry, on_unknown, word, as_if=as_if)


def last_word(flight: Flight) -> Finish | None:
    """It took no effect before it was stopped: that used up a try, is there another?"""
    run, killed = flight.run, str(flight.run.check) == "killed"
    how = "was killed" if killed else "did not end in time"
    error = (HandlerKilled if killed else TimedOut)(f"the action {how}; it took no effect")
    retry, tried = flight.retry, outcome.tries(run) - 1
    if retry.left(tried) and retry.covers(error if killed else TimeoutError()):
        return None
    return outcome.ended(run, "failed" if killed else "timed_out", error)


def haunted(finish: Finish) -> Finish:
    """The same end of a run whose handler goes on: its locks stay taken until that has ended too."""
    return outcome.with_effects(finish, (Effect(EffectKind.GHOST),))


def still_asked(flight: Flight, finish: Finish) -> Finish:
    """The end of an attempt that was to find out first whether the one before took effect.

    As long as its check has not said no, the next attempt has to ask as well; and if this is the end of the run nobody
    knows. Who cancels a run, or lets its time run out, hears just that, as always when a handler was stopped.
    """
    if flight.acted or flight.answer == "no":
        return finish
    if finish.verdict in outcome.LATER:
        return outcome.checked_next(finish, flight.run.check)
    if flight.answer or flight.stopped in {"cancelled", "total"}:
        return finish
    told = from_json(finish.result)
    if finish.verdict not in _NO_EFFECT or told["code"] == OutcomeUnknown.code:
        return finish
    error = OutcomeUnknown(f"nobody knows whether the action took effect: {told['error']}")
    return replace(outcome.ended(flight.run, "failed", error), effects=finish.effects)


def note_late(ended: list[Finish], told: list[str]) -> None:
    """Log those ends that the store did not take."""
    for finish, verdict in zip(ended, told, strict=True):
        if verdict == "stale":
            log.warning("%s ended too late (fence %s): its result is discarded", finish.run, finish.fence)


def _by_itself(flight: Flight) -> Finish:
    if flight.task.cancelled():
        return outcome.raised(flight.run, Fail("the action was cancelled from within"), NO_RETRY)
    broken = flight.task.exception()
    if broken is None:
        return flight.task.result()
    log.critical("%s broke the worker's own code; it failed", flight.run.id, exc_info=broken)
    return outcome.raised(flight.run, broken, NO_RETRY)


def _spoken(seconds: float | None) -> str:
    return f"{seconds:g} s"
