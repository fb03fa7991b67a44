"""A text that holds JSON stands for the list or object that is wanted, and for nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, JsonValue, PlainValidator, RootModel
from typing_extensions import TypedDict

from actions.definition import Action, action
from actions.errors import InvalidArguments
from actions.params import bind


class Leg(BaseModel):
    ticker: str
    quantity: int = 1
    legs: list[Leg] = []


class Exact(BaseModel):
    model_config = ConfigDict(strict=True)
    n: int


class Row(TypedDict):
    n: int


@dataclass
class Point:
    x: float


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]
Whatever = Annotated[Any, PlainValidator(lambda value: value)]
Words = RootModel[list[str]]
Word = RootModel[str]


def taking(kind: Any, *, strict: bool = False) -> Action:
    def handler(x):
        return x

    handler.__annotations__["x"] = kind
    return action("TAKE", strict=strict)(handler)


def bound(kind: Any, value: Any, *, strict: bool = False) -> Any:
    return bind(taking(kind, strict=strict), {"x": value}).x  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "text", "meant"),
    [
        (list[int], "[1, 2]", [1, 2]), (list[int], ' ["1"]\n', [1]), (list, "[]", []), (set[int], "[1, 1]", {1}),
        (tuple[int, str], '[1, "a"]', (1, "a")), (frozenset[int], "[1]", frozenset({1})),
        (dict[str, int], '{"a": "1"}', {"a": 1}), (dict, "{}", {}), (list[int] | None, "[1]", [1]),
        (Leg, '{"ticker": "A", "quantity": "2"}', Leg(ticker="A", quantity=2)),
        (Leg, {"ticker": "A", "legs": '[{"ticker": "B"}]'}, Leg(ticker="A", legs=[Leg(ticker="B")])),
        (list[Leg], ['{"ticker": "A"}'], [Leg(ticker="A")]), (Row, '{"n": 1}', {"n": 1}), (Point, '{"x": 1}', Point(1)),
        (Pet, '{"kind": "cat", "lives": 9}', Cat(kind="cat", lives=9)), (Words, '["a"]', Words(["a"])),
        (list[list[int]], '["[1]", [2]]', [[1], [2]]),
    ],
)  # fmt: skip
def test_it_is_read_where_a_list_or_an_object_is_wanted(kind, text, meant):
    assert bound(kind, text) == meant


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (str, "[1]"), (str | list[int], "[1]"), (list[int] | str, "[1]"), (str | Leg, '{"ticker": "A"}'),
        (str | dict[str, int] | None, '{"a": 1}'), (Any, "[1]"), (JsonValue, '{"a": 1}'), (list[str], ["[1]"]),
        (bytes, "[1]"),
    ],
)  # fmt: skip
def test_where_a_text_will_do_it_stays_one(kind, text):
    kept = text.encode() if kind is bytes else text

    assert bound(kind, text) == kept


def test_a_model_that_is_a_text_stays_one():
    assert bound(Word, '{"a": 1}').root == '{"a": 1}'


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (list[int], "1, 2"), (list[int], "[1, 2"), (list[int], "[1, 2,]"), (list[int], "[1] [2]"), (list[int], "[NaN]"),
        (list[Whatever], "[NaN]"), (list[Whatever], r'["\ud800"]'), (dict[str, Any], r'{"\udc00": 1}'),
        (list[int], '{"0": 1}'), (list[int], "(1, 2)"), (list[int], "null"), (list[int], "5"), (list[int], "[1.5]"),
        (list[float], "[Infinity]"), (dict[str, int], "[1]"), (dict[str, int], "{'a': 1}"),
        (dict[str, int], '{"a": 1, "a": 2}'), (Leg, '{"ticker": "A", "extra": 1}'), (Leg, '{"quantity": 1}'),
        (Leg, '"{\\"ticker\\": \\"A\\"}"'), (list[Any], "[" * 100 + "]" * 100), (list[Any], "[" * 100_000),
        (list[int], "[" + "9" * 10_000 + "]"), (Exact, '{"n": 1}'), (list[int], "{]"), (Pet, '{"lives": 9}'),
    ],
)  # fmt: skip
def test_it_is_read_strictly_or_not_at_all(kind, text):
    with pytest.raises(InvalidArguments, match=r"^x"):
        bound(kind, text)


@pytest.mark.parametrize(
    ("kind", "text"), [(list[int], "[1]"), (dict[str, int], "{}"), (Leg, '{"ticker": "A"}')]
)
def test_a_strict_action_reads_no_text(kind, text):
    with pytest.raises(InvalidArguments):
        bound(kind, text, strict=True)


def test_the_error_names_the_place_inside():
    with pytest.raises(InvalidArguments, match=r"^x\[1\]: an integer is wanted, got \"b\"$"):
        bound(list[int], '[1, "b"]')
