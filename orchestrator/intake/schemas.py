"""Descriptions of what a tool takes, which models echo where arguments would stand: a value in, yes or no out."""

from __future__ import annotations

from typing import Any, Final

from actions.strict_json import is_object

_OBJECTS: Final = ("object", "dict")
_TYPES: Final = (*_OBJECTS, "string", "integer", "number", "float", "boolean", "array", "list", "null", "any")

_BARE: Final = frozenset(
    {"type", "description", "required", "properties", "additionalProperties", "$schema", "title"}
)
"""What a schema without properties may hold."""


def is_schema(value: Any) -> bool:
    """Whether it is a JSON Schema of an object, or a table of parameters with their types and descriptions."""
    if not is_object(value):
        return False
    if value.get("type") in _OBJECTS and is_object(value.get("properties")):
        return all(is_object(one) for one in value["properties"].values())
    return bool(value) and all(_is_described(one) for one in value.values())


def is_bare_schema(value: Any) -> bool:
    """Whether it is a JSON Schema of an object that has no properties; an argument `type` could look the same."""
    return is_object(value) and value.get("type") in _OBJECTS and value.keys() <= _BARE


def _is_described(value: Any) -> bool:
    return (
        is_object(value)
        and isinstance(value.get("type"), str)
        and value["type"].lower() in _TYPES
        and isinstance(value.get("description"), str)
        and "value" not in value
    )
