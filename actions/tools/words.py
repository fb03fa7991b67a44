"""What a provider's schemas cannot say, said in the description: keywords of JSON schema in, words for a model out.

Only what bounds a value is said so: the action checks it all the same, and a model that was told seldom misses it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from actions.tools.plain import Schema

_WORDS: Final = {
    "contentEncoding": "encoded as {}",
    "contentMediaType": "it holds {}",
    "default": "default: {}",
    "enum": "one of {}",
    "examples": "for example {}",
    "exclusiveMaximum": "less than {}",
    "exclusiveMinimum": "more than {}",
    "format": "format: {}",
    "maxItems": "at most {} items",
    "maxLength": "at most {} characters",
    "maxProperties": "at most {} keys",
    "maximum": "at most {}",
    "minItems": "at least {} items",
    "minLength": "at least {} characters",
    "minProperties": "at least {} keys",
    "minimum": "at least {}",
    "multipleOf": "a multiple of {}",
    "pattern": "it matches {}",
    "uniqueItems": "no item twice",
}
_UNSAID: Final = frozenset({"$comment", "contentSchema", "readOnly", "title", "writeOnly"})
"""What says nothing about a value to a model."""


def said(node: Mapping[str, Any], keywords: Iterable[str]) -> list[str]:
    """Return these keywords of a schema in words; one that has no words of its own as `keyword: value`."""
    return [
        _WORDS.get(each, f"{each}: {{}}").format(_value(node[each]))
        for each in keywords
        if each not in _UNSAID
    ]


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(text, value))
    return value if isinstance(value, str) else text(value)


def text(value: Any) -> str:
    """Return a value as a model would write it."""
    return json.dumps(value, ensure_ascii=False)


def described(node: Schema, words: Iterable[str]) -> Schema:
    """Return a schema whose description ends with these words; itself if there are none."""
    told = "; ".join(words)
    if not told:
        return node
    before = str(node.get("description", "")).rstrip()
    if not before:
        whole = told
    elif before[-1] in ".!?":
        whole = f"{before} {told[0].upper()}{told[1:]}."
    else:
        whole = f"{before} ({told})"
    return {**node, "description": whole}
