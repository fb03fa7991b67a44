"""What is carried out for a run beside its handler: its undo, and its on_error.

In: a flight that is to take back or make good what a handler did. Out: how that ended. Both get the params that the
handler had; neither asks for permissions, approvals or the state again, for what was done has to be put right whatever
has changed since. Neither can be put off for ever: an undo that postpones itself uses up a try.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import PydanticSerializationError

from actions.directives import FollowUp
from actions.errors import BadReference, Fail, ModelError, Postpone, TryAgain
from actions.messages import Status
from actions.results import json_of, opened
from orchestrator.references import value_of
from orchestrator.store.incoming import Finish
from workers import arguments
from workers.effects import effects_of
from workers.endings import error_of

if TYPE_CHECKING:
    from actions.definition import Action
    from orchestrator.store.records import RunView
    from workers.context import RunContext
    from workers.flight import Flight
    from workers.means import Means

log: Final = logging.getLogger("umbel.execution")


async def undo(flight: Flight, action: Action, ctx: RunContext, means: Means) -> Finish:
    """Take back what a run did; raise Fail if that cannot be known, or its action has no undo (any more)."""
    if action.undoer is None:
        raise Fail(f"{action.name} has no undo")
    undone = flight.run.undoes
    view = (await arguments.read([undone], means.store)).get(undone)
    if view is None:
        raise Fail(f"the record of {undone} is gone, and with it what has to be undone")
    took_effect = view.status == Status.SUCCEEDED
    if not took_effect and not action.undo_takes_none:
        raise Fail(f"{undone} has no receipt, and the undo of {action.name} needs one")
    receipt = _receipt(view, action) if took_effect else None
    try:
        params = await arguments.bound(flight, action, ctx, means)
        flight.begins()
        value = await means.threads.call(flight, action.undoer, params, receipt, ctx)
    except arguments.StoreAway:
        raise
    except Postpone as signal:
        raise TryAgain(signal.after, signal.reason or "it asked to be called later") from signal
    return _done(flight, value, action, means)


def _receipt(view: RunView, action: Action) -> Any:
    """What the handler returned; of what was not kept whole there is none, and nothing else is passed for it."""
    try:
        return value_of(view)
    except BadReference as error:
        if action.undo_takes_none:
            return None
        raise Fail(f"{error}, and the undo of {action.name} needs it") from error


async def rescue(flight: Flight, action: Action, ctx: RunContext, means: Means) -> Finish:
    """Make good what a failed run left; raise Fail if its action has no on_error (any more)."""
    if action.rescuer is None:
        raise Fail(f"{action.name} has no on_error")
    params = await arguments.bound(flight, action, ctx, means)
    error = error_of(flight.run)
    flight.begins()
    try:
        value = await means.threads.call(flight, action.rescuer, params, error, ctx)
    except (TryAgain, Postpone) as signal:
        raise Fail(signal.reason or "it asked to be called later, and it is called once") from signal
    return _done(flight, value, action, means)


def _done(flight: Flight, value: Any, action: Action, means: Means) -> Finish:
    """It has done its work: whatever it returned cannot change that any more."""
    run, cap = flight.run, means.bounds.result_cap
    result = opened(value)
    if any(isinstance(each, FollowUp) for each in result.directives):
        log.warning("%s (%s) asks for a follow-up, which it cannot have: it is left out", run.id, flight.what)
    try:
        effects = effects_of(result.directives, cap, action.name)
    except ModelError as error:
        log.warning("the directives of %s (%s) are left out: %s", run.id, flight.what, error)
        effects = ()
    try:
        told = json_of(result.value)
    except (PydanticSerializationError, ValueError, RecursionError):
        told = b"null"
    text = told.decode() if len(told) <= cap else "null"
    return Finish(run.id, run.fence, Status.SUCCEEDED, text, effects=effects)
