"""Coercion without loss, value by value.

In: one value of a call's arguments. Out: the same value as the kind that is wanted, or an error that says
what is wanted. Nothing is guessed: "5" is 5 and "[5]" a list, but "42abc", true and 1.5 are no integers, and
nothing is infinite.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final

from pydantic_core import PydanticCustomError

from actions.strict_json import SPACE, Unreadable, decode, flaw

WANTED: Final = "wanted"
"""The type of the errors raised here; their context says what is wanted."""

_INTEGER: Final = re.compile(r"-?\d{1,300}", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d{1,300}(?:\.\d{1,300})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_LIKE_A_NUMBER: Final = re.compile(r"\s*[+-]?[\d_.]+\s*", re.ASCII)
_EXACT: Final = 2**53  # up to here every integer is a float


def wanted(what: str) -> PydanticCustomError:
    """Return the error that says what is wanted."""
    return PydanticCustomError(WANTED, "{wanted} is wanted", {"wanted": what})


def integer(value: Any) -> Any:
    """Take 5, 5.0 and "5"; never true, 5.5 or "5 pieces"."""
    kind = type(value)
    if kind is int:
        return value
    if (kind is str and _INTEGER.fullmatch(value)) or (kind is float and value.is_integer()):
        return int(value)
    raise wanted("an integer")


def number(value: Any) -> Any:
    """Take a finite number or its text, and an integer only when a float holds it exactly."""
    kind = type(value)
    if kind is str and _NUMBER.fullmatch(value):
        value = float(value)
    elif kind is int and abs(value) > _EXACT and not _held(value):
        raise wanted("a number that floating point can hold")
    elif kind is not float and kind is not int:
        raise wanted("a number")
    if not math.isfinite(value):
        raise wanted("a finite number")
    return value


def _held(value: int) -> bool:
    try:
        return int(float(value)) == value
    except OverflowError:
        return False


def decimal(value: Any) -> Any:
    """Take what pydantic takes for a Decimal, but no boolean."""
    if isinstance(value, bool):
        raise wanted("a number")
    return value


def boolean(value: Any) -> Any:
    """Take true, false and their texts; never 1, 0, "yes" or "on"."""
    if isinstance(value, bool):
        return value
    text = value.lower() if isinstance(value, str) else ""
    if text in {"true", "false"}:
        return text == "true"
    raise wanted("true or false")


def finite(value: Any) -> Any:
    """Take any JSON value without an infinite number in it."""
    if isinstance(value, float) and not math.isfinite(value):
        raise wanted("a finite number")
    if isinstance(value, dict):
        for item in value.values():
            finite(item)
    elif isinstance(value, list):
        for item in value:
            finite(item)
    return value


def from_text(brackets: str) -> Callable[[Any], Any]:
    """Make a check that reads a text which is one JSON list ("[]") or object ("{}"); other values stay as they are."""

    def check(value: Any) -> Any:
        if not isinstance(value, str) or not (text := value.strip(SPACE)).startswith(brackets[0]):
            return value
        try:
            found = decode(text) if text.endswith(brackets[1]) else value
        except Unreadable:
            return value
        return value if flaw(found) else found

    return check


def shape(what: str) -> Callable[[Any], Any]:
    """Make a check that takes no numbers, nor their texts, where pydantic would read them as a time."""

    def check(value: Any) -> Any:
        if isinstance(value, bool | int | float):
            raise wanted(what)
        if isinstance(value, str) and _LIKE_A_NUMBER.fullmatch(value):
            raise wanted(what)
        return value

    return check


def choice(values: list[Any], *, strict: bool) -> Callable[[Any], Any]:
    """Make a check for a closed list of values: true is not 1, and "1" stands for 1 unless strict."""
    kinds = {type(value) for value in values}
    texts: dict[str, Any] = {}
    if not strict:
        texts = {str(value).lower(): value for value in values if isinstance(value, bool | int | float)}

    def check(value: Any) -> Any:
        if isinstance(value, str) and str not in kinds and value.lower() in texts:
            return texts[value.lower()]
        if isinstance(value, str | bool | int | float) and type(value) not in kinds:
            raise wanted("one of " + ", ".join(map(repr, values)))
        return value

    return check
