"""Calls in tags, with each argument in a tag of its own: a text and a place in, the call and where it ends out.

Values have no types: one is JSON if it parses to its end, else the text as it stands there, up to its own end tag:
tags of calls in it are text too. An argument whose end tag is missing makes the call a truncated one, and so does an
element without an end: more arguments may have been meant; what may stand in such a value is not read. Entities are
decoded where the family writes XML; no DOCTYPE is ever read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from actions.messages import MAX_RAW, Call
from actions.strict_json import Unreadable, decode, marked
from orchestrator.intake.calls import NO_END, broken, call
from orchestrator.intake.parts.marked_json import Marks, arguments_at, several
from orchestrator.intake.parts.marked_json import marks as marks_of
from orchestrator.intake.parts.taken import Taken
from orchestrator.intake.strict import decode_at

ATTRIBUTES: Final = r"""((?:\s++[\w:.-]{1,64}+\s*+=\s*+(?:"[^"<]{0,512}+"|'[^'<]{0,512}+'))*+)\s*+"""
"""The attributes of a tag, in a group."""
_ATTRIBUTE: Final = re.compile(r"""([\w:.-]++)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)')""")
_ENTITY: Final = re.compile(r"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos));")
_NAMED: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_CHARACTERS: Final = ((9, 10, 13), range(0x20, 0xD800), range(0xE000, 0xFFFE), range(0x10000, 0x110000))
_NO_JSON: Final = ("NaN", "Infinity", "-Infinity")
"""Words that Python's reader takes for numbers; in a value they are text."""
_BREAKS: Final = re.compile(r"(?:[ \t]*+\r?\n)?+")
MAX_ARGUMENTS: Final = 1_024
"""Arguments that one call may have."""


@dataclass(frozen=True, slots=True)
class Form:
    """The tags of a family."""

    head: re.Pattern[str]
    """The opening tag: group 1 is the name, or the attributes; its group "empty" says that nothing is inside."""
    argument: re.Pattern[str]
    """An argument's opening tag with the space before it: group 1 is the key, or the attributes."""
    close: re.Pattern[str]
    """An argument's end tag."""
    stop: re.Pattern[str]
    """Finds the end tag of a value, in group 1, or the beginning of another argument before it."""
    end: re.Pattern[str]
    """The element's end tag, with the space before it; its group "missing" says that another tag stands for it."""
    mark: re.Pattern[str]
    """Finds where an element ends that cannot be read: its end tag in group 1, or the next one's opening tag."""
    tags: re.Pattern[str]
    """Finds the tags of the family: its last group is `head` or `end` for an element's, `begin` or `close` for those
    of an argument."""
    cut: re.Pattern[str]
    """An opening tag that the text ends in; a group in it is the name."""
    json: Marks | None = None
    """What ends an object that stands there in place of arguments."""
    attributes: bool = False
    """Whether names and keys are attributes called `name`."""
    raw: bool = False
    """Whether entities stay as they are."""


def tags(head: str, end: str, begin: str, close: str) -> re.Pattern[str]:
    """Make the pattern that finds each tag of a family and says which it is."""
    return re.compile(f"(?P<head>{head})|(?P<end>{end})|(?P<begin>{begin})|(?P<close>{close})")


def invoke(prefix: str, *, raw: bool = False) -> Form:
    """Make the form of `<invoke name="..."><parameter name="...">`, whose tags begin with a prefix."""
    element, argument = rf"{prefix}invoke", rf"{prefix}parameter"
    return Form(
        head=re.compile(rf"<{element}{ATTRIBUTES}(?P<empty>/?)>"),
        argument=re.compile(rf"\s*+<{argument}{ATTRIBUTES}>"),
        close=re.compile(rf"\s*+</{argument}\s*+>"),
        stop=re.compile(rf"(</{argument}\s*+>)|<{argument}\s"),
        end=re.compile(rf"\s*+</{element}\s*+>"),
        mark=re.compile(rf"(</{element}\s*+>)|<{element}\s"),
        tags=tags(rf"<{element}\s", rf"</{element}\s*+>", rf"<{argument}\s", rf"</{argument}\s*+>"),
        cut=re.compile(rf"<{element}\b[^<>]{{0,1024}}+\Z"),
        json=marks_of(rf"<{element}\s", rf"</{element}\s*+>"),
        attributes=True,
        raw=raw,
    )


class _Refused(Unreadable):
    """An element cannot be read from a place on: `at` is behind all that was read, or where an open value begins."""

    def __init__(self, message: str, at: int, *, truncated: bool = False) -> None:
        super().__init__(message, truncated=truncated, at=at)


def elements(text: str, at: int, between: re.Pattern[str], form: Form) -> Taken | None:
    """Read elements one after the other with only what `between` matches around; None where there is none."""
    return several(text, at, between, lambda text, at: element(text, at, form))


def element(text: str, at: int, form: Form) -> tuple[Call, int] | None:
    """Read the element at `at`; None where none begins."""
    head = form.head.match(text, at)
    name = (attribute(head[1], "name") if form.attributes else head[1].strip()) if head else None
    if head is None or name is None:
        return _cut_head(text, at, form)
    if head.groupdict().get("empty"):
        return call(name, {}, raw=""), head.end()
    body = head.end()
    if form.json and (one := _with_json(text, body, name, form.json)):
        return one
    try:
        found, end = _arguments(text, body, form)
    except _Refused as error:
        return _unreadable(text, name, body, form, error)
    told = (NO_END,) if end.lastgroup == "missing" else ()
    return call(name, found, None, text[body : min(end.end(), body + MAX_RAW + 1)], told), end.end()


def _with_json(text: str, body: int, name: str, around: Marks) -> tuple[Call, int] | None:
    begins = re.compile(r"\s*+\{").match(text, body)
    return arguments_at(text, begins.end() - 1, name, around) if begins else None


def _arguments(text: str, at: int, form: Form) -> tuple[dict[str, Any], re.Match[str]]:
    """Read arguments up to the element's end tag; return them and that tag."""
    found: dict[str, Any] = {}
    twice: set[str] = set()
    for _ in range(MAX_ARGUMENTS):
        if end := form.end.match(text, at):
            return marked(found, twice) if twice else found, end
        begin = form.argument.match(text, at)
        key = (attribute(begin[1], "name") if form.attributes else begin[1].strip()) if begin else None
        if begin is None or key is None:
            raise _Refused("only arguments and the end tag may stand in it", at)
        twice.update({key} & found.keys())
        found[key], at = _value(text, begin, form)
    raise _Refused(f"it has more than {MAX_ARGUMENTS} arguments", at)


def _value(text: str, begin: re.Match[str], form: Form) -> tuple[Any, int]:
    """Read the value behind an argument's opening tag; return it and where the argument ends."""
    at = begin.end()
    end = _json_end(text, at, form) or form.stop.search(text, at)
    if end is None or not form.close.match(end.group()):
        raise _Refused(
            "the end tag of an argument is missing, so nothing behind it was read", at, truncated=True
        )
    written = text[at : end.start()]
    kind = attribute(begin[1], "string") if form.attributes else None
    if kind == "true":
        return written, end.end()
    if kind == "false":
        return _json(written, end.end()), end.end()
    return untyped(written if form.raw else decoded(written)), end.end()


def _json(written: str, end: int) -> Any:
    try:
        return decode(written)
    except Unreadable as error:
        raise _Refused(f"an argument that is said to be no text is no JSON: {error}", end) from None


def untyped(written: str) -> Any:
    """What a text without a type says: the JSON value that it is to its end, else the text without a break around."""
    plain = written.strip()
    if plain not in _NO_JSON:
        try:
            return decode(plain)
        except Unreadable:
            pass
    first = _BREAKS.match(written)
    inner = written[first.end() :] if first else written
    return re.sub(r"\r?\n[ \t]*+\Z", "", inner)


def _json_end(text: str, at: int, form: Form) -> re.Match[str] | None:
    """The end tag after a whole JSON text, list or object: end tags inside its strings are not meant."""
    blank = re.compile(r'\s*+(?=["{\[])').match(text, at)
    if blank is None:
        return None
    try:
        return form.close.match(text, decode_at(text, blank.end())[1])
    except Unreadable:
        return None


def _unreadable(text: str, name: str, body: int, form: Form, error: _Refused) -> tuple[Call, int] | None:
    """Where the text goes on behind an element that cannot be read; None for a tag in a sentence."""
    if error.truncated:
        return _open(text, name, body, form, error)
    mark = form.mark.search(text, error.at)
    stop = mark.start() if mark else len(text)
    inner = text[body : min(stop, body + MAX_RAW + 1)]
    if mark and mark[1]:
        return broken(name, str(error), raw=inner), mark.end()
    if inner.strip() and not inner.lstrip().startswith("<"):
        return None
    return broken(name, "its end tag is missing", truncated=True, raw=inner), stop


def _open(text: str, name: str, body: int, form: Form, error: _Refused) -> tuple[Call, int]:
    """An element with a value that is not closed: nothing that may stand in the value is read.

    Where the tags fit into each other it is known where the element ends; else the value goes on to the text's end.
    """
    raw = text[body : body + MAX_RAW + 1]
    inside = ["head", "begin"]
    for tag in form.tags.finditer(text, error.at):
        kind = tag.lastgroup or ""
        if kind in {"head", "begin"}:
            inside.append(kind)
        elif inside[-1] == ("head" if kind == "end" else "begin"):
            inside.pop()
        if not inside:
            return broken(name, "in one of its arguments stand tags of calls", raw=raw), tag.end()
    return broken(name, str(error), truncated=True, raw=raw), len(text)


def _cut_head(text: str, at: int, form: Form) -> tuple[Call, int] | None:
    cut = form.cut.match(text, at)
    if cut is None:
        return None
    return broken(
        cut[1] if cut.re.groups else "", "the reply ends inside its tag", truncated=True, raw=text[at:]
    ), len(text)


def attribute(written: str, wanted: str) -> str | None:
    """The value of an attribute that stands there once; None otherwise."""
    values = [one[2] or one[3] or "" for one in _ATTRIBUTE.finditer(written) if one[1] == wanted]
    return decoded(values[0]).strip() if len(values) == 1 else None


def decoded(text: str) -> str:
    """The text with the entities of XML and numeric ones decoded, and no others."""
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(entity: re.Match[str]) -> str:
    if entity[3]:
        return _NAMED[entity[3]]
    number = int(entity[1]) if entity[1] else int(entity[2], 16)
    # What is no character of XML 1.0 stays as it was written.
    good = any(number in characters for characters in _CHARACTERS)
    return chr(number) if good else entity[0]
