r"""GLM: `<tool_call>NAME<arg_key>key</arg_key><arg_value>value</arg_value></tool_call>`, and GLM-4's name on a line.

GLM-4 writes nothing but the name, a line break and an object, or several such pairs. That is a call only where it is
the whole text, and where no name could be a word of prose ("Answer"): each holds a `_`, a dot, a digit or a capital.
"""

from __future__ import annotations

import re
from typing import Any, Final

from actions.messages import Call
from orchestrator.intake.calls import MAX_NAME
from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.objects import asks_by_action, calls_in
from orchestrator.intake.parts import xml_elements
from orchestrator.intake.parts.marked_json import SPECIAL, arguments_at, marks, several
from orchestrator.intake.parts.taken import Opening, Taken

_NAME: Final = rf"[A-Za-z_][\w.:/-]{{0,{MAX_NAME - 1}}}+"
# A name alone stands right behind the tag or on a line of its own: "<tool_call> and </tool_call>" is a sentence.
_OPENING: Final = rf"<tool_call>(?:\s*+{_NAME}(?=\s*+<arg_)|[\r\n]*+{_NAME}(?=\s*+</tool_call>|\s*+<?\Z))"
_FORM: Final = xml_elements.Form(
    head=re.compile(rf"<tool_call>\s*+({_NAME})(?=\s*+<arg_key>|\s*+</tool_call>)"),
    argument=re.compile(r"\s*+<arg_key>([^<>]{1,256}+)</arg_key>\s*+<arg_value>"),
    close=re.compile(r"\s*+</arg_value>"),
    stop=re.compile(r"(</arg_value>)|<arg_key>|<arg_value>"),
    end=re.compile(r"\s*+</tool_call>"),
    mark=re.compile(r"(</tool_call>)|<tool_call>"),
    tags=xml_elements.tags("<tool_call>", "</tool_call>", "<arg_value>", "</arg_value>"),
    cut=re.compile(rf"<tool_call>\s*+({_NAME})\s*+<?[\w/]{{0,12}}+\Z"),
    raw=True,
)
_BLANKS: Final = re.compile(r"\s*+")
_LINE: Final = rf"[A-Za-z_][\w./-]{{0,{MAX_NAME - 1}}}+(?<![./-])[^\S\n]*+\r?\n\s*+(?=\{{\s*+[\"'}}])"
_PAIR: Final = re.compile(_LINE)
_NO_WORD: Final = re.compile(r"[\d_.]|[a-z][A-Z]")
_BETWEEN: Final = re.compile(rf"(?:\s++|{SPECIAL})*+")
_MARKS: Final = marks(rf"\n\s*+{_LINE}", r"(?!)", needed=False)


def take(opening: Opening) -> Taken | None:
    """Read the blocks that begin here."""
    text, at = opening.text, opening.at
    return xml_elements.elements(text, at, _BLANKS, _FORM)


def whole(text: str, at: int) -> Taken | None:
    """Read a text that is names and objects in turns, and nothing else."""
    taken = several(text, at, _BETWEEN, _pair)
    return taken if taken is not None and taken.end == len(text) else None


def _pair(text: str, at: int) -> tuple[Call, int] | None:
    head = _PAIR.match(text, at)
    if head is None or not _NO_WORD.search(head[0]):
        return None
    one, end = arguments_at(text, head.end(), head[0].strip(), _MARKS)
    return None if one.arguments is not None and _asks_itself(one.arguments) else (one, end)


def _asks_itself(given: dict[str, Any]) -> bool:
    """Whether an object behind a line is a call without that line, which then is only a word before it."""
    if asks_by_action(given):
        return not {"text", "user"}.isdisjoint(given)
    return calls_in(given, alone=True) is not None


DIALECT: Final = Dialect(
    name="glm",
    also=("glm4", "glm45", "glm47"),
    opening=_OPENING,
    first="<",
    take=take,
    begins=_PAIR,
    whole=whole,
)
