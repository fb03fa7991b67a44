"""Asks an action whether an attempt of unknown outcome took effect.

In: a flight that was claimed with the question (`Claimed.check`). Out: how it ends, or the word that its handler has
its turn: the attempt before took no effect.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from actions.errors import Signal
from workers import endings, outcome
from workers.terms import NO_RETRY

if TYPE_CHECKING:
    from pydantic import BaseModel

    from actions.definition import Action
    from orchestrator.store.incoming import Finish
    from workers.context import RunContext
    from workers.flight import Flight
    from workers.threads import Threads

log: Final = logging.getLogger("umbel.execution")

NOTHING: Final = object()
"""The attempt before took no effect, and the handler may try again."""


async def ask(flight: Flight, action: Action, params: BaseModel, ctx: RunContext, threads: Threads) -> Any:
    """Return what the attempt before would have returned, `NOTHING`, or a Finish: how the run ends without an answer.

    Raises:
        Signal: the check steers the run itself.
    """
    run = flight.run
    if action.checker is None:  # it was declared otherwise when that attempt began
        return outcome.unanswered(run, f"{action.name} has no check", NO_RETRY)
    flight.checking = True
    try:
        value = await threads.call(flight, action.checker, params, ctx)
    except (Signal, asyncio.CancelledError):
        raise
    except BaseException as error:
        log.warning("the check of %s failed", run.id, exc_info=error)
        return outcome.unanswered(run, f"its check failed with {type(error).__name__}", flight.retry)
    flight.answers(effect=value is not None)
    if value is not None:
        return value
    flight.checking = False
    last: Finish | None = None if run.check == "death" else endings.last_word(flight)
    return NOTHING if last is None else last
