"""How attempts end, in the form that the store takes: a run and what is to be said of its end in, a `Finish` out.

Pure, and without a judgement: `outcome` decides how an attempt ended, `endings` what that means.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from actions.errors import CancelledRun, Expired, HandlerFailed, ModelError, UmbelError
from actions.messages import mended
from orchestrator.store.incoming import Effect, Finish

if TYPE_CHECKING:
    from datetime import timedelta

    from orchestrator.store.records import Claimed

MOST_SAID: Final = 4_000
"""Characters of a reason that a handler gives."""
AGAIN: Final = "again"
"""Verdict: tried again after a wait, which uses up a retry."""
POSTPONED: Final = "postponed"
"""Verdict: run later, without using up a retry."""
LATER: Final = {AGAIN, POSTPONED}
"""Verdicts that are no end of the run."""
ASKS: Final = "ask"
"""Verdict: a person has to approve it before it is claimed again."""
LATE: Final = "late"
"""Verdict: a handler that went on after its run's end is over."""


def led(run: Claimed) -> Finish:
    """A turn was led on; the store ended this run in that step, and takes this as known."""
    return Finish(run.id, run.fence, "succeeded", "{}")


def ended(run: Claimed, status: str, error: ModelError) -> Finish:
    """This is its end, with this error for the model."""
    return final(run, status, error.for_model())


def expired(run: Claimed) -> Finish:
    """Its total deadline came while it ran."""
    return final(run, "expired", Expired("its time was over before the action had ended").for_model())


def late(run: Claimed, text: str) -> Finish:
    """A handler that went on after the end of its run has ended too; what it says is noted as discarded."""
    return Finish(run.id, run.fence, LATE, to_json({"discarded": text}).decode())


def refused(run: Claimed, error: dict[str, str]) -> Finish:
    """A policy or the action's validator said no; the handler did not run, unless there were attempts before."""
    return final(run, "refused" if run.attempt == 1 else "failed", error)


def cancelled(run: Claimed) -> Finish:
    """It was cancelled from outside while it ran."""
    return final(run, "cancelled", CancelledRun("cancelled").for_model())


def unreadable(run: Claimed, error: UmbelError) -> Finish:
    """Its record cannot be read, so nothing can run; the operator reads why in the log."""
    return final(run, "failed", {"error": "the run's record cannot be read", "code": error.code})


def with_effects(finish: Finish, effects: tuple[Effect, ...]) -> Finish:
    """The same end with these effects too."""
    return replace(finish, effects=finish.effects + effects) if effects else finish


def failed(run: Claimed, text: str, code: str = HandlerFailed.code) -> Finish:
    """It failed, with this text for the model."""
    return final(run, "failed", {"error": text, "code": code})


def final(run: Claimed, status: str, error: dict[str, str]) -> Finish:
    """This is its end, and what the model hears of it."""
    return Finish(run.id, run.fence, status, told(error))


def later(run: Claimed, verdict: str, wait: timedelta, why: str, text: str) -> Finish:
    """It waits, for this reason, and is attempted again."""
    return Finish(run.id, run.fence, verdict, told({"error": text}), ms(wait), why)


def told(error: dict[str, str]) -> str:
    """An error as it is stored, whoever found the words for it."""
    return to_json({key: said(text) for key, text in error.items()}).decode()


def said(reason: Any) -> str:
    """What a handler says to the model: a text that JSON has, and no longer than a model wants to read."""
    text: str = mended(str(reason))
    return text if len(text) <= MOST_SAID else text[: MOST_SAID - 1] + "…"


def ms(wait: timedelta) -> int:
    """A wait as the store takes it."""
    return max(0, round(wait.total_seconds() * 1000))
