"""A name and what was given as its arguments in, a `Call` out: exact arguments, or the error that says why.

A call never runs on a guess. Nothing, an empty text and null mean `{}`; an object, or a text that is one JSON
object to its last character, is taken as it is; all else is a malformed call that keeps its name and id.
"""

from __future__ import annotations

import json
from typing import Any, Final

from actions.errors import MalformedCall, TooManyCalls, TruncatedCall
from actions.messages import MAX_RAW, Call, CallError
from orchestrator.intake.strict import Unreadable, clean, cut_off, decode, encodes, flaw, is_list, is_object

MAX_NAME: Final = 256
"""Characters of an action's name; longer ones are no names."""

MAX_DEPENDENCIES: Final = 32
"""Other calls that one call may say it depends on."""

_NOTHING: Final = ("", "null")


def call(name: Any, given: Any, id: Any = None, raw: str | None = None) -> Call:  # noqa: A002 - the wire's word
    """Make the call that stands in a reply; never raises.

    Args:
        name: the name as written; anything but a short text makes the call malformed.
        given: an object, the text of one, or nothing.
        id: the provider's call id, if it has one.
        raw: the argument text, where `given` was already read from it.
    """
    written = raw if raw is not None else _written(given)
    try:
        arguments = _arguments(given)
    except Unreadable as error:
        return _refused(name, id, written, error)
    if not _is_name(name):
        return broken(_shown(name), "it has no readable name", id=id, raw=written)
    return Call(id=_id(id), name=name, arguments=arguments, raw=written)


def _is_name(name: Any) -> bool:
    return type(name) is str and 0 < len(name) <= MAX_NAME and not name.isspace() and encodes(name)


def broken(name: str, why: str, *, truncated: bool = False, id: Any = None, raw: str = "") -> Call:  # noqa: A002
    """Make a call that cannot run: `why` goes on from "The call of NAME was not run: "."""
    code = (TruncatedCall if truncated else MalformedCall).code
    name = _shown(name)
    message = f"The call of {name!r} was not run: {why}." if name else f"A call was not run: {why}."
    error = CallError(code=code, message=clean(message))
    return Call(id=_id(id), name=name, raw=clean(raw[: MAX_RAW + 1]), error=error)


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
    message = f"The call of {one.name!r} was not run: one reply may hold {limit} calls."
    error = CallError(code=TooManyCalls.code, message=message)
    return Call(id=one.id, name=one.name, raw=one.raw, error=error)


def _refused(name: Any, id: Any, raw: str, error: Unreadable) -> Call:  # noqa: A002
    if error.truncated:
        return broken(_shown(name), f"its arguments are cut off ({error})", truncated=True, id=id, raw=raw)
    why = f"its arguments are not one good JSON object ({error})"
    return broken(_shown(name), why, id=id, raw=raw)


def _arguments(given: Any) -> dict[str, Any]:
    if type(given) is str:
        return _arguments_in(given)
    if given is None:
        return {}
    if not is_object(given):
        raise Unreadable(f"an object is wanted, not a {_kind(given)}")
    if problem := flaw(given):
        raise Unreadable(problem)
    return given


def _arguments_in(text: str) -> dict[str, Any]:
    if not text.startswith("{"):
        text = text.strip()
        if text in _NOTHING:
            return {}
    try:
        value = decode(text)
    except Unreadable as error:
        raise error if error.truncated else Unreadable(str(error), truncated=cut_off(text)) from None
    if type(value) is str and value.lstrip().startswith("{"):
        value = decode(value)  # encoded twice: a text that holds the object
    if type(value) is str:
        raise Unreadable("an object is wanted, not a text")
    return _arguments(value)


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
    if type(id) is str and id:
        return id if id.isascii() else clean(id)
    return str(id) if type(id) is int and -(2**63) <= id < 2**64 else None
