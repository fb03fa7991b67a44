"""A name and what was given as its arguments in, a `Call` out: exact arguments, or the error that says why.

A call never runs on a guess. Nothing, an empty text and null mean `{}`; an object, or a text that is one JSON
object to its last character, is taken as it is; all else is a malformed call that keeps its name and id.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from actions.errors import MalformedCall, TooManyCalls, TruncatedCall
from actions.messages import MAX_RAW, Call, CallError
from actions.short import MOST_OF_A_NAME, cut, seen, within
from actions.strict_json import Unreadable, clean, decode, encodes, flaw, is_list, is_object
from orchestrator.intake.repair import repair
from orchestrator.intake.strict import cut_off

MAX_NAME: Final = 256
"""Characters of an action's name; longer ones are no names."""

MAX_DEPENDENCIES: Final = 32
"""Other calls that one call may say it depends on."""

NO_END: Final = "missing end tag"
"""What `Call.repaired` says of a call that is whole, but whose end tag the text does not have."""

_LONGEST: Final = 1_400
"""Bytes of what is told of a call here: what its action takes is told behind it."""
_LONGEST_ID: Final = 512
"""Characters of a provider's call id; a longer one is none: the call gets one of ours."""
NOTHING: Final = ("", "null")
"""Argument texts that stand for no arguments."""


def call(
    name: Any,
    given: Any,
    id: Any = None,  # noqa: A002 - the wire's word
    raw: str | None = None,
    repaired: Iterable[str] = (),
) -> Call:
    """Make the call that stands in a reply; never raises.

    Args:
        name: the name as written; anything but a short text makes the call malformed.
        given: an object, the text of one, or nothing.
        id: the provider's call id, if it has one.
        raw: the argument text, where `given` was already read from it.
        repaired: what was mended to read it so far.
    """
    written = raw if raw is not None else _written(given)
    mended = list(repaired)
    try:
        arguments = _arguments(given, mended)
    except Unreadable as error:
        return _refused(name, id, written, error)
    if not _is_name(name):
        return broken(_shown(name), "it has no readable name", id=id, raw=written)
    return Call(
        id=_id(id), name=name, arguments=arguments, raw=written, repaired=tuple(dict.fromkeys(mended))
    )


def _is_name(name: Any) -> bool:
    return type(name) is str and 0 < len(name) <= MAX_NAME and not name.isspace() and encodes(name)


def broken(name: str, why: str, *, truncated: bool = False, id: Any = None, raw: str = "") -> Call:  # noqa: A002
    """Make a call that cannot run: `why` goes on from "The call of NAME was not run: "."""
    code = (TruncatedCall if truncated else MalformedCall).code
    name = _shown(name)
    shown = cut(name, MOST_OF_A_NAME)
    message = f"The call of {shown!r} was not run: {why}." if name else f"A call was not run: {why}."
    error = CallError(code=code, message=within(seen(clean(message)), _LONGEST))
    return Call(id=_id(id), name=name, raw=clean(raw[: MAX_RAW + 1]), error=error)


def cut_list(calls: list[Call]) -> list[Call]:
    """The calls of a list that is cut off: none of them runs, and at least one says so.

    A list is one value. What its writer would have said after its last whole call nobody knows.
    """
    why = "it stands in a list that is cut off"
    refused = [
        one if one.error else broken(one.name, why, truncated=True, id=one.id, raw=one.raw) for one in calls
    ]
    return refused or [broken("", why, truncated=True)]


def ordered(one: Call, given: Any) -> Call:
    """The call with what it says to depend on: names or ids of other calls of its reply, one or several.

    What says that in another way makes the call malformed: it would else run before what it is to wait for.
    """
    if given is None or given in ("", []) or one.error is not None:
        return one
    names = [given] if isinstance(given, str) else given
    if not is_list(names) or len(names) > MAX_DEPENDENCIES or not all(map(_is_name, names)):
        return broken(one.name, "its depends_on is no list of names of other calls", id=one.id, raw=one.raw)
    return one.model_copy(update={"depends_on": tuple(dict.fromkeys(names))})


def surplus(one: Call, limit: int) -> Call:
    """Make of a call that came after the `limit`-th one that says so."""
    shown = cut(one.name, MOST_OF_A_NAME)
    message = f"The call of {shown!r} was not run: one reply may hold {limit} calls."
    error = CallError(code=TooManyCalls.code, message=message)
    return Call(id=one.id, name=one.name, raw=one.raw, error=error)


def _refused(name: Any, id: Any, raw: str, error: Unreadable) -> Call:  # noqa: A002
    if error.truncated:
        return broken(_shown(name), f"its arguments are cut off ({error})", truncated=True, id=id, raw=raw)
    why = f"its arguments are not one good JSON object ({error})"
    return broken(_shown(name), why, id=id, raw=raw)


def _arguments(given: Any, mended: list[str]) -> dict[str, Any]:
    if type(given) is str:
        return _arguments_in(given, mended)
    if given is None:
        return {}
    if not is_object(given):
        raise Unreadable(f"an object is wanted, not a {_kind(given)}")
    if problem := flaw(given):
        raise Unreadable(problem)
    return given


def _arguments_in(text: str, mended: list[str]) -> dict[str, Any]:
    if not text.startswith("{"):
        text = text.strip()
        if text in NOTHING:
            return {}
    value = _value_in(text, mended)
    if type(value) is str and value.lstrip().startswith("{"):
        value = _value_in(value, mended)  # encoded twice: a text that holds the object
    if type(value) is str:
        raise Unreadable("an object is wanted, not a text")
    return _arguments(value, mended)


def _value_in(text: str, mended: list[str]) -> Any:
    """The value that a text is: read strictly, and where that fails with known defects mended."""
    try:
        return decode(text)
    except Unreadable as error:
        try:
            value, what = repair(text)
        except Unreadable as refusal:
            cut = error.truncated or refusal.truncated or cut_off(text)
            raise Unreadable(str(error), truncated=cut) from None
    mended.extend(what)
    return value


def _kind(value: Any) -> str:
    names = {list: "list", bool: "true or false", int: "number", float: "number"}
    return names.get(type(value), type(value).__name__)


def _written(given: Any) -> str:
    """The argument text for people: the model's own, or the object in compact JSON."""
    if given is None:
        return ""
    if type(given) is str:
        text = given[: MAX_RAW + 1]
        return text if text.isascii() else clean(text)
    try:
        return clean(json.dumps(given, ensure_ascii=False)[: MAX_RAW + 1])
    except (ValueError, TypeError, RecursionError):
        return ""


def _shown(name: Any) -> str:
    return clean(name[:MAX_NAME]) if isinstance(name, str) else ""


def _id(id: Any) -> str | None:  # noqa: A002
    if type(id) is str and 0 < len(id) <= _LONGEST_ID:
        return id if id.isascii() else clean(id)
    return str(id) if type(id) is int and -(2**63) <= id < 2**64 else None
