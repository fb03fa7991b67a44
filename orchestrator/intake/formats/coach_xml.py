"""Coach XML: `<action name="NAME"><param name="key">value</param></action>` anywhere in a text.

Single or double quotes; the five entities of XML and numeric ones are decoded, no others, and no DOCTYPE is
read. A value is JSON if it parses to its end, else the text between the tags without the space around it.
"""

from __future__ import annotations

import re
from typing import Any, Final

from actions.messages import MAX_RAW
from orchestrator.intake.calls import broken, call
from orchestrator.intake.prose import ProseFormat, Taken
from orchestrator.intake.strict import Unreadable, decode, decode_at, marked

_ATTRIBUTES: Final = r"""((?:\s++[\w:.-]{1,64}+\s*+=\s*+(?:"[^"<]{0,512}+"|'[^'<]{0,512}+'))*+)\s*+"""
_HEAD: Final = re.compile(rf"<action{_ATTRIBUTES}(/?)>")
_PARAM: Final = re.compile(rf"\s*+<param{_ATTRIBUTES}>\s*+")
_ATTRIBUTE: Final = re.compile(r"""([\w:.-]++)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)')""")
_CUT_HEAD: Final = re.compile(r"<action\s[^<>]{0,1024}+\Z")
_END: Final = re.compile(r"\s*+</action\s*+>")
_PARAM_END: Final = re.compile(r"\s*+</param\s*+>")
_STOP: Final = re.compile(r"(</param\s*+>)|<param\b|</action\b|<action\b")
_MARK: Final = re.compile(r"(</action\s*+>)|<action\b")
_ENTITY: Final = re.compile(r"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos));")
_NAMED: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_CHARACTERS: Final = ((9, 10, 13), range(0x20, 0xD800), range(0xE000, 0xFFFE), range(0x10000, 0x110000))
_NO_JSON: Final = ("NaN", "Infinity", "-Infinity")
"""Words that Python's reader takes for numbers; in a param they are text."""
_MAX_PARAMS: Final = 1_024


def take(text: str, at: int, fresh: bool) -> Taken | None:  # noqa: ARG001, FBT001 - the face of a prose format
    """Read the element at `at`."""
    head = _HEAD.match(text, at)
    name = _attribute(head[1], "name") if head else None
    if head is None or name is None:
        return _cut_head(text, at)
    if head[2]:
        return Taken(head.end(), (call(name, {}, raw=""),))
    try:
        found, end = _params(text, head.end())
    except Unreadable as error:
        return _unreadable(text, name, head.end(), error)
    return Taken(end, (call(name, found, raw=text[head.end() : min(end, head.end() + MAX_RAW + 1)]),))


def _params(text: str, at: int) -> tuple[dict[str, Any], int]:
    """Read params up to the element's end tag; return them and where the element ends."""
    found: dict[str, Any] = {}
    twice: set[str] = set()
    for _ in range(_MAX_PARAMS):
        if end := _END.match(text, at):
            return marked(found, twice) if twice else found, end.end()
        param = _PARAM.match(text, at)
        key = _attribute(param[1], "name") if param else None
        if param is None or key is None:
            raise Unreadable('only <param name="..."> and the end tag may stand in it')
        twice.update({key} & found.keys())
        found[key], at = _value(text, param.end())
    raise Unreadable(f"it has more than {_MAX_PARAMS} params")


def _value(text: str, at: int) -> tuple[Any, int]:
    """Read the value that begins at `at`; return it and where its param ends."""
    end = _json_end(text, at) or _STOP.search(text, at)
    if end is None or not end.group().lstrip().startswith("</param"):
        raise Unreadable("the end tag of a param is missing")
    written = _decoded(text[at : end.start()].rstrip())
    if written in _NO_JSON:
        return written, end.end()
    try:
        return decode(written), end.end()
    except Unreadable:
        return written, end.end()


def _json_end(text: str, at: int) -> re.Match[str] | None:
    """The end tag after a whole JSON text, list or object: end tags inside its strings are not meant."""
    if text[at : at + 1] not in {'"', "{", "["}:
        return None
    try:
        return _PARAM_END.match(text, decode_at(text, at)[1])
    except Unreadable:
        return None


def _unreadable(text: str, name: str, body: int, error: Unreadable) -> Taken:
    """The element ends at its end tag, or where the next one begins."""
    mark = _MARK.search(text, body)
    inner = text[body : mark.start() if mark else len(text)]
    if mark and mark[1]:
        return Taken(mark.end(), (broken(name, str(error), raw=inner[: MAX_RAW + 1]),))
    end = body + len(inner) if inner.lstrip().startswith("<param") else body
    why = "its end tag </action> is missing"
    return Taken(end, (broken(name, why, truncated=True, raw=text[body : min(end, body + MAX_RAW + 1)]),))


def _cut_head(text: str, at: int) -> Taken | None:
    if not _CUT_HEAD.match(text, at):
        return None
    return Taken(len(text), (broken("", "the reply ends inside its tag", truncated=True, raw=text[at:]),))


def _attribute(written: str, wanted: str) -> str | None:
    """The value of an attribute that stands there once; None otherwise."""
    values = [one[2] or one[3] or "" for one in _ATTRIBUTE.finditer(written) if one[1] == wanted]
    return _decoded(values[0]).strip() if len(values) == 1 else None


def _decoded(text: str) -> str:
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(entity: re.Match[str]) -> str:
    if entity[3]:
        return _NAMED[entity[3]]
    number = int(entity[1]) if entity[1] else int(entity[2], 16)
    # What is no character of XML 1.0 stays as it was written.
    good = any(number in characters for characters in _CHARACTERS)
    return chr(number) if good else entity[0]


PROSE: Final = ProseFormat(name="coach.xml", opening=r"<action\s", first="<", take=take)
