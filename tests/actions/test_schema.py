from __future__ import annotations

import enum
from datetime import date
from typing import Annotated, Any, Literal, Optional

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field, JsonValue, NegativeInt, NonNegativeInt, PositiveInt

from actions.definition import action
from actions.schema import parameters_schema, takes_null


class Side(enum.Enum):
    BUY = "buy"
    SELL = "sell"


class Leg(BaseModel):
    """A leg of an order."""

    ticker: str
    title: str = "leg"
    side: Side = Side.BUY


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Tree(BaseModel):
    value: int
    children: list[Tree] = []


INTEGER = {"type": "integer"}
STRING = {"type": "string"}
LEG = {
    "type": "object",
    "description": "A leg of an order.",
    "properties": {
        "ticker": STRING,
        "title": {"type": "string", "default": "leg"},
        "side": {"type": "string", "enum": ["buy", "sell"], "default": "buy"},
    },
    "required": ["ticker"],
    "additionalProperties": False,
}


def tagged(kind: str) -> Any:
    return {
        "type": "object",
        "properties": {"kind": {"type": "string", "enum": [kind]}},
        "required": ["kind"],
        "additionalProperties": False,
    }


def of(kind: Any) -> Any:
    def handler(x): ...

    if kind is not None:
        handler.__annotations__["x"] = kind
    return parameters_schema(action("X")(handler))["properties"]["x"]


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (None, STRING),
        (str, STRING),
        (int, INTEGER),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (list, {"type": "array", "items": {}}),
        (dict, {"type": "object", "additionalProperties": True}),
        (list[int], {"type": "array", "items": INTEGER}),
        (set[int], {"type": "array", "items": INTEGER, "uniqueItems": True}),
        (dict[str, int], {"type": "object", "additionalProperties": INTEGER}),
        (tuple[int, str], {"type": "array", "prefixItems": [INTEGER, STRING], "minItems": 2, "maxItems": 2}),
        (Optional[int], {"anyOf": [INTEGER, {"type": "null"}]}),  # noqa: UP045 - people write it
        (int | None, {"anyOf": [INTEGER, {"type": "null"}]}),
        (int | str, {"anyOf": [INTEGER, STRING]}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal["a"], {"type": "string", "enum": ["a"]}),
        (Literal[1, "a"], {"enum": [1, "a"]}),
        (Side, {"type": "string", "enum": ["buy", "sell"]}),
        (list[Side], {"type": "array", "items": {"type": "string", "enum": ["buy", "sell"]}}),
        (PositiveInt, {"type": "integer", "minimum": 1}),
        (NonNegativeInt, {"type": "integer", "minimum": 0}),
        (NegativeInt, {"type": "integer", "maximum": -1}),
        (Annotated[int, Field(gt=2, ge=9, lt=20, le=9)], {"type": "integer", "minimum": 9, "maximum": 9}),
        (Annotated[float, Field(gt=0)], {"type": "number", "exclusiveMinimum": 0}),
        (
            dict[Annotated[str, Field(pattern="^a$")], int],
            {"type": "object", "patternProperties": {"^a$": INTEGER}, "additionalProperties": False},
        ),
        (Annotated[Cat | Dog, Field(discriminator="kind")], {"anyOf": [tagged("cat"), tagged("dog")]}),
        (date, {"type": "string", "format": "date"}),
        (Any, {}),
        (
            Annotated[str, Field(description="d", pattern="^a$")],
            {"type": "string", "description": "d", "pattern": "^a$"},
        ),
        (Leg, LEG),
        (list[Leg], {"type": "array", "items": LEG}),
        (Leg | None, {"anyOf": [LEG, {"type": "null"}]}),
        (dict[str, Leg], {"type": "object", "additionalProperties": LEG}),
    ],
)
def test_each_type_has_its_schema(kind, schema):
    assert of(kind) == schema


def test_only_parameters_without_a_default_are_required():
    schema = parameters_schema(action("X")(lambda a, b=1, c=None, d="x": None))

    assert schema == {
        "type": "object",
        "properties": {
            "a": STRING,
            "b": {"type": "integer", "default": 1},
            "c": {"anyOf": [STRING, {"type": "null"}], "default": None},
            "d": {"type": "string", "default": "x"},
        },
        "required": ["a"],
        "additionalProperties": False,
    }


def test_no_parameters_are_an_empty_closed_object():
    assert parameters_schema(action("X")(lambda: None)) == {
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }


def test_a_recursive_model_keeps_one_closed_definition():
    schema = parameters_schema(action("X", params=Tree)(lambda value, children: None))

    assert schema["properties"]["children"]["items"] == {"$ref": "#/$defs/Tree"}
    assert schema["$defs"]["Tree"]["additionalProperties"] is False
    assert set(schema["$defs"]) == {"Tree"}
    Draft202012Validator(schema).validate({"value": 1, "children": [{"value": 2, "children": []}]})


def test_a_parameter_called_title_or_properties_stays():
    schema = parameters_schema(action("X")(lambda title, properties, default="x": None))

    assert schema["properties"] == {
        "title": STRING,
        "properties": STRING,
        "default": {"type": "string", "default": "x"},
    }


def test_a_default_is_data_and_stays_as_it_is():
    def handler(x: dict[str, Any] = {"title": 1, "properties": {}}): ...  # noqa: B006

    schema = parameters_schema(action("X")(handler))

    assert schema["properties"]["x"]["default"] == {"title": 1, "properties": {}}


def test_a_changed_copy_changes_nothing():
    one = action("X")(lambda a: None)
    parameters_schema(one)["properties"].clear()

    assert parameters_schema(one)["properties"] == {"a": STRING}


@action("ORDER")
def order(ticker: str, leg: Leg, quantity: int = 1) -> None:
    """Buy shares.

    Args:
        ticker: The symbol.
        leg: What else.
    """


def test_the_docstrings_texts_are_in_the_schema():
    properties = parameters_schema(order)["properties"]

    assert properties["ticker"]["description"] == "The symbol."
    assert properties["leg"]["description"] == "What else."
    assert "description" not in properties["quantity"]


def test_every_object_is_closed():
    def closed(node: Any) -> bool:
        if isinstance(node, dict):
            return ("properties" not in node or node["additionalProperties"] is False) and all(
                map(closed, node.values())
            )
        return all(map(closed, node)) if isinstance(node, list) else True

    assert closed(parameters_schema(order))
    Draft202012Validator.check_schema(parameters_schema(order))


@pytest.mark.parametrize(
    ("kind", "taken"),
    [
        (int, False), (int | None, True), (Any, True), (JsonValue, True), (list[int | None], False),
        (Literal[1, 2], False), (Literal[1, None], True), (int | Literal["x", None], True),  # noqa: PYI061 - the shape
        (Leg | None, True), (Leg, False),
    ],
)  # fmt: skip
def test_it_can_be_seen_whether_null_fits(kind, taken):
    assert takes_null(of(kind), {}) is taken
