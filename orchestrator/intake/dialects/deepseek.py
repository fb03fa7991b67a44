"""DeepSeek's tokens: the begin of a call, NAME, a separator, JSON, the end of the call; and DSML.

R1 and V3 write `function` before the separator and the name behind it, with the JSON in a fence. The wide bars and
underscores of the tokens also leak as ASCII. DSML is the family's XML, `<|DSML|invoke name="...">` with wide bars:
`string="true"` says that a parameter is a text. Values in it are not escaped. Step-3 puts an element of its own XML
behind the separator.
"""

from __future__ import annotations

import re
from typing import Final

from actions.messages import Call
from orchestrator.intake.calls import MAX_NAME, broken
from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.parts import xml_elements
from orchestrator.intake.parts.marked_json import arguments_at, marks, opened, several
from orchestrator.intake.parts.taken import Opening, Taken

_BAR: Final = r"[\uff5c|]"
_SPACE: Final = r"[\u2581_ ]"
_DSML: Final = f"{_BAR}DSML{_BAR}"


def _token(*words: str) -> str:
    return f"<{_BAR}{_SPACE.join(words)}{_BAR}>"


_CALLS: Final = _token("tool", "calls", "begin")
_CALL: Final = _token("tool", "call", "begin")
_SEPARATOR: Final = _token("tool", "sep")
_END: Final = _token("tool", "call", "end")
_ALL_END: Final = _token("tool", "calls", "end")
_SENTENCE: Final = rf"<{_BAR}end[\u2581_]of[\u2581_]sentence{_BAR}>"
_KIMI: Final = r"(?![^<]{0,300}+<\|tool_calls?_arg)"

_BETWEEN: Final = re.compile(rf"(?:\s++|{_CALLS}|{_END}|{_ALL_END})*+")
_OPENED: Final = re.compile(rf"(?:\s*+{_CALLS})++\s*+\Z")
_HEAD: Final = re.compile(rf"(?:{_CALL}\s*+)?+([^<>{{}}\n`]{{1,{MAX_NAME}}}+){_SEPARATOR}\s*+")
_NAME: Final = re.compile(rf"([^\s<>{{}}`]{{1,{MAX_NAME}}}+)\s*+")
_CUT: Final = re.compile(rf"{_CALL}\s*+([^<>{{}}\n`]{{0,{MAX_NAME}}}+)[^{{}}]{{0,24}}\Z")
_MARKS: Final = marks(rf"{_CALL}|{_CALLS}|(?:(?<!\w)function)?+{_SEPARATOR}", _END, f"{_ALL_END}|{_SENTENCE}")

_XML: Final = xml_elements.invoke(_DSML, raw=True)
_STEP: Final = xml_elements.invoke("steptml:")
_XML_BETWEEN: Final = re.compile(rf"(?:\s++|</?{_DSML}(?:function_calls?|tool_calls?)>)*+")

_XML_OPENED: Final = re.compile(
    rf"<{_DSML}(?:function_calls?|tool_calls?)>\s*+(?:<{_BAR}?+(?:D[^<>]{{0,20}}+)?+)?+\Z"
)


def take(opening: Opening) -> Taken | None:
    """Read the calls that begin here."""
    text, at = opening.text, opening.at
    if text.startswith("DSML", at + 2):
        return xml_elements.elements(text, at, _XML_BETWEEN, _XML) or opened(
            text, at, _XML_BETWEEN, _XML_OPENED
        )
    return several(text, at, _BETWEEN, _one) or opened(text, at, _BETWEEN, _OPENED)


def _one(text: str, at: int) -> tuple[Call, int] | None:
    head = _HEAD.match(text, at)
    if head is None:
        cut = _CUT.match(text, at)
        return (
            (broken(cut[1].strip(), "the reply ends before its arguments", truncated=True), len(text))
            if cut
            else None
        )
    name, body = head[1].strip(), head.end()
    told = _NAME.match(text, body) if name == "function" else None
    if told is not None:
        name, body = told[1], told.end()
    if text.startswith("<steptml:", body):
        return xml_elements.element(text, body, _STEP)
    return arguments_at(text, body, name, _MARKS)


DIALECT: Final = Dialect(
    name="deepseek",
    opening=rf"{_CALLS}|{_CALL}{_KIMI}|(?<!\w)function{_SEPARATOR}|<{_DSML}(?:function_calls?|tool_calls?|invoke)\b",
    first="<f",
    take=take,
)
