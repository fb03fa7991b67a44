"""A function declaration of Gemini, whose schemas are a part of OpenAPI 3.0: one type each, no references, no null.

Limits: the reference of `FunctionDeclaration` and `Schema` of the Gemini API (which Vertex AI shares), and "Tool" there
for their number. Only texts have enums, `anyOf` stands alone, an object has properties. What has no such form (a map, a
tuple, a value of any kind, a model that holds itself) is told, and the tool then says its arguments in JSON schema,
as `parametersJsonSchema`, which newer versions of the API take.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from actions.tools import words
from actions.tools.form import Form
from actions.tools.plain import Plain, Problem, Schema, Tool
from actions.tools.structure import UNFORMED, same_items, unformed

_KEPT: Final = frozenset({
    "anyOf", "default", "description", "enum", "items", "maxItems", "maxLength", "maxProperties", "maximum", "minItems",
    "minLength", "minProperties", "minimum", "pattern", "properties", "required", "type",
})  # fmt: skip
_DROPPED: Final = frozenset({"$defs", "additionalProperties"})
"""What is not said: the first is only referred to, the second is told where it lets keys pass."""
_FORMATS: Final = frozenset({"date-time"})
_NULL: Final[Schema] = {"type": "null"}
_KINDS: Final = {bool: "boolean", int: "integer", float: "number", str: "string"}
_GIVEN: Final = "its arguments are given as parametersJsonSchema, which older versions of the API do not know"


def _shape(plain: Plain) -> tuple[Tool, list[Problem]]:
    tool: Tool = {"name": plain.name, "description": plain.description}
    if not plain.parameters.get("properties"):
        return tool, []  # an object without properties is refused, no parameters are taken
    subset = _Subset(plain)
    parameters = subset.of(plain.parameters, "")
    if subset.problems:
        return {**tool, "parametersJsonSchema": plain.parameters}, subset.problems
    return {**tool, "parameters": parameters}, []


def _wrapped(tools: list[Tool]) -> list[Tool]:
    declared = [each for each in tools if "name" in each]
    others = [each for each in tools if "name" not in each]  # ready ones, of the provider's own
    return [*([{"functionDeclarations": declared}] if declared else []), *others]


FORM: Final = Form(
    "gemini",
    _shape,
    re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}"),
    keys=re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}"),
    described=True,
    plain_top=False,  # it has no other form there either, which is told already
    most=512,
    wrapped=_wrapped,
)


class _Subset:
    """A walk over the schema of one tool."""

    def __init__(self, plain: Plain) -> None:
        self.problems: list[Problem] = []
        self._name = plain.name

    def of(self, node: Schema, field: str) -> Schema:
        """Return a part of the schema in Gemini's words."""
        branches = list(_branches(same_items(node)))
        several = [each for each in branches if each != _NULL]
        nullable = {"nullable": True} if len(several) < len(branches) else {}
        if not several:
            self._told(field, "null alone has no form there", "leave it out")
        made = [{**self._one(same_items(each), field), **nullable} for each in several]
        return made[0] if len(made) == 1 else {"anyOf": made}

    def _told(self, field: str, what: str, advice: str) -> None:
        problem = Problem(self._name, field, f"{what}: {_GIVEN}; {advice}")
        if problem not in self.problems:
            self.problems.append(problem)

    def _one(self, node: Schema, field: str) -> Schema:
        """A part of one type."""
        for what, advice in unformed(node):
            self._told(field, what, advice)
        if "$ref" in node:
            self._told(field, "a model that holds itself has no form there", "bound how deep it goes")
        kind = str(node.get("type", ""))
        tidy = {key: each for key, each in node.items() if key in _KEPT} | {"type": kind.upper()}
        left = [key for key in node if key not in _KEPT | UNFORMED | _DROPPED]
        if node.get("format") in _FORMATS:
            tidy["format"] = node["format"]
            left.remove("format")
        if "enum" in tidy and kind != "string":
            left.append("enum")
            del tidy["enum"]
        if node.get("items"):
            tidy["items"] = self.of(node["items"], f"{field}[]")
        if kind == "object":
            closed = node.get("additionalProperties") is False and not UNFORMED & node.keys()
            if closed and not node.get("properties"):
                self._told(field, "an object without keys has no form there", "leave it out")
            tidy["properties"] = {
                name: self.of(each, f"{field}.{name}" if field else name)
                for name, each in node.get("properties", {}).items()
            }
        return words.described(tidy, words.said(node, left))


def _branches(node: Schema) -> Iterator[Schema]:
    """The kinds of value that a part of a schema takes, each with one type; null is `{"type": "null"}` alone."""
    if "anyOf" in node:
        branches = [branch for each in node["anyOf"] for branch in _branches(each)]
        only = sum(branch != _NULL for branch in branches) == 1
        for branch in branches:
            yield branch if branch == _NULL else _with(node, branch, only=only)
    elif "enum" in node and (kinds := _by_kind(node["enum"])).keys() != {node.get("type")}:
        for kind, values in kinds.items():
            yield dict(_NULL) if kind == "null" else {**node, "type": kind, "enum": values}
    else:
        yield node


def _with(node: Schema, branch: Schema, *, only: bool) -> Schema:
    """A branch with what stands beside `anyOf`: its default too, if there is no other branch that it may belong to."""
    texts = [each["description"].strip() for each in (node, branch) if each.get("description")]
    told = " ".join(text if text[-1:] in ".!?" else f"{text}." for text in texts)
    whole = {**branch, "description": told} if told else branch
    if "default" not in node:
        return whole
    return (
        {**whole, "default": node["default"]}
        if only
        else words.described(whole, words.said(node, ["default"]))
    )


def _by_kind(values: list[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for value in values:
        found.setdefault("null" if value is None else _KINDS[type(value)], []).append(value)
    return found
