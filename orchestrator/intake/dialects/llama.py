"""Llama's `<|python_tag|>`: a JSON object behind it, or several with `;` between, or calls written as Python.

`NAME.call(key="value")` is a call of NAME. Other code is for an interpreter that is not there: a malformed call.
"""

from __future__ import annotations

import re
from typing import Final

from orchestrator.intake.calls import broken
from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.parts import tag_runs
from orchestrator.intake.parts.marked_json import SHOWN
from orchestrator.intake.parts.python_calls import calls_at
from orchestrator.intake.parts.tagged_json import tags
from orchestrator.intake.parts.taken import Opening, Taken

_OPENING: Final = r"<\|python_tag\|>"
_TAGS: Final = tags(_OPENING, r"(?!)", needed=False)
_JSON: Final = re.compile(r"\s*+(?:```\w{0,20}+\s*+)?+(?:[\[]\s*+)?+\{")
_BLANKS: Final = re.compile(r"\s*+")
_STOP: Final = re.compile(r"<\|[\w/]{1,40}+\|>")


def take(opening: Opening) -> Taken | None:
    """Read what stands behind the tag that begins here."""
    text, at = opening.text, opening.at
    body = at + len("<|python_tag|>")
    if _JSON.match(text, body):
        return tag_runs.run(text, at, _TAGS)
    blank = _BLANKS.match(text, body)
    start = blank.end() if blank else body
    if text.startswith("<function", start):
        return Taken(start)
    found = calls_at(text, start)
    if found is not None and found.calls:
        calls = [one.model_copy(update={"name": one.name.removesuffix(".call")}) for one in found.calls]
        return Taken(found.end, calls)
    stop = _STOP.search(text, start)
    end = stop.start() if stop else len(text)
    if start == end:
        return Taken(end, (broken("", "the reply ends behind its tag", truncated=True),))
    return Taken(end, (broken("", "code stands behind the tag, not a call", raw=text[start:end][:SHOWN]),))


DIALECT: Final = Dialect(
    name="llama", also=("llama.python_tag", "llama3.python_tag"), opening=_OPENING, first="<", take=take
)
