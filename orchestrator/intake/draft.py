"""What a format found in a body, while it is being read; `reply` makes the frozen `Reply` of it.

The caps of a reply are kept here: how many calls may run, and how many are listed at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from actions.errors import TooManyCalls
from actions.messages import Call, CallError, Reply
from actions.short import seen, within
from actions.strict_json import clean
from orchestrator.intake.calls import surplus

MAX_CALLS: Final = 128
"""Calls of one reply that may run; the ones after them are malformed, with code too_many_calls."""
MAX_LISTED: Final = 1_024
"""Calls of one reply that are told one by one; what comes after them is a runaway and one error."""


class Unusable(Exception):
    """Nothing in the reply can be used; `code` and the text are its one error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Draft:
    """What was found so far."""

    text: str = ""
    """The text that people see, or that prose formats are still to be looked for in."""
    calls: list[Call] = field(default_factory=list[Call])
    """Every call in order, malformed ones in their places; no more than `MAX_LISTED` and one are needed."""
    provider_calls: list[str] = field(default_factory=list[str])
    """Names of tools that the provider ran itself."""
    errors: list[CallError] = field(default_factory=list[CallError])
    """What is wrong with the reply as a whole."""
    cut: bool = False
    """Whether the reply was cut off: what its text ends with may be half of what was meant."""

    @property
    def full(self) -> bool:
        """Whether there are more calls than will be told."""
        return len(self.calls) > MAX_LISTED

    def complain(self, code: str, message: str) -> None:
        """Note an error of the reply as a whole."""
        self.errors.append(CallError(code=code, message=within(seen(clean(message)))))

    def reply(self, format: str, *, continues: bool) -> Reply:  # noqa: A002 - the field's name
        """Freeze it, with the caps applied and each malformed call's error among the errors."""
        if len(self.calls) > MAX_CALLS:
            self._cut()
        told = [one.error for one in self.calls if one.error is not None]
        return Reply(
            format=format,
            text=self.text if self.text.isascii() else clean(self.text),
            calls=tuple(self.calls),
            provider_calls=tuple(self.provider_calls[:MAX_LISTED]),
            errors=(*self.errors, *told),
            continues=continues,
        )

    def _cut(self) -> None:
        if self.full:
            self.complain(
                TooManyCalls.code, f"The reply holds more than {MAX_LISTED} calls; the rest was dropped."
            )
        listed = self.calls[:MAX_LISTED]
        self.calls = [*listed[:MAX_CALLS], *(surplus(one, MAX_CALLS) for one in listed[MAX_CALLS:])]
