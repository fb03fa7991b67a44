"""A tool of OpenAI's strict mode: the model can write nothing but arguments of the schema.

Limits: the page "Structured outputs" of OpenAI's guides, section "Supported schemas". All arguments are required there;
one that may be left out takes null instead, which the action reads as "not given" (`actions.coercion`). What has no
strict form is told, and then the tool is given without strict mode: a model calls it all the same, and the action
checks what it wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from actions.schema import takes_null
from actions.tools import words
from actions.tools.form import Form
from actions.tools.openai import LONGEST, MOST, NAMES, function
from actions.tools.plain import Plain, Problem, Schema, Tool
from actions.tools.structure import UNFORMED, same_items, unformed

_KEPT: Final = frozenset({
    "$ref", "additionalProperties", "anyOf", "description", "enum", "exclusiveMaximum", "exclusiveMinimum", "format",
    "items", "maxItems", "maximum", "minItems", "minimum", "multipleOf", "pattern", "properties", "required", "type",
})  # fmt: skip
_FORMATS: Final = frozenset(
    {"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid"}
)
_TYPES: Final = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
_DEEPEST: Final = 10
_PROPERTIES: Final = 5_000
_ENUM_VALUES: Final = 1_000
_CHARACTERS: Final = 120_000
_LARGE_ENUM: Final = 250
_LARGE_ENUM_CHARACTERS: Final = 15_000


def _shape(plain: Plain) -> tuple[Tool, list[Problem]]:
    strict = _Strict(plain)
    parameters = strict.of_all()
    strict.problems += (Problem(plain.name, "", text) for text in _over(parameters))
    if strict.problems:
        return function(plain, parameters=plain.parameters, strict=False), strict.problems
    return function(plain, parameters=parameters, strict=True), []


FORM: Final = Form("openai-strict", _shape, NAMES, longest=LONGEST, most=MOST)


class _Strict:
    """A walk over the schema of one tool."""

    def __init__(self, plain: Plain) -> None:
        self.problems: list[Problem] = []
        self._plain = plain

    def of_all(self) -> Schema:
        tidy = self._of({key: each for key, each in self._plain.parameters.items() if key != "$defs"}, "")
        if definitions := self._plain.definitions:
            tidy["$defs"] = {name: self._of(each, name) for name, each in definitions.items()}
        return tidy

    def _of(self, node: Schema, field: str, also: tuple[str, ...] = ()) -> Schema:
        """Return a part of the schema; `also` is to be said beside what its schema cannot say."""
        node = same_items(node)
        for what, advice in unformed(node):
            text = f"{what}: the tool is given without strict mode; {advice}"
            self.problems.append(Problem(self._plain.name, field, text))
        tidy = {key: each for key, each in node.items() if key in _KEPT}
        left = [key for key in node if key not in _KEPT and key not in UNFORMED]
        if "format" in tidy and tidy["format"] not in _FORMATS:
            left.append("format")
            del tidy["format"]
        self._inside(tidy, field)
        said = [*words.said(node, left), *also]
        if "$ref" in tidy and (said or len(tidy) > 1):
            tidy["anyOf"] = [{"$ref": tidy.pop("$ref")}]  # nothing may stand beside a reference
        return words.described(tidy, said)

    def _inside(self, tidy: Schema, field: str) -> None:
        if "anyOf" in tidy:
            tidy["anyOf"] = [self._of(each, field) for each in tidy["anyOf"]]
        if "enum" in tidy:
            tidy.setdefault("type", _types_of(tidy["enum"]))
        if tidy.get("items"):
            tidy["items"] = self._of(tidy["items"], f"{field}[]")
        if tidy.get("type") == "object":
            required = tidy.get("required", ())
            properties: dict[str, Schema] = tidy.get("properties", {})
            tidy["properties"] = {
                name: self._property(name, each, field, required=name in required)
                for name, each in properties.items()
            }
            tidy["required"] = list(properties)

    def _property(self, name: str, node: Schema, field: str, *, required: bool) -> Schema:
        place = f"{field}.{name}" if field else name
        if required:
            return self._of(node, place)
        shape = {key: each for key, each in node.items() if key != "default"}
        default = words.text(node["default"]) if node.get("default") is not None else ""
        if takes_null(node, self._plain.definitions):
            return self._of(shape, place, (f"default: {default}",) if default else ())
        told = f"null for the default, {default}" if default else "null to leave it out"
        if not field and name in self._plain.uses:
            told = f"null to take it from {self._plain.uses[name]}"
        return _nullable(self._of(shape, place, (told,)))


def _types_of(values: list[Any]) -> str | list[str]:
    kinds = list(dict.fromkeys(_TYPES[type(value)] for value in values))
    return kinds if len(kinds) > 1 else kinds[0]


def _nullable(node: Schema) -> Schema:
    null: Schema = {"type": "null"}
    if "anyOf" in node:
        return {**node, "anyOf": [*node["anyOf"], null]}
    kind = node.get("type")
    if "$ref" in node or kind in {"object", "array"}:
        inner = {key: each for key, each in node.items() if key != "description"}
        beside = {"description": node["description"]} if "description" in node else {}
        return {**beside, "anyOf": [inner, null]}
    kinds = [*(kind if isinstance(kind, list) else [kind]), "null"]
    return {**node, "type": kinds, **({"enum": [*node["enum"], None]} if "enum" in node else {})}


def _over(parameters: Schema) -> Iterator[str]:
    """What is larger than OpenAI takes, one text for each."""
    size = _Size()
    size.add(parameters, 0)
    advice = "the tool is given without strict mode; make several actions of it"
    for what, has, most in (
        ("levels of objects in each other", size.deepest, _DEEPEST),
        ("keys", size.properties, _PROPERTIES),
        ("values in enums", size.values, _ENUM_VALUES),
        ("characters in keys and enums", size.characters, _CHARACTERS),
        ("characters in one enum of over 250 values", size.large_enum, _LARGE_ENUM_CHARACTERS),
    ):
        if has > most:
            yield f"it has {has:,} {what}, {most:,} are allowed: {advice}"


class _Size:
    """What OpenAI counts of a schema."""

    def __init__(self) -> None:
        self.deepest = self.properties = self.values = self.characters = self.large_enum = 0

    def add(self, node: Schema, depth: int) -> None:
        """Count a part that stands inside so many objects."""
        for name, each in node.get("$defs", {}).items():
            self.characters += len(name)
            self.add(each, depth)
        if "properties" in node:
            depth += 1
            self.deepest = max(self.deepest, depth)
        for name, each in node.get("properties", {}).items():
            self.properties += 1
            self.characters += len(name)
            self.add(each, depth)
        for each in (*node.get("anyOf", ()), *([node["items"]] if "items" in node else [])):
            self.add(each, depth)
        self._add_enum(node.get("enum", ()))

    def _add_enum(self, values: list[Any]) -> None:
        letters = sum(len(value) for value in values if isinstance(value, str))
        self.values += len(values)
        self.characters += letters
        if len(values) > _LARGE_ENUM:
            self.large_enum = max(self.large_enum, letters)
