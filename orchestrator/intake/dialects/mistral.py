"""Mistral: `[TOOL_CALLS]` before a list of calls, or before each `NAME[ARGS]{json}`, `NAME{json}`.

A call id may stand as `[CALL_ID]id`. There is no end mark: a list or object that is closed is whole.
"""

from __future__ import annotations

import re
from typing import Final

from actions.messages import Call
from orchestrator.intake.calls import MAX_NAME, broken
from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.parts import tag_runs
from orchestrator.intake.parts.marked_json import arguments_at, marks, several
from orchestrator.intake.parts.tagged_json import tags
from orchestrator.intake.parts.taken import Opening, Taken

_OPENING: Final = r"\[TOOL_CALLS\]"
_TAGS: Final = tags(_OPENING, r"\[/TOOL_CALLS\]", needed=False)
_ENDS: Final = r"\[/TOOL_CALLS\]|(?=\[TOOL_CALLS\])|(?=</s>)"
_MARKS: Final = marks(r"(?!)", _ENDS, needed=False)
_LIST: Final = re.compile(r"\s*+[\[{]")
_HEAD: Final = re.compile(
    rf"\[TOOL_CALLS\]\s*+([\w.:/-]{{1,{MAX_NAME}}}+)\s*+"
    r"(?:\[CALL_ID\]\s*+([\w-]{1,64}+)\s*+)?+(?:\[ARGS\]\s*+|(?=\{)|(?=\[TOOL_CALLS\]))"
)
_CUT: Final = re.compile(r"\[TOOL_CALLS\]([\w.:/-]{0,256}+)\s*+(?:\[(?:CALL_ID\]?[^\[\]]{0,64}+|ARGS)?)?+\Z")
_NOTHING: Final = re.compile(r"\s*+")


def take(opening: Opening) -> Taken | None:
    """Read the calls that begin here."""
    text, at = opening.text, opening.at
    if _LIST.match(text, at + len("[TOOL_CALLS]")):
        return tag_runs.run(text, at, _TAGS)
    return several(text, at, _NOTHING, _named)


def _named(text: str, at: int) -> tuple[Call, int] | None:
    head = _HEAD.match(text, at)
    if head is not None:
        return arguments_at(text, head.end(), head[1], _MARKS, id=head[2])
    cut = _CUT.match(text, at)
    if cut is None:
        return None
    return broken(cut[1], "the reply ends before its arguments", truncated=True), len(text)


DIALECT: Final = Dialect(name="mistral", opening=_OPENING, first="[", take=take)
