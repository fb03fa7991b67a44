"""Hermes tags: `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`, as Hermes, Qwen and many others write them.

One block for each call, or several calls in one; `<tool_calls>`, `<TOOLCALL>` and Qwen's `<tools>` are read alike. A
block that other families write inside the same tag is left to them. One that is closed but holds no JSON is a malformed
call, and so is one that breaks off.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.parts import tag_runs
from orchestrator.intake.parts.marked_json import TAG
from orchestrator.intake.parts.tagged_json import tags
from orchestrator.intake.parts.taken import Opening, Taken

_OTHERS: Final = (
    r"(?!\s*+(?:</?function\b|<[\w.:-]{0,20}+invoke\b|<\||[\w.:/-]{1,256}+\s*+(?:<arg_|</tool_call>|<?\Z)))"
)
_JSON: Final = r"""(?=\s*+\{\s*+["'](?:name|arguments|function)["'])"""
_OPENING: Final = (
    rf"<(?i:tool_?calls?)>{_OTHERS}|<function_calls>(?=\s*+(?:[\[{{]|[\w.]{{1,256}}+\())|<tools?>{_JSON}"
)
_TAGS: Final = tags(_OPENING, r"</(?i:tool_?calls?|function_calls)>")
_QWENS: Final = re.compile(r"<tools?>")


def take(opening: Opening) -> Taken | None:
    """Read the blocks that begin here."""
    text, at = opening.text, opening.at
    taken = tag_runs.run(text, at, _TAGS)
    if taken is not None and _QWENS.match(text, at) and all(one.malformed for one in taken.calls):
        return Taken(taken.end, shown=True)
    return taken


def whole(text: str, at: int) -> Taken | None:
    """Read a text whose first opening tag was swallowed: JSON, and its end tag right behind it."""
    if "</tool_call" not in text:
        return None
    taken = tag_runs.run(text, at, _TAGS, inside=True)
    if taken is None or not taken.calls or not text.endswith("call>", at, taken.end):
        return None
    first = taken.calls[0]
    if first.malformed:
        return None
    told = first.model_copy(update={"repaired": (TAG, *first.repaired)})
    return replace(taken, calls=(told, *taken.calls[1:]))


DIALECT: Final = Dialect(
    name="hermes",
    also=("tool_call", "tool_calls_tag", "xlam_tag", "nemotron"),
    opening=_OPENING,
    first="<",
    take=take,
    begins=re.compile(r"[\[{]"),
    whole=whole,
)
