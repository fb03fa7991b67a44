"""OpenAI chat completions in chunks, as their many imitators send them too: the first choice's deltas.

A call ends where the next one begins, if its arguments are an object with something in it, and at the finish reason
or [DONE]. Imitators leave the index out, give every call the same one, send `""` for an id, say a name in each delta
or a whole call in one; the rules for which call a delta belongs to stand in `_key`. Reasoning is not shown.
"""

from __future__ import annotations

from typing import Any, Final

from actions.strict_json import is_object
from orchestrator.intake import provider_errors
from orchestrator.intake.calls import broken
from orchestrator.intake.formats import openai_chat as body
from orchestrator.intake.formats.pieces import listed, word
from orchestrator.intake.streams.assembly import Assembly
from orchestrator.intake.streams.face import StreamFormat
from orchestrator.intake.streams.open_call import OpenCall

_OLDER: Final = "function_call"


def matches(event: dict[str, Any]) -> bool:
    """Whether this is a chunk of a chat completion."""
    if event.get("object") == "chat.completion.chunk":
        return True
    first = next(iter(listed(event.get("choices"))), None)
    return is_object(first) and is_object(first.get("delta"))


def take(to: Assembly, event: dict[str, Any]) -> None:
    """Add what a chunk says."""
    first = next(
        (one for one in listed(event.get("choices")) if is_object(one) and not one.get("index")), None
    )
    error = provider_errors.beside(event, first)
    if first is not None:
        _choice(to, first, failed=error is not None)
    if error is not None:
        to.fail(error)


def _choice(to: Assembly, choice: dict[str, Any], *, failed: bool) -> None:
    delta = choice.get("delta")
    if not is_object(delta) and to.empty:
        delta = choice.get("message")  # some send all of it in one chunk
    if is_object(delta):
        take_delta(to, delta)
    if finish := word(choice.get("finish_reason")):
        if finish in body.FAILED and to.empty and not failed:
            to.out.complain("provider_error", f"The provider stopped the reply: {body.FAILED[finish]}.")
        to.finish_all(cut=finish in body.CUT)


def take_delta(to: Assembly, delta: dict[str, Any]) -> None:
    """Add what a delta, or a whole message, says."""
    to.text(body.said(delta))
    for key, name in body.executed(delta):
        to.provider_call(name, ("executed", key))
    for entry in listed(delta.get("tool_calls")):
        _entry(to, entry)
    older = delta.get(_OLDER)
    if is_object(older) and "key" not in to.notes and (older.get("name") or older.get("arguments")):
        _older(to, older)


def _older(to: Assembly, older: dict[str, Any]) -> None:
    one = to.known(_OLDER) or to.begin(_OLDER)
    one.hold(older)
    one.name = one.name or older.get("name")
    to.fragment(_OLDER, older.get("arguments"))


def _entry(to: Assembly, entry: Any) -> None:
    if not is_object(entry):
        one = to.begin("bad")
        one.ended, one.made = True, broken("", "an entry of tool_calls is not an object")
        return
    custom = entry.get("custom")
    free = is_object(custom) and bool(custom.get("name") or custom.get("input"))
    told = custom if free else entry.get("function")
    told = told if is_object(told) else entry
    if not any((entry.get("id"), told.get("name"), told.get("arguments"), told.get("input"))):
        return  # zeros
    if told is entry and (tool := body.hosted(entry)):
        to.provider_call(tool, ("listed", str(entry.get("index"))[:40], word(entry.get("id"))))
        return
    given = told.get("arguments") if "arguments" in told else told.get("input", told.get("parameters"))
    key = _key(to, entry, told, given)
    known = to.known(key)
    if known is None:
        to.finish_whole(to.notes.get("key"))
        older = to.known(_OLDER)
        to.drop(_OLDER)
        known = to.begin(key, told.get("name"), entry.get("id"), free=free)
        known.like = older.made if older is not None else None
    to.notes["key"] = key
    known.hold(entry, told)
    known.name, known.id = known.name or told.get("name"), known.id or entry.get("id")
    to.fragment(key, given)


def _key(to: Assembly, entry: dict[str, Any], told: dict[str, Any], given: Any) -> int:
    """The number of the call that an entry belongs to; the next free one where it begins another."""
    places: dict[Any, int] = to.notes.setdefault("places", {})
    index, id, name = entry.get("index"), entry.get("id"), told.get("name")  # noqa: A001 - the wire's word
    by_index = ("index", index) if type(index) is int else None
    by_id = ("id", id) if id and isinstance(id, str | int) else None
    key = places.get(by_index) if by_index else None
    if key is None and (by_index is None or not name):
        key = places.get(by_id) if by_id else to.notes.get("key")
    one = to.known(key)
    if key is None or one is None or _begins(one, id, name, given):
        key = to.notes["calls"] = to.notes.get("calls", 0) + 1
    for place in (by_index, by_id):
        if place:
            places[place] = key
    return int(key)


def _begins(one: OpenCall, id: Any, name: Any, given: Any) -> bool:  # noqa: A002 - the wire's word
    """Whether an entry begins another call than the one that has its place; some make up a new id for each delta."""
    if id and one.id:
        return bool(id != one.id and name)
    if not name:
        return False
    if one.name and name != one.name:
        if one.is_empty() or not one.is_ended_by_itself():
            one.spoilt = "its name may have come in pieces, or another call began: that cannot be told apart"
            return False
        return True
    return bool(given) and one.is_whole() and not one.repeats(given)


STREAM: Final = StreamFormat(
    name="openai.chat.stream", matches=matches, take=take, also=("mistral.chat.stream",)
)
