"""JSON that a format puts between marks of its own: a text and a place in; the value, and where it goes on, out.

Strict first, and only what cannot be read so is repaired. What is repaired goes no further than the next mark, so that
a text full of openings is read once. Between a value and its end mark nothing may stand but blanks, a fence's end and
surplus brackets: anything else makes the call malformed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from actions.messages import Call
from actions.strict_json import Unreadable
from orchestrator.intake.calls import MAX_NAME, NO_END, broken, call
from orchestrator.intake.draft import MAX_LISTED
from orchestrator.intake.parts.taken import Taken
from orchestrator.intake.repair import MAX_TEXT, SURPLUS, read_value
from orchestrator.intake.strict import cut_off, decode_at

TAG: Final = "wrong tag"
"""What `Call.repaired` says of a call whose tag is written in another way than its format says."""
SPECIAL: Final = r"<\|[\w/]{1,40}+\|>|</s>"
"""Tokens of chat templates: they end what a model forgot to end."""
SHOWN: Final = 4_096
"""Characters of a broken call that are looked at for its name, and shown."""

_FENCE: Final = re.compile(r"\s*+(?:```\w{0,20}+\s*+)?+")
_FENCE_END: Final = re.compile(r"\s*+```")
_NAME: Final = re.compile(
    rf"""["'](?:name|function|action|tool)["']\s*+:\s*+["']([^"'\\]{{1,{MAX_NAME}}}+)["']"""
)


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands around the JSON of a format; made by `marks`."""

    stop: re.Pattern[str]
    """Finds the next mark: its group "end" an end, "wrong" what is met in an end's place, none an opening."""
    after: re.Pattern[str]
    """What may stand between a value and its end: group "surplus" brackets too many, "end" or "wrong" the end."""
    needed: bool
    """Whether the format has an end that a whole call must have; without it the call says that it was mended."""


def marks(opening: str, end: str, wrong: str = r"(?!)", *, needed: bool = True) -> Marks:
    """Make the marks of a format from its openings, its ends, and what models write for an end by mistake."""
    ends = f"(?P<end>{end})|(?P<wrong>{wrong}|(?={SPECIAL}))"
    return Marks(
        re.compile(f"{ends}|{opening}"),
        re.compile(rf"\s*+(?:```)?+(?P<surplus>[\s}}\])>]*+)(?:{ends})"),
        needed,
    )


@dataclass(frozen=True, slots=True)
class Limit:
    """How far a value may be repaired."""

    at: int
    """Where the next mark begins, or the text ends."""
    next: int
    """Where the text goes on after what cannot be read: behind an end, before anything else."""
    ended: bool
    """Whether it is an end."""


def limit(text: str, at: int, around: Marks) -> Limit:
    """Where what begins here ends at the latest."""
    mark = around.stop.search(text, at)
    if mark is None:
        return Limit(len(text), len(text), ended=False)
    ends = mark.lastgroup in {"end", "wrong"}
    return Limit(mark.start(), mark.end() if ends else mark.start(), ended=mark.lastgroup == "end")


def end_of(text: str, at: int, around: Marks) -> Limit:
    """Where the end of what stands here is, or the next opening; other tags may stand before it."""
    for mark in around.stop.finditer(text, at):
        if mark.lastgroup != "wrong":
            ended = mark.lastgroup == "end"
            return Limit(mark.start(), mark.end() if ended else mark.start(), ended=ended)
    return Limit(len(text), len(text), ended=False)


def value_at(text: str, at: int, until: Limit) -> tuple[Any, int, tuple[str, ...]]:
    """Read the object or list that begins here; return it, where it ends, and what was mended.

    Raises:
        Unreadable: it cannot be read before the limit; `truncated` says that its brackets are open there.
    """
    piece = text[at : min(until.at, at + MAX_TEXT + 1)].rstrip(" \t\r\n`")
    try:
        value, end, what = read_value(piece, 0)
    except Unreadable as error:
        cut = error.truncated or cut_off(piece)
        if not until.ended or len(piece) > MAX_TEXT:
            raise Unreadable(str(error), truncated=cut) from None
    else:
        return value, at + end, what
    try:
        value, end, what = read_value(piece, 0, ended=True)
    except Unreadable as error:
        raise Unreadable(str(error), truncated=cut) from None
    return value, at + end, what


def named_in(piece: str) -> str:
    """The name in a call that cannot be read, for its error; "" if there is none."""
    found = _NAME.search(piece, 0, SHOWN)
    return found[1] if found else ""


def arguments_at(
    text: str,
    at: int,
    name: str,
    around: Marks,
    *,
    id: str | None = None,  # noqa: A002 - the wire's word
    repaired: tuple[str, ...] = (),
) -> tuple[Call, int]:
    """Read the arguments of a call whose name stood before; return the call and where the text goes on.

    Args:
        text: the text.
        at: where the arguments begin; a fence may be around them.
        name: the name as written.
        around: what ends them.
        id: the call's id, if it has one.
        repaired: what was mended to read the name.
    """
    fence = _FENCE.match(text, at)
    body = fence.end() if fence else at
    if end := around.after.match(text, body):
        return call(name, {}, id, "", _told(repaired, end, around)), end.end()
    try:
        value, stop, what = _arguments(text, body, around)
    except Unreadable as error:
        until = limit(text, body, around)
        cut = error.truncated or (not until.ended and not text[body : until.at].strip())
        why = f"its arguments {'are cut off' if cut else 'cannot be read'} ({error})"
        return broken(name, why, truncated=cut, id=id, raw=text[body : until.at][:SHOWN]), until.next
    if end := around.after.match(text, stop):
        return call(name, value, id, None, (*_told(repaired, end, around), *what)), end.end()
    return _unended(text, body, stop, around, call(name, value, id, None, (*repaired, *what)))


def _arguments(text: str, body: int, around: Marks) -> tuple[Any, int, tuple[str, ...]]:
    """Read an object, or the text of one, or null."""
    if text.startswith("null", body):
        return None, body + 4, ()
    if text[body : body + 1] not in {"{", '"', "["}:
        raise Unreadable("an object is wanted")
    try:
        return *decode_at(text, body), ()
    except Unreadable:
        return value_at(text, body, limit(text, body, around))


def _told(repaired: tuple[str, ...], end: re.Match[str], around: Marks) -> tuple[str, ...]:
    surplus = (SURPLUS,) if end["surplus"].strip() else ()
    missing = (NO_END,) if end["end"] is None and around.needed else ()
    return (*repaired, *surplus, *missing)


def _unended(text: str, body: int, stop: int, around: Marks, whole: Call) -> tuple[Call, int]:
    """The arguments are whole, but no end follows them: refuse the call if something else stands before its end."""
    until = limit(text, stop, around)
    if until.ended:
        why = "something else stands beside the JSON object between its marks"
        return broken(whole.name, why, id=whole.id, raw=text[body : until.at][:SHOWN]), until.next
    fence = _FENCE_END.match(text, stop)
    return unended(whole) if around.needed else whole, fence.end() if fence else stop


def unended(one: Call) -> Call:
    """The call with a word that its end was missing."""
    if one.error is not None or NO_END in one.repaired:
        return one
    return one.model_copy(update={"repaired": (*one.repaired, NO_END)})


def several(
    text: str, at: int, between: re.Pattern[str], one: Callable[[str, int], tuple[Call, int] | None]
) -> Taken | None:
    """Read calls one after the other, with only what `between` matches (it may be empty) around; None: not even one."""
    found: list[Call] = []
    while len(found) <= MAX_LISTED:
        gap = between.match(text, at)
        at = gap.end() if gap else at
        taken = one(text, at)
        if taken is None:
            break
        found.append(taken[0])
        at = taken[1]
    return Taken(at, found) if found else None


def opened(text: str, at: int, between: re.Pattern[str], cut: re.Pattern[str]) -> Taken | None:
    """What is left to say where a section begins and holds no call: if `cut` matches, the reply ends in it.

    None where `between`, all that may stand around calls, does not even match: nothing begins here.
    """
    if cut.match(text, at):
        return Taken(len(text), (broken("", "the reply ends where its calls begin", truncated=True),))
    gap = between.match(text, at)
    return Taken(gap.end()) if gap and gap.end() > at else None
