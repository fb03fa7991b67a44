r"""Calls written as Python, `f(a=1, b="x")`: a text and a place in, calls with exact arguments out.

Values are literals (see `python_values`); nothing is ever evaluated. An argument without a name, or with another value,
makes the call malformed; its neighbours run where it is certain where it ends. Names that Markdown escaped (`get\_it`)
are mended and told. Linear.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from actions.messages import MAX_RAW, Call
from actions.strict_json import MAX_DEPTH, Repeated, Unreadable, marked
from orchestrator.intake.calls import MAX_NAME, broken, call, cut_list
from orchestrator.intake.draft import MAX_LISTED
from orchestrator.intake.parts.python_values import Values, passed
from orchestrator.intake.repair import ESCAPES

NAME: Final = rf"[^\W\d](?:[\w.]|\\_|-(?=\w)){{0,{MAX_NAME}}}+"
"""A function's name with its dots, perhaps as Markdown escapes it."""

_HEAD: Final = re.compile(rf"({NAME})\(")
_LIST: Final = re.compile(rf"\[\s*+(?={NAME}\()")
_SURE: Final = re.compile(rf"(?:\[\s*+)?{NAME}\(\s*+(?:\)|(?:[\w-]|\\_)++\s*+=(?!=))")
_KEY: Final = re.compile(r"((?:[\w-]|\\_)++)\s*+=(?!=)")
_UNPACKED: Final = re.compile(r"\*\*\s*+\{")
_NEXT_LIST: Final = re.compile(rf"[\s;,]*+(?=\[\s*+{NAME}\()")
_NEXT_CALL: Final = re.compile(rf"[^\S\n]*+[;,\n](?:[\s;,]|#[^\n]*+)*+(?={NAME}\()")
_PRINT: Final = re.compile(rf"print\(\s*+(?=(?!print\(){NAME}\()")
_PIECE: Final = re.compile(
    r'"""[^"\\]*+(?:(?:\\.|"(?!""))[^"\\]*+)*+"""'
    r"|'''[^'\\]*+(?:(?:\\.|'(?!''))[^'\\]*+)*+'''"
    r'|"(?:[^"\\\n]|\\.)*+"|\'(?:[^\'\\\n]|\\.)*+\'|[][(){}"\']',
    re.DOTALL,
)


@dataclass(slots=True)
class Found:
    """What was read from a place on."""

    end: int
    """Where the text goes on after it."""
    calls: list[Call] = field(default_factory=list[Call])
    """The calls in order, malformed ones in their places; never empty."""
    listed: bool = False
    """Whether they stand in brackets."""
    whole: bool = True
    """Whether it was read to its end: nothing is cut off, and it is known where the last call ends."""
    sure: bool = True
    """Whether each call is one for certain, as `is_sure` says."""


def is_sure(text: str, at: int) -> bool:
    """Whether the call or list that begins here is none of prose: its first argument has a name, or it has none."""
    return bool(_SURE.match(text, at))


def calls_at(text: str, at: int, *, prints: bool = False) -> Found | None:
    """Read the lists of calls, or the calls one after the other, that begin at `at`; None where none does.

    With `prints`, `print(f(a=1))` is the call of f.
    """
    if text.startswith("[", at):
        return _Reader(text, at, prints=prints).lists() if _LIST.match(text, at) else None
    return _Reader(text, at, prints=prints).bare() if _HEAD.match(text, at) else None


def call_in(text: str) -> Call | None:
    """The one call that a text is; None if it is anything else."""
    text = text.strip()
    found = calls_at(text, 0) if is_sure(text, 0) else None
    alone = found is not None and len(found.calls) == 1 and not text[found.end :].strip(" \t\n;,")
    return found.calls[0] if found and alone else None


class _Reader:
    """One pass over what begins at one place; `at` is the next character that nobody has read."""

    def __init__(self, text: str, at: int, *, prints: bool) -> None:
        self.text = text
        self.at = at
        self.prints = prints
        self.sure = True
        self.calls: list[Call] = []
        self.whole = True

    def lists(self) -> Found:
        """Read a list, and those that follow it at once."""
        while True:
            self._list()
            more = _NEXT_LIST.match(self.text, self.at) if self.whole else None
            if more is None or len(self.calls) > MAX_LISTED:
                return self._found(listed=True)
            self.at = more.end()

    def bare(self) -> Found:
        """Read calls that line breaks, semicolons or commas part."""
        while True:
            self._call()
            more = _NEXT_CALL.match(self.text, self.at) if self.whole else None
            if more is None or len(self.calls) > MAX_LISTED:
                return self._found(listed=False)
            self.at = more.end()

    def _found(self, *, listed: bool) -> Found:
        return Found(self.at, self.calls, listed, self.whole, self.sure)

    def _list(self) -> None:
        first = len(self.calls)
        self.at = passed(self.text, self.at + 1)
        while _HEAD.match(self.text, self.at) and len(self.calls) <= MAX_LISTED:
            self._call()
            if not self.whole:
                if self.at >= len(self.text):
                    self.calls[first:] = cut_list(self.calls[first:])
                return
            self.at = passed(self.text, self.at)
            if not self.text.startswith((",", ";"), self.at):
                break
            self.at = passed(self.text, self.at + 1)
        if self.text.startswith("]", self.at):
            self.at += 1
            return
        self.whole = False
        if self.at >= len(self.text):
            self.calls[first:] = cut_list(self.calls[first:])
        elif len(self.calls) <= MAX_LISTED:
            why = "the list that it stands in cannot be read"
            self.calls[first:] = [broken(one.name, why, raw=one.raw) for one in self.calls[first:]]

    def _call(self) -> None:
        """Read the call that begins here; a malformed one ends at its parenthesis, if that can be told."""
        if self.prints and (inner := _PRINT.match(self.text, self.at)):
            self._printed(inner.end())
            return
        head = _HEAD.match(self.text, self.at)
        if head is None:
            raise AssertionError("no call begins here")
        self.sure = self.sure and is_sure(self.text, self.at)
        name, values = head[1].replace("\\_", "_"), Values(self.text, head.end())
        if name != head[1]:
            values.escaped = True
            values.told.append(ESCAPES)
        try:
            given = _arguments(values)
        except Unreadable as error:
            self._refuse(name, head.end(), values, error)
            return
        self.at = values.at
        raw = self.text[head.end() : min(self.at - 1, head.end() + MAX_RAW + 1)]
        self.calls.append(call(name, given, raw=raw, repaired=values.told))

    def _printed(self, at: int) -> None:
        """Read the call that is printed, and the parenthesis after it."""
        self.at = at
        self._call()
        self.at = passed(self.text, self.at)
        if self.whole and self.text.startswith(")", self.at):
            self.at += 1
        elif self.whole:
            self.whole = False
            why = "more than one call stands in its print(...)"
            self.calls[-1] = broken(self.calls[-1].name, why, truncated=self.at >= len(self.text))

    def _refuse(self, name: str, start: int, values: Values, error: Unreadable) -> None:
        end, sure = (-1, False) if error.truncated else _closing(self.text, start)
        if values.muddled and end >= 0:
            end, sure = _line_end(self.text, values.at), False
        self.whole = sure and end >= values.at
        self.at = len(self.text) if end < 0 else max(end, values.at)
        raw = self.text[start : min(self.at, start + MAX_RAW + 1)]
        why = "are cut off" if end < 0 else "cannot be read"
        self.calls.append(broken(name, f"its arguments {why} ({error})", truncated=end < 0, raw=raw))


def _arguments(values: Values) -> dict[str, Any]:
    """Read arguments with their names up to the closing parenthesis."""
    found: dict[str, Any] = {}
    twice: set[str] = set()
    while values.next() != ")":
        given = _argument(values)
        twice |= given.keys() & found.keys()
        twice.update(given.twice if isinstance(given, Repeated) else ())
        found.update(given)
        values.parted(")")
    values.at += 1
    return marked(found, twice) if twice else found


def _argument(values: Values) -> dict[str, Any]:
    if unpacked := _UNPACKED.match(values.text, values.at):
        values.at = unpacked.end()
        return values.pairs(MAX_DEPTH - 1)
    key = _KEY.match(values.text, values.at)
    if key is None:
        raise values.wrong("each argument needs its name, as in name=value;")
    values.at = key.end()
    name = key[1].replace("\\_", "_")
    if name != key[1]:
        values.escaped = True
        values.told.append(ESCAPES)
    return {name: values.value(MAX_DEPTH - 1)}


def _closing(text: str, start: int) -> tuple[int, bool]:
    """The place after the parenthesis that was open at `start`, and whether that is certain; -1: the text ends first.

    A quote that its line does not close makes it uncertain: then it is the end of that line.
    """
    inside = 1
    for piece in _PIECE.finditer(text, start):
        mark = piece[0]
        if mark in {'"', "'"}:
            return _line_end(text, piece.end()), False
        if mark in {"(", "[", "{"}:
            inside += 1
            if inside > MAX_DEPTH:
                return piece.end(), False
        elif mark in {")", "]", "}"}:
            inside -= 1
            if inside <= 0:
                return piece.end(), mark == ")"
    return -1, False


def _line_end(text: str, at: int) -> int:
    line = text.find("\n", at)
    return line if line >= 0 else len(text)
