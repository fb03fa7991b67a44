"""A handler's value as the JSON text that the model reads.

In: what a handler returned. Out: its value and directives apart, and the value as JSON; or an error for the
model, when it is not what the action promised or has no JSON form. The text is always JSON, also for a
plain text.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, to_json

from actions.definition import Action
from actions.directives import Result
from actions.errors import InvalidResult, ModelError, Refuse, ResultNotSerialisable, ResultTooLarge


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
    if action.output_adapter is not None:
        try:
            value = action.output_adapter.validate_python(value)
        except ValidationError as error:
            where = ", ".join(
                sorted({".".join(map(str, each["loc"])) or "the result" for each in error.errors()})
            )
            raise InvalidResult(f"{action.name} returned something else than it promises: {where}") from error
    try:
        told = to_json(value, inf_nan_mode="null")
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
