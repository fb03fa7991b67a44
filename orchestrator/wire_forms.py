"""The forms of what stands in requests: names, lengths of time, moments; JSON values in, checked out.

Whatever has one of several forms is told apart by what it looks like, so that there is one flaw where one thing is
wrong, and no word of how it was looked for.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AwareDatetime,
    Field,
    TypeAdapter,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from actions.errors import DeclarationError
from actions.policy import duration
from orchestrator.resting import Ending

__all__ = ["LIMIT_KEY", "MOST_RUNS", "Busy", "End", "Ending", "Id", "Length", "Mode", "Moment", "Name"]

MOST_RUNS: Final = 1_000
"""Runs of one batch, and of one deed on many of the dead."""
LIMIT_KEY: Final = r"^[A-Za-z0-9._~@%:-]{1,400}$"
"""One key of a rate limit."""

Mode = Literal["all", "sequence", "chain"]
"""How calls are run. all: each for itself. sequence: each when the one before has ended, however it did. chain: each
when the one before has succeeded; the first final failure stops it and undoes the completed steps in reverse."""

Busy = Literal["enqueue", "refuse", "interrupt", "inject"]
"""What becomes of what comes while another turn lives. enqueue: it waits. refuse: `ConversationBusy`. interrupt: the
live turn is cancelled, and this is next. inject: a message goes into the live turn, before the model is asked again; if
that does not happen any more, it is next."""

_LONGEST_S: Final = 36_525 * 86_400
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)


def _length(given: Any, _: Any) -> Any:
    """A duration as it came; one sentence for whatever is none, and no word of how it was looked for."""
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise ValueError('a length is a text such as "250ms", "30s" or "5m", or a number of seconds')  # noqa: TRY004
    try:
        duration(given)
    except DeclarationError as error:
        told = str(error).replace(
            ", as a number of seconds, or as a timedelta", ", or as a number of seconds"
        )
        raise ValueError(told) from None
    return given


def _moment(given: Any, accept: ValidatorFunctionWrapHandler) -> Any:
    """Only a text is a time: pydantic would take a number for seconds since 1970."""
    if isinstance(given, str) and "T" not in given.upper():
        raise ValueError("a time is written as 2026-01-31T12:00:00Z, with its zone")
    if not isinstance(given, str | datetime):
        raise ValueError("a time is written as a text, 2026-01-31T12:00:00Z")  # noqa: TRY004 - pydantic's word
    found: datetime = accept(given)
    if not _FIRST <= found <= _LAST:
        raise ValueError("a time lies between the years 1970 and 2200")
    return found


def _end(given: Any, _: Any) -> Any:
    """A length or a moment, by what it looks like."""
    if isinstance(given, datetime) or (isinstance(given, str) and "T" in given.upper()):
        return _MOMENT.validate_python(given)
    return _length(given, None)


Name = Annotated[str, Field(min_length=1, max_length=200)]
Id = Annotated[str, Field(min_length=1, max_length=120)]
Length = Annotated[
    Annotated[str, Field(max_length=40, pattern=r"^\d+(\.\d+)? ?(ms|s|m|h|d)$")]
    | Annotated[float, Field(ge=0, le=_LONGEST_S)],
    WrapValidator(_length),
]
"""A text such as "250ms", "30s", "5m", "2h" or "1d", or a number of seconds."""
Moment = Annotated[AwareDatetime, Field(strict=False), WrapValidator(_moment)]
"""A time as RFC 3339 writes it, with its zone."""
_MOMENT: Final = TypeAdapter[datetime](Moment)
End = Annotated[Length | Moment, WrapValidator(_end)]
"""A length from now, or a moment."""
