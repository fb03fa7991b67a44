"""A handler's value as the JSON text that the model reads.

In: what a handler returned. Out: its value and directives apart, and the value as JSON; or an error for the
model, when it is not what the action promised or has no JSON form. The text is always JSON, also for a
plain text.
"""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, from_json, to_json

from actions.definition import Action
from actions.directives import Result
from actions.errors import InvalidResult, ModelError, Refuse, ResultNotSerialisable, ResultTooLarge

_DEEP: Final = 150
_DIGITS: Final = 4_300
_LONG_NUMBER: Final = re.compile(rb"[0-9]{4300}")


def opened(returned: Any) -> Result:
    """Return what a handler returned as a Result; a bare value has no directives."""
    return returned if isinstance(returned, Result) else Result(returned)


def result_text(action: Action, value: Any, cap: int | None = None) -> str:
    """Return the value as JSON, checked against the action's `output` when it declares one.

    Models, dataclasses, dates, sets and the like have their usual JSON form; infinite numbers become null. More than
    `cap` bytes of it become `{"truncated": true, "bytes": N, "shown": "<the beginning>"}`, within the cap.

    Raises:
        InvalidResult: when it is not what `output` promises.
        ResultNotSerialisable: when it has no JSON form; names the type, shows nothing of the value.
        ResultTooLarge: when it is over the cap and the action says `oversize="fail"`.
    """
    return text_of(action, checked(action, value), cap)


def checked(action: Action, value: Any) -> Any:
    """Return the value as the action's `output` has it, unchanged without one; InvalidResult if it is not that."""
    if action.output_adapter is None:
        return value
    try:
        return action.output_adapter.validate_python(value)
    except ValidationError as error:
        where = ", ".join(
            sorted({".".join(map(str, each["loc"])) or "the result" for each in error.errors()})
        )
        raise InvalidResult(f"{action.name} returned something else than it promises: {where}") from error


def text_of(action: Action, value: Any, cap: int | None = None) -> str:
    """Return a value that was checked as JSON, within the cap; raises as `result_text` does."""
    try:
        told = json_of(value)
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        raise ResultNotSerialisable(
            f"{action.name} did its work, but its result ({type(value).__name__}) has no JSON form"
        ) from error
    if cap is None or len(told) <= cap:
        return told.decode()
    if action.oversize == "fail":
        raise ResultTooLarge(
            f"{action.name} did its work, but its result has {len(told)} bytes and {cap} is the cap"
        )
    return _truncated(value if isinstance(value, str) else told.decode(), len(told), cap)


def json_of(value: Any) -> bytes:
    """Return a value as JSON that can be read back; raise ValueError or its kin for what has no such form."""
    told = to_json(value, inf_nan_mode="null")
    check_readable(told)
    return told


def check_readable(told: bytes) -> None:
    """Raise ValueError for JSON that cannot be read back: nested too deep (200), or a number of too many digits.

    Python reads no whole number of more than 4,300 digits (its guard against quadratic time). Only what looks as if
    it could be so is read.
    """
    deep = told.count(b"[") + told.count(b"{") > _DEEP
    if deep or (len(told) > _DIGITS and _LONG_NUMBER.search(told)):
        from_json(told)


def _truncated(text: str, size: int, cap: int) -> str:
    """As much of the beginning as goes into the cap; escapes take room, so the place to cut is searched for."""

    def cut(at: int) -> bytes:
        return to_json({"truncated": True, "bytes": size, "shown": text[:at]})

    fits, beyond = 0, min(cap, len(text)) + 1
    while beyond - fits > 1:
        middle = (fits + beyond) // 2
        fits, beyond = (middle, beyond) if len(cut(middle)) <= cap else (fits, middle)
    return cut(fits).decode()


def error_text(error: ModelError | Refuse) -> str:
    """Return an error as the JSON that the model reads, `{"error": text, "code": code}`."""
    return to_json(error.for_model()).decode()
