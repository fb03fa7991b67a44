"""What a handler returned or raised -> how its attempt ended. Pure: no clock, no store.

A surprise (an exception that is no signal of ours) is told to the model by its type only: its text may hold
anything, and the worker's log has it in full. What a handler wants the model to know it says with `Fail(reason)`.
An attempt that was stopped has an effect that nobody knows: `stopped` asks the action's `on_unknown`. What all this
means for an undo, an on_error or a chain is added by `endings`.
"""

from __future__ import annotations

import logging
import random
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from actions.directives import FollowUp
from actions.errors import (
    Cancel,
    DeclarationError,
    Fail,
    ModelError,
    OutcomeUnknown,
    Postpone,
    Stop,
    TryAgain,
)
from actions.policy import duration
from actions.results import opened, result_text, text_of
from orchestrator.store.incoming import Effect, EffectKind, Finish
from workers import finishes
from workers.effects import effects_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from actions.definition import Action
    from actions.policy import Retry
    from orchestrator.store.records import Claimed

log: Final = logging.getLogger("umbel.execution")


def returned(run: Claimed, action: Action, value: Any, cap: int, *, checked: bool = False) -> Finish:
    """The handler gave a value, perhaps with directives; of its JSON no more than `cap` bytes are kept.

    `checked`: the value was held against the action's `output` already. Follow-ups are the caller's to add.
    """
    try:
        result = opened(value)
        text = (text_of if checked else result_text)(action, result.value, cap)
        effects = effects_of(result.directives, cap, action.name) if result.directives else ()
    except ModelError as error:
        return finishes.final(run, "failed", error.for_model())
    return Finish(run.id, run.fence, "succeeded", text, effects=effects)


def raised(  # noqa: PLR0911 - one return for each way to end
    run: Claimed,
    error: BaseException,
    retry: Retry,
    *,
    cap: int = finishes.MOST_SAID,
    action: str = "",
    what: str = "the action",
    dice: Callable[[], float] = random.random,
) -> Finish:
    """The handler raised: a signal decides exactly, the rest goes by the action's retry policy.

    Args:
        run: what was claimed.
        error: what it raised.
        retry: how often it is tried.
        cap: bytes that a value in the directives of a `Fail` may have.
        action: the name of its action, under which it remembers.
        what: what it is of the action, in words.
        dice: gives numbers from 0 to 1.
    """
    tried = tries(run)
    match error:
        case Postpone() | TryAgain() if not _is_wait(error.after):
            return finishes.failed(run, f"{what} asked to wait for {error.after!r:.40}, which is no duration")
        case Postpone():
            return finishes.later(run, finishes.POSTPONED, _after(error.after), "postponed", error.reason)
        case TryAgain() if retry.left(tried):
            wait = retry.delay(tried, dice) if error.after is None else duration(error.after)
            return finishes.later(run, finishes.AGAIN, wait, "backoff", error.reason)
        case TryAgain():
            text = finishes.said(error.reason) or "it did not succeed"
            return finishes.failed(run, f"{text} (tried {tried} times)" if tried > 1 else text)
        case Fail():
            return _gave_up(run, error, cap, action, what)
        case Cancel():
            return finishes.final(
                run, "cancelled", {"error": error.reason or "cancelled", "code": "cancelled"}
            )
        case ModelError():
            return finishes.failed(run, str(error), error.code)
        case _:
            text = f"{what} failed with {type(error).__name__}"
            if retry.left(tried) and _mends(error, retry):
                return finishes.later(run, finishes.AGAIN, retry.delay(tried, dice), "backoff", text)
            return finishes.failed(run, text)


def stopped(
    run: Claimed,
    error: ModelError,
    status: str,
    retry: Retry,
    on_unknown: str,
    word: str,
    *,
    as_if: BaseException,
    dice: Callable[[], float] = random.random,
) -> Finish:
    """The handler was stopped on its way (its time was over, its process was killed): is its effect known?

    Args:
        run: what was claimed.
        error: what the model is told if this is the end.
        status: how the run ends then.
        retry: how often it is tried.
        on_unknown: "retry": tried again while a retry is left that covers `as_if`. "fail": this is the end. "check":
            the next attempt asks the action's `check` before anything else, whether a retry is left or not.
        word: what the next attempt finds in `Claimed.check`.
        as_if: what the retry policy is asked about.
        dice: gives numbers from 0 to 1.
    """
    tried = tries(run)
    again = retry.left(tried) and retry.covers(as_if)
    if on_unknown == "check":
        return checked_next(
            finishes.later(
                run, finishes.AGAIN, retry.delay(tried, dice) if again else _after(None), "check", str(error)
            ),
            word,
        )
    if on_unknown == "retry" and again:
        return finishes.later(run, finishes.AGAIN, retry.delay(tried, dice), "backoff", str(error))
    return finishes.final(run, status, error.for_model())


def unanswered(run: Claimed, text: str, retry: Retry, *, dice: Callable[[], float] = random.random) -> Finish:
    """The action's `check` gave no answer: it is asked again while a retry is left, then the run ends unknown."""
    tried = tries(run)
    if retry.left(tried):
        return finishes.later(run, finishes.AGAIN, retry.delay(tried, dice), "check", text)
    error = OutcomeUnknown(f"nobody knows whether the action took effect: {text}")
    return finishes.final(run, "failed", error.for_model())


def checked_next(finish: Finish, word: str) -> Finish:
    """Let the attempt after this one, if there is one, ask the action's `check` first."""
    if finish.verdict not in finishes.LATER:
        return finish
    return finishes.with_effects(finish, (Effect(EffectKind.CHECK, word),))


def tries(run: Claimed) -> int:
    """Which try of the retry policy this attempt is, from 1: the death of a worker uses none up."""
    return run.attempt - run.deaths


def after_ms(signal: TryAgain) -> int:
    """How long a handler asked to wait, whether there is another try or not; nothing if that is no duration."""
    return finishes.ms(_after(signal.after)) if _is_wait(signal.after) else 0


def _mends(error: BaseException, retry: Retry) -> bool:
    """Whether another try may help: what does not fit stays so by itself, as what is configured wrongly does."""
    if isinstance(error, ValidationError) and not any(issubclass(kind, ValidationError) for kind in retry.on):
        return False  # only a policy that names it means it: `Exception` was not written with it in mind
    return retry.covers(error)


def _gave_up(run: Claimed, error: Fail, cap: int, action: str, what: str) -> Finish:
    """The handler failed on purpose; what it wants to happen all the same is applied with it."""
    finish = finishes.failed(run, error.reason or f"{what} failed")
    if any(isinstance(each, FollowUp) for each in error.directives):
        log.warning("%s has failed and asks for a follow-up: it is left out", run.id)
    try:
        effects = effects_of(error.directives, cap, action)
    except ModelError as wrong:
        log.warning("the directives of %s are left out: %s", run.id, wrong)
        effects = ()
    return finishes.with_effects(
        finish, (*effects, Effect(EffectKind.STOP)) if isinstance(error, Stop) else effects
    )


def _is_wait(value: Any) -> bool:
    """Whether a handler's wait can be read: it is the handler's mistake, and its run fails by it."""
    with suppress(DeclarationError, ValueError):
        return _after(value) >= timedelta(0)
    return False


def _after(value: timedelta | float | str | None) -> timedelta:
    return duration(0 if value is None else value)
