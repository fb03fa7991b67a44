"""Function tags: Llama's `<function=NAME>{json}</function>`, and Qwen3-Coder's with a `<parameter=KEY>` for each key.

Llama's come in many broken shapes: without the `>`, with brackets or an `=` around the JSON, with a wrong end tag or
none. A call with whole JSON runs and says what was mended. Qwen's parameters have no types; a cut one never runs.
"""

from __future__ import annotations

import re
from typing import Final

from actions.messages import Call
from orchestrator.intake.calls import MAX_NAME, broken
from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.parts import xml_elements
from orchestrator.intake.parts.marked_json import TAG, arguments_at, limit, marks, several
from orchestrator.intake.parts.tagged_json import in_sentence
from orchestrator.intake.parts.taken import Opening, Taken

_NAME: Final = rf"""[^\s<>{{}}()\[\]=,;"'/]{{1,{MAX_NAME}}}+"""
_WRAPPER: Final = r"<(?:[A-Za-z][\w.-]{0,20}+:)?+tool_calls?>"
_HEAD: Final = re.compile(
    rf"<function\s*+(?:[=(]|name\s*+=)\s*+[\"']?+({_NAME})([\"']?+[\s>=,:()]*+(?:\[\]\s*+)?+)"
)
_CUT: Final = re.compile(
    rf"<func(?:\w{{0,4}}+\Z|tion\s*+[=(]\s*+[\"']?+([^\s<>{{}}]{{0,{MAX_NAME}}}+)>?+\s*+(?:</?\w{{0,16}}+)?+\Z)"
)
_BETWEEN: Final = re.compile(rf"(?:\s++|{_WRAPPER}|{_WRAPPER.replace('<', '</', 1)})*+")
_LLAMA_OPENING: Final = (
    rf"""<function\s*+[=(]\s*+["']?+(?:{_NAME}|\Z)(?!["']?>\s*+<parameter)"""
    rf"""|<function\s++name\s*+=\s*+["']{_NAME}["']\s*+>(?=\s*+\{{)"""
)
_QWEN_OPENING: Final = (
    rf"{_WRAPPER}(?=\s*+<(?:function=|func\w{{0,4}}+\Z))"
    rf"|<function=[^<>{{}}\n]{{1,{MAX_NAME}}}+>(?=\s*+(?:<para|</func|<?\Z))|<function=(?=\Z)"
)
_ENDS: Final = r"</function\s*+>"
_WRONG: Final = (
    r"</function=[^<>\n]{0,256}+>|<function\s*+/?>|</func>|\[/function\]|</tool_calls?>|</parameter>"
)
_MARKS: Final = marks(r"<function\s*+[=(]", _ENDS, _WRONG)
_FORM: Final = xml_elements.Form(
    head=re.compile(rf"<function=[\"']?+([^<>\n\"']{{1,{MAX_NAME}}}+)[\"']?+>"),
    argument=re.compile(r"\s*+<parameter=[\"']?+([^<>\n\"']{1,256}+)[\"']?+>"),
    close=re.compile(r"\s*+</parameter>"),
    stop=re.compile(r"(</parameter>)|<parameter="),
    end=re.compile(r"\s*+(?:</function>|(?P<missing>(?=</tool_call>)))"),
    mark=re.compile(r"(</function>|</tool_call>)|<function="),
    tags=xml_elements.tags("<function=", "</function>|</tool_call>", "<parameter=", "</parameter>"),
    cut=_CUT,
    raw=True,
)
_ARGUMENT: Final = re.compile(r"\s*+(?:<parameter\b|</function>)")


def take(opening: Opening) -> Taken | None:
    """Read the tags that begin here, in either form."""
    text, at = opening.text, opening.at
    return several(text, at, _BETWEEN, _one)


def _one(text: str, at: int) -> tuple[Call, int] | None:
    head = _FORM.head.match(text, at)
    if head is not None and _ARGUMENT.match(text, head.end()):
        return xml_elements.element(text, at, _FORM)
    head = _HEAD.match(text, at)
    if head is None or _CUT.match(text, at):
        return _cut(text, at)
    if not text.startswith(("{", '"', "</", "null"), head.end()) and _in_prose(text, head):
        return None
    told = () if head[2].strip() == ">" else (TAG,)
    return arguments_at(text, head.end(), head[1], _MARKS, repaired=told)


def _in_prose(text: str, head: re.Match[str]) -> bool:
    """Whether the tag is only spoken of: nothing ends it, or only words stand before its end."""
    until = limit(text, head.end(), _MARKS)
    return not until.ended or in_sentence(text[head.start(2) : until.at].lstrip("\"'>"))


def _cut(text: str, at: int) -> tuple[Call, int] | None:
    cut = _CUT.match(text, at)
    if cut is None:
        return None
    name = (cut[1] or "").rstrip("([")
    return broken(name, "the reply ends before its arguments", truncated=True), len(text)


LLAMA: Final = Dialect(name="llama.function_tag", opening=_LLAMA_OPENING, first="<", take=take)
QWEN: Final = Dialect(
    name="qwen3", also=("qwen3_coder", "seed_oss"), opening=_QWEN_OPENING, first="<", take=take
)
DIALECTS: Final = (QWEN, LLAMA)
"""Both forms; where both may begin, Qwen's is asked first."""
