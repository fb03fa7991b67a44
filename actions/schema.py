"""What an action takes, as JSON schema.

In: an Action. Out: the JSON schema (draft 2020-12) of its arguments, from which `actions.tools` makes tools. Only
parameters without a default are required, unknown keys are refused at every level, and whatever is not
recursive stands in place.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from pydantic import BaseModel

from actions.definition import Action

Schema = dict[str, Any]

_POINTER: Final = "#/$defs/"
_BY_NAME: Final = frozenset({"properties", "$defs", "patternProperties"})
_DATA: Final = frozenset({"default", "const", "enum", "examples"})


def parameters_schema(action: Action) -> Schema:
    """Return the JSON schema of an action's arguments, a copy to keep.

    What is filled from the result of an earlier call may be left out, so it is not required.
    """
    schema = copy.deepcopy(_schema_of(action.params))
    if action.uses and "required" in schema:
        schema["required"] = [name for name in schema["required"] if name not in action.uses]
        if not schema["required"]:
            del schema["required"]
    return schema


def takes_null(node: Mapping[str, Any], definitions: Mapping[str, Schema]) -> bool:
    """Whether null fits a part of a schema; `definitions` are the schema's own, for what it refers to."""
    if "$ref" in node:
        return takes_null(definitions[str(node["$ref"]).removeprefix(_POINTER)], definitions)
    if "enum" in node:
        return None in node["enum"]
    for several in ("anyOf", "oneOf"):
        if several in node:
            return any(takes_null(each, definitions) for each in node[several])
    if "allOf" in node:
        return all(takes_null(each, definitions) for each in node["allOf"])
    kind = node.get("type", "null")  # without a type it takes everything
    return kind == "null" or "null" in kind


@lru_cache(maxsize=4096)
def _schema_of(params: type[BaseModel]) -> Schema:
    raw = params.model_json_schema()
    definitions: dict[str, Schema] = raw.pop("$defs", {})
    recursive = {name for name in definitions if name in _reached(definitions[name], definitions)}
    shape = _Tidying(definitions, recursive)
    if "$ref" in raw:  # the model holds itself; providers want to see an object first
        raw = definitions[raw["$ref"].removeprefix(_POINTER)]
    tidy: Schema = shape.of(raw)
    tidy.pop("description", None)  # the tool has its own
    if kept := _reached(tidy, definitions):
        tidy["$defs"] = {name: shape.of(definitions[name]) for name in sorted(kept)}
    return tidy


def _reached(node: Any, definitions: dict[str, Schema]) -> set[str]:
    """Return the names of all definitions that a node leads to."""
    found: set[str] = set()
    pending = [node]
    while pending:
        here = pending.pop()
        if isinstance(here, dict):
            name = str(here.get("$ref", "")).removeprefix(_POINTER)
            if name in definitions and name not in found:
                found.add(name)
                pending.append(definitions[name])
            pending.extend(here.values())
        elif isinstance(here, list):
            pending.extend(here)
    return found


class _Tidying:
    """A walk over a JSON schema that puts definitions in place and closes objects."""

    def __init__(self, definitions: dict[str, Schema], recursive: set[str]) -> None:
        self._definitions = definitions
        self._recursive = recursive

    def of(self, node: Schema) -> Schema:
        name = str(node.get("$ref", "")).removeprefix(_POINTER)
        if name in self._definitions and name not in self._recursive:
            beside = {key: value for key, value in node.items() if key != "$ref"}
            return self.of({**self._definitions[name], **beside})
        tidy = {key: self._part(key, value) for key, value in node.items() if key != "title"}
        if "const" in tidy:
            tidy["enum"] = [tidy.pop("const")]
        if tidy.get("type") == "integer":
            _include_bounds(tidy)
        if (
            "discriminator" in tidy
        ):  # a word of OpenAPI's; each branch names its own tag, so one of them fits at most
            del tidy["discriminator"]
            tidy["anyOf"] = tidy.pop("oneOf")
        if "properties" in tidy or "patternProperties" in tidy:
            tidy["additionalProperties"] = False
        return tidy

    def _part(self, key: str, value: Any) -> Any:
        if key in _DATA:
            return value
        if isinstance(value, dict):
            return (
                {name: self.of(each) for name, each in value.items()} if key in _BY_NAME else self.of(value)
            )
        if isinstance(value, list):
            return [self.of(each) if isinstance(each, dict) else each for each in value]
        return value


def _include_bounds(node: Schema) -> None:
    """Write the bounds of an integer as numbers that it may be: more than 0 is 1 or more."""
    if "exclusiveMinimum" in node:
        least = node.pop("exclusiveMinimum") + 1
        node["minimum"] = max(least, node.get("minimum", least))
    if "exclusiveMaximum" in node:
        most = node.pop("exclusiveMaximum") - 1
        node["maximum"] = min(most, node.get("maximum", most))
