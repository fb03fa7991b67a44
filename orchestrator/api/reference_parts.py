"""Pieces of the page for people: parts of an OpenAPI description in, HTML out, whatever stood in it escaped."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

Schema = Mapping[str, Any]

CODE: Final = re.compile(r"`([^`]+)`")
"""What a sentence marks as code."""
STREAM: Final = "text/event-stream"
_PART: Final = re.compile(r"\{(\w+)\}")
_LENGTH: Final = "(ms|s|m|h|d)$"
"""How the pattern of a length of time ends."""
_KINDS: Final = {"conversation_id": "conv_ID", "turn_id": "turn_ID", "run_id": "run_ID"}
_WORDS: Final = {"array": "list", "string": "text", "integer": "whole number", "boolean": "true or false"}


def type_of(schema: Schema) -> str:
    """A schema in words."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f"<a href='#{name}'>{name}</a>"
    if several := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(type_of(each) for each in several))
    if "enum" in schema or "const" in schema:
        return " or ".join(value(each) for each in schema.get("enum", [schema.get("const")]))
    return _plain_type(schema)


def _plain_type(schema: Schema) -> str:
    kind = str(schema.get("type", "any value"))
    if kind == "array" and schema.get("items"):
        return f"list of {type_of(schema['items'])}"
    if kind == "object" and isinstance(more := schema.get("additionalProperties"), dict) and more:
        return f"object of {type_of(more)}"
    if schema.get("format") == "date-time":
        return "time"
    if schema.get("pattern", "").endswith(_LENGTH):
        return "length as <code>30s</code>"
    return _WORDS.get(kind, kind)


def curl(method: str, path: str, operation: Schema) -> str:
    """A command line that asks for it."""
    stream = STREAM in str(operation["responses"])
    url = _PART.sub(lambda part: _KINDS.get(part[1], part[1].upper()), path)
    parts = [f"curl -sS{'N' if stream else ''}"]
    body = next(iter(operation.get("requestBody", {}).get("content", {}).items()), None)
    if method != "get" and not (method == "post" and body):
        parts.append(f"-X {method.upper()}")
    parts.append(f'"$UMBEL_API_URL{url}"')
    if operation.get("security"):
        parts.append('-H "Authorization: Bearer $UMBEL_API_KEY"')
    if body is not None:
        examples: list[Any] = [each["value"] for each in body[1].get("examples", {}).values()]
        example = examples[0] if examples else {}
        parts.append(
            f"\\\n  -H 'Content-Type: {body[0]}' \\\n  -d '{json.dumps(example, ensure_ascii=False)}'"
        )
    return " ".join(parts)


def named(schema: Schema) -> Iterable[str]:
    """The objects that a body may be."""
    found = [schema, *schema.get("anyOf", ())]
    return [each["$ref"].rpartition("/")[2] for each in found if "$ref" in each]


def prose(text: str, first: str = "") -> str:
    """Paragraphs."""
    return "".join(
        f"<p>{first if at == 0 else ''}{inline(each)}"
        for at, each in enumerate(text.strip().split("\n\n"))
        if each
    )


def inline(text: str) -> str:
    """A sentence, with what it marks as code."""
    return CODE.sub(r"<code>\1</code>", escape(text))


def value(given: Any) -> str:
    """A JSON value."""
    return f"<code>{escape(json.dumps(given, ensure_ascii=False))}</code>"


def anchor_of(name: str) -> str:
    """The anchor of a group."""
    return f"of-{name.replace(' ', '-')}"
