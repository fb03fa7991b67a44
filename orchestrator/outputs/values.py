"""The JSON value in a model's answer: a text in, its one object or list out, without what the model thought.

What stands in thoughts is no answer. A text that begins as JSON is read as it is first, so that a value may hold such
tags itself. How JSON is found and mended stands in `json_text` alone.
"""

from __future__ import annotations

import re
from typing import Any, Final

from orchestrator.intake import read_text
from orchestrator.outputs.json_text import MAX_TEXT, ReadJson, Wanted, read_json
from orchestrator.outputs.unfit import NoJson

_BEGINS: Final = re.compile(r"\s*+(?:[\[{\"]|```)")


def json_in(text: str, wanted: Wanted = "any") -> ReadJson:
    """Return the JSON value of an answer, and what was mended to read it.

    Raises:
        NoJson: it holds none, several different ones, or one that can be read in more than one way.
    """
    if len(text) > MAX_TEXT:
        raise NoJson(f"the text is longer than {MAX_TEXT} characters")
    if _BEGINS.match(text):
        try:
            return read_json(text, wanted)
        except NoJson:
            pass  # thoughts may stand behind it
    return read_json(read_text(text, dialects=()).text, wanted)


def object_in(text: str) -> dict[str, Any] | None:
    """Return the JSON object of an answer; None if there is none that can be read in one way."""
    value = _value(text, "object")
    return value if isinstance(value, dict) else None


def list_in(text: str) -> list[Any] | None:
    """Return the JSON list of an answer; None if there is none that can be read in one way."""
    value = _value(text, "list")
    return value if isinstance(value, list) else None


def _value(text: str, wanted: Wanted) -> Any:
    try:
        return json_in(text, wanted).value
    except NoJson:
        return None
