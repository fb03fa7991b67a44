"""Gemini generateContent in chunks, as server-sent events or as one JSON array: parts of the first candidate.

A `functionCall` is whole in its part, unless it says `willContinue`: then its arguments come as `partialArgs` in the
parts after it, until one does not say so. A call that nobody ended is complete where another one or the finish reason
comes, if no text in it is left open.
"""

from __future__ import annotations

from typing import Any, Final

from actions.strict_json import is_object
from orchestrator.intake.draft import Draft, Unusable
from orchestrator.intake.formats import gemini_content as body
from orchestrator.intake.formats.pieces import listed, word
from orchestrator.intake.streams.assembly import Assembly
from orchestrator.intake.streams.face import StreamFormat
from orchestrator.intake.streams.partial_args import PartialArgs

_OPEN: Final = "open"
_HALF: Final = "one of its arguments is cut off"


def matches(event: dict[str, Any]) -> bool:
    """Whether this is a chunk of candidates."""
    return body.matches(event)


def take(to: Assembly, event: dict[str, Any]) -> None:
    """Add what a chunk says."""
    event = body.inside(event)
    told = (one for one in listed(event.get("candidates")) if is_object(one) and not one.get("index"))
    first = next(told, None)
    if first is None:
        _blocked(to, event)
        return
    finish = word(body.either(first, "finishReason", "finish_reason"))
    content = first.get("content")
    parts = listed(content.get("parts")) if is_object(content) else []
    for place, part in enumerate(parts):
        _part(to, part, cut=finish == "MAX_TOKENS" and place == len(parts) - 1)
    if finish:
        _end_open(to)
        to.finish_all(cut=finish == "MAX_TOKENS")
        to.draft.cut = to.draft.cut or finish not in body.WHOLE
        found = Draft(text="" if to.empty else "something")
        body.note_finish(finish, body.either(first, "finishMessage", "finish_message"), found)
        to.absorb(found)


def _blocked(to: Assembly, event: dict[str, Any]) -> None:
    try:
        to.absorb(body.read(event))
    except Unusable:
        return  # a chunk that says nothing


def _part(to: Assembly, part: Any, *, cut: bool) -> None:
    asked = body.either(part, "functionCall", "function_call") if is_object(part) else None
    if is_object(asked) and (to.known(_OPEN) or "partialArgs" in asked or asked.get("willContinue") is True):
        _grow(to, asked)
        return
    found = Draft()
    body.note(part, found, to.pieces, cut=cut)
    to.absorb(found)


def _grow(to: Assembly, asked: dict[str, Any]) -> None:
    one, name, id = to.known(_OPEN), asked.get("name"), asked.get("id")  # noqa: A001 - the wire's word
    if one is not None and ((id and one.id and id != one.id) or (name and name != one.name)):
        _end_open(to)
        one = None
    if one is None:
        to.apart()
        one = to.begin(_OPEN, name, id)
        to.notes["args"] = PartialArgs()
    one.hold(asked)
    one.id = one.id or id
    args: PartialArgs = to.notes["args"]
    if asked.get("args"):
        one.put(asked["args"])
    before = args.size
    for part in listed(asked.get("partialArgs")):
        args.add(part)
    to.size += args.size - before
    if asked.get("willContinue") is not True:
        _end_open(to)


def _end_open(to: Assembly) -> None:
    """End the call that is still open, if one is."""
    one = to.known(_OPEN)
    if one is None:
        return
    args: PartialArgs = to.notes["args"]
    result = args.result()
    if args.problem or result is None:
        one.spoilt = one.spoilt or args.problem
        one.lost = result is None
    elif result and one.given:
        one.spoilt = "its arguments stand there in two ways"
    elif result:
        one.put(result)
    to.finish(_OPEN)
    to.forget(_OPEN)


STREAM: Final = StreamFormat(name="gemini.generateContent.stream", matches=matches, take=take)
