"""Kimi K2: `<|tool_call_begin|>functions.NAME:0<|tool_call_argument_begin|>{json}<|tool_call_end|>`.

Sections may stand around the calls, under a name in the singular too. What stands before the arguments is the call's
id; the name is the part of it between `functions.` and the number.
"""

from __future__ import annotations

import re
from typing import Final

from actions.messages import Call
from orchestrator.intake.calls import MAX_NAME, broken
from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.parts.marked_json import arguments_at, marks, opened, several
from orchestrator.intake.parts.taken import Opening, Taken

_BEGIN: Final = r"<\|tool_call_begin\|>"
_ARGUMENTS: Final = r"<\|tool_calls?_arguments?_begin\|>"
_SECTIONS: Final = re.compile(r"(?:\s++|<\|tool_calls?_section_(?:begin|end)\|>)*+")
_OPENED: Final = re.compile(r"(?:\s*+<\|tool_calls?_section_begin\|>)++\s*+\Z")
_HEAD: Final = re.compile(
    rf"{_BEGIN}\s*+((?:functions\.)?+([^\s<>{{}}:]{{1,{MAX_NAME}}}+)(?::\d{{1,9}}+)?+)\s*+(?:{_ARGUMENTS}|(?=\{{))"
)
_CUT: Final = re.compile(
    rf"{_BEGIN}\s*+(?:functions\.)?+([^\s<>{{}}:]{{0,{MAX_NAME}}}+)[^{{}}\s]{{0,48}}+\s*+\Z"
)
_MARKS: Final = marks(
    rf"{_BEGIN}|<\|tool_calls?_section_begin\|>", r"<\|tool_call_end\|>", r"<\|tool_calls?_section_end\|>"
)


def take(opening: Opening) -> Taken | None:
    """Read the calls of the section that begins here."""
    text, at = opening.text, opening.at
    return several(text, at, _SECTIONS, _one) or opened(text, at, _SECTIONS, _OPENED)


def _one(text: str, at: int) -> tuple[Call, int] | None:
    head = _HEAD.match(text, at)
    if head is not None:
        return arguments_at(text, head.end(), head[2], _MARKS, id=head[1])
    cut = _CUT.match(text, at)
    if cut is None:
        return None
    return broken(cut[1], "the reply ends before its arguments", truncated=True), len(text)


DIALECT: Final = Dialect(
    name="kimi",
    also=("kimi_k2",),
    opening=rf"<\|tool_calls?_section_begin\|>|{_BEGIN}(?=[^<]{{0,300}}+(?:{_ARGUMENTS}|\Z))",
    first="<",
    take=take,
)
