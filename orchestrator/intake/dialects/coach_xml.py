"""Coach XML: `<action name="NAME"><param name="key">value</param></action>` anywhere in a text.

Single or double quotes; the five entities of XML and numeric ones are decoded, no others, and no DOCTYPE is
read. A value is JSON if it parses to its end, else the text between the tags without the space around it.
"""

from __future__ import annotations

import re
from typing import Any, Final

from actions.messages import MAX_RAW
from actions.strict_json import Unreadable, decode, marked
from orchestrator.intake.calls import broken, call
from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.parts.taken import Opening, Taken
from orchestrator.intake.parts.xml_elements import ATTRIBUTES, attribute, decoded
from orchestrator.intake.strict import decode_at

_HEAD: Final = re.compile(rf"<action{ATTRIBUTES}(/?)>")
_PARAM: Final = re.compile(rf"\s*+<param{ATTRIBUTES}>\s*+")
_CUT_HEAD: Final = re.compile(r"<action\s[^<>]{0,1024}+\Z")
_END: Final = re.compile(r"\s*+</action\s*+>")
_PARAM_END: Final = re.compile(r"\s*+</param\s*+>")
_STOP: Final = re.compile(r"(</param\s*+>)|<param\b|</action\b")
_END_TAG: Final = re.compile(r"(</action\s*+>)")
_MARK: Final = re.compile(r"(</action\s*+>)|<action\b")
_NO_JSON: Final = ("NaN", "Infinity", "-Infinity")
"""Words that Python's reader takes for numbers; in a param they are text."""
_MAX_PARAMS: Final = 1_024


def take(opening: Opening) -> Taken | None:
    """Read the element that begins here."""
    text, at = opening.text, opening.at
    head = _HEAD.match(text, at)
    name = attribute(head[1], "name") if head else None
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
        key = attribute(param[1], "name") if param else None
        if param is None or key is None:
            raise Unreadable('only <param name="..."> and the end tag may stand in it')
        twice.update({key} & found.keys())
        found[key], at = _value(text, param.end())
    raise Unreadable(f"it has more than {_MAX_PARAMS} params")


def _value(text: str, at: int) -> tuple[Any, int]:
    """Read the value that begins at `at`; return it and where its param ends."""
    end = _json_end(text, at) or _STOP.search(text, at)
    if end is None or not end.group().lstrip().startswith("</param"):
        raise Unreadable("the end tag of a param is missing", at=at)
    written = decoded(text[at : end.start()].rstrip())
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
    """The element ends at its end tag, or where the next one begins; what begins inside a param may be its text."""
    mark = (_END_TAG if error.at >= 0 else _MARK).search(text, body)
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


DIALECT: Final = Dialect(name="coach.xml", continues=False, opening=r"<action\s", first="<", take=take)
