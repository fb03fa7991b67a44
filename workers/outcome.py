"""What a handler returned or raised -> how its attempt ended. Pure: no clock, no store.

A surprise (an exception that is no signal of ours) is told to the model by its type only: its text may hold
anything, and the worker's log has it in full. What a handler wants the model to know it says with `Fail(reason)`.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import PydanticSerializationError, to_json

from actions.directives import AppendContext, Complete, Continue, SetContext, Transition
from actions.errors import (
    Cancel,
    CancelledRun,
    Fail,
    HandlerFailed,
    ModelError,
    Postpone,
    ResultNotSerialisable,
    TimedOut,
    TryAgain,
    UmbelError,
)
from actions.policy import Retry, duration
from actions.results import opened, result_text
from orchestrator.store.records import Effect, EffectKind, Finish

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from actions.definition import Action
    from actions.directives import Directive
    from orchestrator.store.records import Claimed

NO_RETRY: Final = Retry(0)
"""For what is final."""
AGAIN: Final = "again"
"""Verdict: tried again after a wait, which uses up a retry."""
POSTPONED: Final = "postponed"
"""Verdict: run later, without using up a retry."""


def returned(run: Claimed, action: Action, value: Any) -> Finish:
    """The handler gave a value, perhaps with directives."""
    try:
        result = opened(value)
        text = result_text(action, result.value)
        effects = tuple(_effect(directive) for directive in result.directives)
    except ModelError as error:
        return _final(run, "failed", error.for_model())
    return Finish(run.id, run.fence, "succeeded", text, effects=effects)


def led(run: Claimed) -> Finish:
    """A turn was led on; the store ended this run in that step, and takes this as known."""
    return Finish(run.id, run.fence, "succeeded", "{}")


def raised(  # noqa: PLR0911 - one return for each way to end
    run: Claimed,
    error: BaseException,
    retry: Retry,
    *,
    dice: Callable[[], float] = random.random,
) -> Finish:
    """The handler raised: a signal decides exactly, the rest goes by the action's retry policy."""
    tried = run.attempt - run.deaths
    match error:
        case Postpone():
            return _later(run, POSTPONED, _after(error.after), "postponed", error.reason)
        case TryAgain() if retry.left(tried):
            wait = retry.delay(tried, dice) if error.after is None else duration(error.after)
            return _later(run, AGAIN, wait, "backoff", error.reason)
        case TryAgain():
            text = error.reason or "it did not succeed"
            return _failed(run, f"{text} (tried {tried} times)" if tried > 1 else text)
        case Fail():
            return _failed(run, error.reason or "the action failed")
        case Cancel():
            return _final(run, "cancelled", {"error": error.reason or "cancelled", "code": "cancelled"})
        case TimedOut():
            if retry.left(tried) and retry.covers(TimeoutError()):
                return _later(run, AGAIN, retry.delay(tried, dice), "backoff", str(error))
            return _final(run, "timed_out", error.for_model())
        case ModelError():
            return _failed(run, str(error), error.code)
        case _:
            text = f"the action failed with {type(error).__name__}"
            if retry.left(tried) and retry.covers(error):
                return _later(run, AGAIN, retry.delay(tried, dice), "backoff", text)
            return _failed(run, text)


def refused(run: Claimed, error: dict[str, str]) -> Finish:
    """A policy or the action's validator said no; the handler did not run."""
    return _final(run, "refused", error)


def cancelled(run: Claimed) -> Finish:
    """It was cancelled from outside while it ran."""
    return _final(run, "cancelled", CancelledRun("cancelled").for_model())


def unreadable(run: Claimed, error: UmbelError) -> Finish:
    """Its record cannot be read, so nothing can run; the operator reads why in the log."""
    return _final(run, "failed", {"error": "the run's record cannot be read", "code": error.code})


def _failed(run: Claimed, text: str, code: str = HandlerFailed.code) -> Finish:
    return _final(run, "failed", {"error": text, "code": code})


def _final(run: Claimed, status: str, error: dict[str, str]) -> Finish:
    return Finish(run.id, run.fence, status, to_json(error).decode())


def _later(run: Claimed, verdict: str, wait: timedelta, why: str, text: str) -> Finish:
    told = to_json({"error": text}).decode()
    return Finish(run.id, run.fence, verdict, told, _ms(wait), why)


def _after(value: timedelta | float | str | None) -> timedelta:
    return duration(0 if value is None else value)


def _ms(wait: timedelta) -> int:
    return max(0, round(wait.total_seconds() * 1000))


def _effect(directive: Directive) -> Effect:
    match directive:
        case Transition(target, revision):
            return Effect(EffectKind.TRANSITION, str(revision), target)
        case SetContext(key, value):
            return Effect(EffectKind.SET, key, _json(key, value))
        case AppendContext(key, value):
            return Effect(EffectKind.APPEND, key, _json(key, value))
        case Complete():
            return Effect(EffectKind.COMPLETE)
        case Continue():
            return Effect(EffectKind.CONTINUE)


def _json(key: str, value: Any) -> str:
    try:
        return to_json(value, inf_nan_mode="null").decode()
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        raise ResultNotSerialisable(
            f"the context value {key!r} ({type(value).__name__}) has no JSON form"
        ) from error
