"""How a handler steers its own run, and how a validator says no: neither is an error.

Out of a handler: a `Signal`, raised. Out of a validator: `Refuse`, returned. `actions.errors` hands both
on, so that one import serves everything that can be raised.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from actions.directives import Directive, checked_directives


class Signal(Exception):
    """What a handler raises to steer its own run; no error, and never shown as one."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


class _Later(Signal):
    def __init__(self, after: timedelta | float | str | None = None, reason: str = "") -> None:
        super().__init__(reason)
        self.args = (after, reason)
        self.after = after


class TryAgain(_Later):
    """Try this run again; uses up one of its retries.

    `after` is a timedelta, seconds, or a text such as "500ms"; None takes the wait of the retry policy. `cool`
    lets nobody through the run's rate limits for as long as this run waits: True all of them, a name that one.
    """

    def __init__(
        self,
        after: timedelta | float | str | None = None,
        reason: str = "",
        cool: bool | str = False,  # noqa: FBT001, FBT002 - pickle gives it back by position
    ) -> None:
        super().__init__(after, reason)
        self.args = (after, reason, cool)
        self.cool = cool


class Postpone(_Later):
    """Run later without using up a retry; `after` as in `TryAgain`, None means at once."""


class Fail(Signal):
    """End the run as failed, without further retries; the model is told the reason.

    `directives` are applied all the same, in the step that records the failure.
    """

    def __init__(self, reason: str = "", directives: tuple[Directive, ...] = ()) -> None:
        super().__init__(reason)
        self.directives = checked_directives(directives)


class Stop(Fail):
    """End the run as failed, and the whole turn with it: what else it has running is cancelled, no round follows.

    For what must not go on: the account is closed, the data contradict each other. `directives` as in `Fail`.
    """


class Cancel(Signal):
    """End the run as cancelled; the model is told the reason."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """A validator's no: a value, not an exception."""

    reason: str
    """Shown to the model as the call's result."""
    code: str = "refused"
    """Stored with the run; a policy that refuses before the validator gives its own."""

    def for_model(self) -> dict[str, str]:
        """Return `{"error": reason, "code": code}`, the form every error for the model has."""
        return {"error": self.reason, "code": self.code}
