"""What a handler returned or raised -> how its attempt ended. Pure: no clock, no store.

A surprise (an exception that is no signal of ours) is told to the model by its type only: its text may hold
anything, and the worker's log has it in full. What a handler wants the model to know it says with `Fail(reason)`.
An attempt that was stopped has an effect that nobody knows: `stopped` asks the action's `on_unknown`.
"""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError
from pydantic_core import to_json

from actions.errors import (
    Cancel,
    CancelledRun,
    DeclarationError,
    Expired,
    Fail,
    HandlerFailed,
    ModelError,
    OutcomeUnknown,
    Postpone,
    TryAgain,
    UmbelError,
)
from actions.messages import mended
from actions.policy import duration
from actions.results import opened, result_text
from orchestrator.store.incoming import Effect, EffectKind, Finish
from workers.effects import effect_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from actions.definition import Action
    from actions.policy import Retry
    from orchestrator.store.records import Claimed

MOST_SAID: Final = 4_000
"""Characters of a reason that a handler gives."""
AGAIN: Final = "again"
"""Verdict: tried again after a wait, which uses up a retry."""
POSTPONED: Final = "postponed"
"""Verdict: run later, without using up a retry."""
LATER: Final = {AGAIN, POSTPONED}
"""Verdicts that are no end of the run."""
LATE: Final = "late"
"""Verdict: a handler that went on after its run's end is over."""


def returned(run: Claimed, action: Action, value: Any, cap: int) -> Finish:
    """The handler gave a value, perhaps with directives; of its JSON no more than `cap` bytes are kept."""
    try:
        result = opened(value)
        text = result_text(action, result.value, cap)
        effects = tuple(effect_of(directive, cap) for directive in result.directives)
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
    tried = tries(run)
    match error:
        case Postpone() | TryAgain() if not _is_wait(error.after):
            return _failed(run, f"the action asked to wait for {error.after!r:.40}, which is no duration")
        case Postpone():
            return _later(run, POSTPONED, _after(error.after), "postponed", error.reason)
        case TryAgain() if retry.left(tried):
            wait = retry.delay(tried, dice) if error.after is None else duration(error.after)
            return _later(run, AGAIN, wait, "backoff", error.reason)
        case TryAgain():
            text = _said(error.reason) or "it did not succeed"
            return _failed(run, f"{text} (tried {tried} times)" if tried > 1 else text)
        case Fail():
            return _failed(run, error.reason or "the action failed")
        case Cancel():
            return _final(run, "cancelled", {"error": error.reason or "cancelled", "code": "cancelled"})
        case ModelError():
            return _failed(run, str(error), error.code)
        case _:
            text = f"the action failed with {type(error).__name__}"
            if retry.left(tried) and _mends(error, retry):
                return _later(run, AGAIN, retry.delay(tried, dice), "backoff", text)
            return _failed(run, text)


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
            _later(run, AGAIN, retry.delay(tried, dice) if again else _after(None), "check", str(error)), word
        )
    if on_unknown == "retry" and again:
        return _later(run, AGAIN, retry.delay(tried, dice), "backoff", str(error))
    return _final(run, status, error.for_model())


def unanswered(run: Claimed, text: str, retry: Retry, *, dice: Callable[[], float] = random.random) -> Finish:
    """The action's `check` gave no answer: it is asked again while a retry is left, then the run ends unknown."""
    tried = tries(run)
    if retry.left(tried):
        return _later(run, AGAIN, retry.delay(tried, dice), "check", text)
    error = OutcomeUnknown(f"nobody knows whether the action took effect: {text}")
    return _final(run, "failed", error.for_model())


def checked_next(finish: Finish, word: str) -> Finish:
    """Let the attempt after this one, if there is one, ask the action's `check` first."""
    if finish.verdict not in LATER:
        return finish
    return with_effects(finish, (Effect(EffectKind.CHECK, word),))


def with_effects(finish: Finish, effects: tuple[Effect, ...]) -> Finish:
    """The same end with these effects too."""
    return replace(finish, effects=finish.effects + effects) if effects else finish


def tries(run: Claimed) -> int:
    """Which try of the retry policy this attempt is, from 1: the death of a worker uses none up."""
    return run.attempt - run.deaths


def after_ms(signal: TryAgain) -> int:
    """How long a handler asked to wait, whether there is another try or not; nothing if that is no duration."""
    return _ms(_after(signal.after)) if _is_wait(signal.after) else 0


def ended(run: Claimed, status: str, error: ModelError) -> Finish:
    """This is its end, with this error for the model."""
    return _final(run, status, error.for_model())


def expired(run: Claimed) -> Finish:
    """Its total deadline came while it ran."""
    return _final(run, "expired", Expired("its time was over before the action had ended").for_model())


def late(run: Claimed, text: str) -> Finish:
    """A handler that went on after the end of its run has ended too; what it says is noted as discarded."""
    return Finish(run.id, run.fence, LATE, to_json({"discarded": text}).decode())


def refused(run: Claimed, error: dict[str, str]) -> Finish:
    """A policy or the action's validator said no; the handler did not run, unless there were attempts before."""
    return _final(run, "refused" if run.attempt == 1 else "failed", error)


def cancelled(run: Claimed) -> Finish:
    """It was cancelled from outside while it ran."""
    return _final(run, "cancelled", CancelledRun("cancelled").for_model())


def unreadable(run: Claimed, error: UmbelError) -> Finish:
    """Its record cannot be read, so nothing can run; the operator reads why in the log."""
    return _final(run, "failed", {"error": "the run's record cannot be read", "code": error.code})


def _mends(error: BaseException, retry: Retry) -> bool:
    """Whether another try may help: what does not fit stays so by itself, as what is configured wrongly does."""
    if isinstance(error, ValidationError) and not any(issubclass(kind, ValidationError) for kind in retry.on):
        return False  # only a policy that names it means it: `Exception` was not written with it in mind
    return retry.covers(error)


def _failed(run: Claimed, text: str, code: str = HandlerFailed.code) -> Finish:
    return _final(run, "failed", {"error": text, "code": code})


def _final(run: Claimed, status: str, error: dict[str, str]) -> Finish:
    return Finish(run.id, run.fence, status, _told(error))


def _later(run: Claimed, verdict: str, wait: timedelta, why: str, text: str) -> Finish:
    return Finish(run.id, run.fence, verdict, _told({"error": text}), _ms(wait), why)


def _told(error: dict[str, str]) -> str:
    """An error as it is stored, whoever found the words for it."""
    return to_json({key: _said(text) for key, text in error.items()}).decode()


def _is_wait(value: Any) -> bool:
    """Whether a handler's wait can be read: it is the handler's mistake, and its run fails by it."""
    with suppress(DeclarationError, ValueError):
        return _after(value) >= timedelta(0)
    return False


def _said(reason: Any) -> str:
    """What a handler says to the model: a text that JSON has, and no longer than a model wants to read."""
    text: str = mended(str(reason))
    return text if len(text) <= MOST_SAID else text[: MOST_SAID - 1] + "…"


def _after(value: timedelta | float | str | None) -> timedelta:
    return duration(0 if value is None else value)


def _ms(wait: timedelta) -> int:
    return max(0, round(wait.total_seconds() * 1000))
