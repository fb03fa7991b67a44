"""What fits the schema that a provider was given, the action takes; and what the action takes fits the schema.

Where a provider's schema cannot say all (Gemini's enums of numbers), only the second can be said.
"""

from __future__ import annotations

from typing import Any, Final

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import BaseModel, Field, create_model

from actions.definition import Action, action
from actions.params import bind
from actions.params import given as given_of
from actions.schema import parameters_schema
from actions.tools import export
from tools_under_test import RICH, Side, from_gemini, values

ACTIONS: Final = [each for each in RICH.actions if each.offered]


def schema_of(act: Action, form: str) -> dict[str, Any]:
    [tool] = export([act], form).tools
    if form == "gemini":
        [tool] = tool["functionDeclarations"]
        if "parameters" in tool:
            return from_gemini(tool["parameters"])
        return tool.get("parametersJsonSchema", {"type": "object", "properties": {}})
    inner = tool.get("function", tool)
    [found] = [inner[key] for key in ("parameters", "input_schema", "inputSchema") if key in inner]
    return found


def filled(node: Any, value: Any, root: Any) -> Any:
    """A value that fits the plain schema, with null for each key that it leaves out: what strict mode forces."""
    if "$ref" in node:
        return filled(root["$defs"][node["$ref"].removeprefix("#/$defs/")], value, root)
    for each in node.get("anyOf", ()):
        if jsonschema.Draft202012Validator({**each, "$defs": root.get("$defs", {})}).is_valid(value):
            return filled(each, value, root)
    if isinstance(value, dict) and "properties" in node:
        shapes = node["properties"]
        return {key: filled(shapes[key], value[key], root) if key in value else None for key in shapes}
    if isinstance(value, list) and node.get("items"):
        return [filled(node["items"], each, root) for each in value]
    return value


@pytest.mark.parametrize("form", ["openai", "openai-strict"])
@pytest.mark.parametrize("act", ACTIONS, ids=lambda act: act.name)
@given(data=some.data())
def test_what_fits_the_schema_the_action_takes(act, form, data):
    schema = schema_of(act, form)
    arguments = data.draw(values(schema, schema))
    needed = {key: 0 for key in act.uses if arguments.get(key) is None}
    bind(act, given_of(act, arguments) | needed)  # what an earlier result fills is not the model's to give


@pytest.mark.parametrize("form", ["openai-strict", "gemini"])
@pytest.mark.parametrize("act", ACTIONS, ids=lambda act: act.name)
@given(data=some.data())
def test_what_the_action_takes_fits_the_schema_of_each_provider_and_means_the_same(act, form, data):
    plain = parameters_schema(act)
    arguments = data.draw(values(plain, plain))
    needed = {key: 0 for key in act.uses if key not in arguments}
    schema = schema_of(act, form)
    strict = form == "openai-strict" and export([act], form).tools[0]["function"]["strict"]
    shown = filled(plain, arguments, plain) if strict else arguments
    jsonschema.Draft202012Validator(schema).validate(shown)
    assert bind(act, given_of(act, shown) | needed) == bind(act, arguments | needed)


def kinds() -> some.SearchStrategy[Any]:
    """Types of parameters, and models of them."""
    scalars = some.sampled_from([int, str, bool, float, Side, int | None, str | int])
    return some.recursive(
        scalars,
        lambda inner: some.one_of(
            inner.map(lambda kind: list[kind]),
            inner.map(lambda kind: kind | None),
            some.dictionaries(some.sampled_from("abc"), some.tuples(inner, some.booleans()), min_size=1).map(
                model
            ),
        ),
        max_leaves=5,
    )


def model(fields: dict[str, tuple[Any, bool]]) -> type[BaseModel]:
    made: dict[str, Any] = {
        name: (kind, Field(default_factory=lambda: None, validate_default=False) if optional else ...)
        for name, (kind, optional) in fields.items()
    }
    return create_model("Made", **made)


@given(kind=kinds(), data=some.data())
def test_any_model_is_read_back_from_strict_mode(kind, data):
    act = action("X", params=model({"x": (kind, True), "y": (kind, False)}), description="d")(
        lambda x, y: None
    )
    made = export([act], "openai-strict")
    assert made.problems == ()
    schema = made.tools[0]["function"]["parameters"]
    jsonschema.Draft202012Validator.check_schema(schema)
    bind(act, data.draw(values(schema, schema)))
    plain = parameters_schema(act)
    arguments = data.draw(values(plain, plain))
    forced = filled(plain, arguments, plain)
    jsonschema.Draft202012Validator(schema).validate(forced)
    assert bind(act, forced) == bind(act, arguments)
