"""Each format as a file, and what comes out held against what each provider takes.

UMBEL_TEST_WRITE_GOLDEN=1 writes the files anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

from actions.errors import DeclarationError
from actions.tools import FORMATS, export
from tools_under_test import RICH

GOLDEN: Final = Path(__file__).parents[1] / "golden"
OFFERED: Final = ["TAKE_ORDER", "KINDS", "PAY", "LABEL", "PLANT", "PING"]
SCALARS: Final = ("string", "integer", "number", "boolean", "null", "array", "object")


def numbers(*keywords: str) -> dict[str, Any]:
    return {each: {"type": "number"} for each in keywords}


JSON_SCHEMA: Final = {"type": "object", "properties": {"type": {"const": "object"}}, "required": ["type"]}
STRICT: Final[dict[str, Any]] = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "$defs": {"additionalProperties": {"$ref": "#/$defs/node"}},
                "$ref": {"type": "string"},
                "additionalProperties": {"const": False},
                "anyOf": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/node"}},
                "description": {"type": "string"},
                "enum": {"type": "array", "minItems": 1},
                "format": {
                    "enum": ["date", "date-time", "duration", "email", "hostname", "ipv4", "time", "uuid"]
                },
                "items": {"$ref": "#/$defs/node"},
                "pattern": {"type": "string"},
                "properties": {"additionalProperties": {"$ref": "#/$defs/node"}},
                "required": {"type": "array"},
                "type": {"anyOf": [{"enum": SCALARS}, {"type": "array", "items": {"enum": SCALARS}}]},
            }
            | numbers("multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
            | numbers("minItems", "maxItems"),
            "additionalProperties": False,
            "anyOf": [
                {"required": ["type"]},
                {"required": ["anyOf"]},
                {"required": ["$ref"], "maxProperties": 1},
            ],
            "if": {"required": ["properties"]},
            "then": {"required": ["additionalProperties", "required"]},
        }
    },
    "$ref": "#/$defs/node",
}
GEMINI: Final[dict[str, Any]] = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "anyOf": {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/node"}},
                "default": {},
                "description": {"type": "string"},
                "enum": {"type": "array", "minItems": 1, "items": {"type": "string"}},
                "format": {"enum": ["date-time"]},
                "items": {"$ref": "#/$defs/node"},
                "nullable": {"type": "boolean"},
                "pattern": {"type": "string"},
                "properties": {"minProperties": 1, "additionalProperties": {"$ref": "#/$defs/node"}},
                "required": {"type": "array", "minItems": 1},
                "type": {"enum": ["STRING", "INTEGER", "NUMBER", "BOOLEAN", "ARRAY", "OBJECT"]},
            }
            | numbers("minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum"),
            "additionalProperties": False,
            "oneOf": [{"required": ["type"]}, {"required": ["anyOf"], "maxProperties": 1}],
            "allOf": [
                {"if": {"required": ["enum"]}, "then": {"properties": {"type": {"const": "STRING"}}}},
                {
                    "if": {"required": ["type"], "properties": {"type": {"const": "ARRAY"}}},
                    "then": {"required": ["items"]},
                },
                {
                    "if": {"required": ["type"], "properties": {"type": {"const": "OBJECT"}}},
                    "then": {"required": ["properties"]},
                },
            ],
        }
    },
    "$ref": "#/$defs/node",
}


def closed(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    needed = list(required or properties)
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}


NAME: Final = {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_]{0,63}$"}
HEAD: Final = {"name": NAME, "description": {"type": "string", "minLength": 1}}
FUNCTION: Final = {"type": {"const": "function"}}
TOOL: Final = {
    "openai": closed(FUNCTION | {"function": closed(HEAD | {"parameters": JSON_SCHEMA})}),
    "openai-strict": closed(
        FUNCTION | {"function": closed(HEAD | {"parameters": JSON_SCHEMA, "strict": {"type": "boolean"}})}
    ),
    "anthropic": closed(HEAD | {"input_schema": JSON_SCHEMA}),
    "gemini": closed(
        {
            "functionDeclarations": {
                "items": closed(
                    HEAD | {"parameters": {"$ref": "#/$defs/node"}, "parametersJsonSchema": JSON_SCHEMA},
                    *HEAD,
                )
            }
        }
    )
    | {"$defs": GEMINI["$defs"]},
    "mcp": closed(HEAD | {"inputSchema": JSON_SCHEMA}),
}


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_is_as_its_file_says(form):
    made = export(RICH.actions, form)
    told = {"tools": made.tools, "problems": [problem.told() for problem in made.problems]}
    file = GOLDEN / f"tools_{form}.json"
    if os.environ.get("UMBEL_TEST_WRITE_GOLDEN"):
        file.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    assert told == json.loads(file.read_text())


@pytest.mark.parametrize("form", FORMATS)
def test_each_tool_has_the_shape_that_its_provider_takes(form):
    tools = export(RICH.actions, form).tools
    for tool in tools:
        jsonschema.Draft202012Validator(TOOL[form]).validate(tool)
    listed = tools[0]["functionDeclarations"] if form == "gemini" else tools
    assert [each.get("function", each)["name"] for each in listed] == OFFERED


@pytest.mark.parametrize("form", ["openai", "openai-strict", "anthropic", "mcp"])
def test_each_schema_is_one(form):
    for tool in export(RICH.actions, form).tools:
        inner = tool.get("function", tool)
        [schema] = [inner[key] for key in ("parameters", "input_schema", "inputSchema") if key in inner]
        jsonschema.Draft202012Validator.check_schema(schema)


def test_strict_tools_have_strict_schemas_alone():
    made = export(RICH.actions, "openai-strict")
    strict = [tool["function"] for tool in made.tools if tool["function"]["strict"]]
    for each in strict:
        jsonschema.Draft202012Validator(STRICT).validate(each["parameters"])
        assert_all_required(each["parameters"])
    assert [each["name"] for each in strict] == ["TAKE_ORDER", "KINDS", "PAY", "PLANT", "PING"]
    assert {(problem.action, problem.field) for problem in made.problems} == {
        ("LABEL", "labels"), ("LABEL", "more"), ("LABEL", "where"), ("LABEL", "rest"),
    }  # fmt: skip


def assert_all_required(node: Any) -> None:
    if isinstance(node, dict):
        if "properties" in node:
            assert node["required"] == list(node["properties"])
            assert node["additionalProperties"] is False
        for each in node.values():
            assert_all_required(each)
    elif isinstance(node, list):
        for each in node:
            assert_all_required(each)


def test_without_strict_mode_a_tool_has_its_whole_schema():
    strict = {
        tool["function"]["name"]: tool["function"] for tool in export(RICH.actions, "openai-strict").tools
    }
    plain = {tool["function"]["name"]: tool["function"] for tool in export(RICH.actions, "openai").tools}
    assert strict["LABEL"] == plain["LABEL"] | {"strict": False}


def test_what_gemini_has_no_form_for_is_given_as_json_schema_and_told():
    made = export(RICH.actions, "gemini")
    [whole] = made.tools
    plain = {tool["name"]: tool for tool in export(RICH.actions, "anthropic").tools}
    for each in whole["functionDeclarations"]:
        told = {problem.field for problem in made.problems if problem.action == each["name"]}
        if told:
            assert each["parametersJsonSchema"] == plain[each["name"]]["input_schema"]
            assert "parameters" not in each
        else:
            assert "parametersJsonSchema" not in each
    assert {(problem.action, problem.field) for problem in made.problems} == {
        ("LABEL", "labels"), ("LABEL", "more"), ("LABEL", "where"), ("LABEL", "rest"),
        ("PLANT", "tree"), ("PLANT", "beside"),
    }  # fmt: skip


def test_nothing_is_said_of_what_an_action_does_to_the_world():
    for tool in export(RICH.actions, "mcp").tools:
        assert set(tool) == {"name", "description", "inputSchema"}


def test_what_no_model_may_call_becomes_no_tool_whoever_asks():
    for form in FORMATS:
        told = json.dumps(export(RICH.actions, form).tools)
        assert "REFUND" not in told
        assert "SUM_UP" not in told


def test_an_unknown_format_is_refused_with_those_there_are():
    with pytest.raises(
        DeclarationError, match="'cohere'; there are openai, openai-strict, anthropic, gemini, mcp"
    ):
        export((), "cohere")


def test_no_actions_are_no_tools():
    assert [export((), form).tools for form in FORMATS] == [[], [], [], [], []]


def test_what_comes_out_is_a_copy():
    for form in FORMATS:
        first = RICH.tools("PAY", format=form)
        for tool in first.tools:
            tool.clear()
        assert RICH.tools("PAY", format=form).tools != first.tools
