"""How an attempt ended: a flight whose task is over, or that ends without it, in; its `Finish` out.

Once an attempt was stopped it does not matter what its handler says after all.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from actions.errors import Fail, HandlerKilled, TimedOut, TryAgain
from orchestrator import turns
from orchestrator.store.records import Effect, EffectKind
from workers import outcome
from workers.flight import NO_RETRY

if TYPE_CHECKING:
    from actions.errors import ModelError
    from orchestrator.store.records import Finish
    from workers.flight import Flight

log: Final = logging.getLogger("umbel.flights")


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
    on_unknown = flight.action.on_unknown if flight.action is not None and _acted(flight) else "retry"
    return outcome.stopped(flight.run, error, status, flight.retry, on_unknown, word, as_if=as_if)


def haunted(finish: Finish) -> Finish:
    """The same end of a run whose handler goes on: its locks stay taken until that has ended too."""
    return outcome.with_effects(finish, (Effect(EffectKind.GHOST),))


def _by_itself(flight: Flight) -> Finish:
    if flight.task.cancelled():
        return outcome.raised(flight.run, Fail("the action was cancelled from within"), NO_RETRY)
    broken = flight.task.exception()
    if broken is None:
        return flight.task.result()
    log.critical("%s broke the worker's own code; it failed", flight.run.id, exc_info=broken)
    return outcome.raised(flight.run, broken, NO_RETRY)


def _acted(flight: Flight) -> bool:
    """Whether its handler was begun: a thread that was never free for it did not."""
    return flight.acted and not (flight.work is not None and flight.work.cancelled())


def _spoken(seconds: float | None) -> str:
    return f"{seconds:g} s"
