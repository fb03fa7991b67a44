"""Null for "not given": where something may be left out and takes no null, at every level; nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NotRequired

import pytest
from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, JsonValue, model_validator
from typing_extensions import TypedDict

from actions.definition import Action, action
from actions.errors import InvalidArguments
from actions.params import bind, given


class Leg(BaseModel):
    ticker: str
    quantity: int = 1
    legs: list[Leg] = []
    note: str | None = "none"


class Row(TypedDict):
    n: int
    m: NotRequired[int]


@dataclass
class Point:
    x: float
    y: float = 2.0
    tags: list[str] = field(default_factory=list)


def taking(kind: Any, *default: Any, strict: bool = False) -> Action:
    def handler(x): ...

    handler.__annotations__["x"] = kind
    if default:
        handler.__defaults__ = default
    return action("TAKE", strict=strict)(handler)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("kind", "default", "meant"),
    [
        (int, 1, 1), (str, "a", "a"), (bool, True, True), (list[int], [1], [1]), (dict[str, int], {}, {}),
        (Literal["a", "b"], "b", "b"), (int | str, 5, 5),
        (int | None, 5, None), (JsonValue, 5, None), (Any, 5, None), (Literal["a", None], "a", None),  # noqa: PYI061 - the shape
    ],
)  # fmt: skip
def test_null_is_the_default_unless_it_is_a_value(kind, default, meant, strict):
    assert bind(taking(kind, default, strict=strict), {"x": None}).x == meant  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", [int, str, bool, list[int], Leg, Row, Point])
def test_null_is_refused_for_what_is_needed(kind):
    with pytest.raises(InvalidArguments, match=r"^x: "):
        bind(taking(kind), {"x": None})


@pytest.mark.parametrize(
    ("kind", "value", "meant"),
    [
        (Leg, {"ticker": "A", "quantity": None, "legs": None}, {"ticker": "A"}),
        (
            Leg,
            {"ticker": "A", "legs": [{"ticker": "B", "quantity": None}]},
            {"ticker": "A", "legs": [{"ticker": "B"}]},
        ),
        (list[Leg], [{"ticker": "A", "quantity": None}], [{"ticker": "A"}]),
        (Leg | None, {"ticker": "A", "quantity": None}, {"ticker": "A"}),
        (dict[str, Leg], {"a": {"ticker": "A", "quantity": None}}, {"a": {"ticker": "A"}}),
        (Row, {"n": 1, "m": None}, {"n": 1}),
        (Point, {"x": 1, "y": None, "tags": None}, {"x": 1}),
    ],
)
def test_it_is_so_inside_objects_too(kind, value, meant):
    act = taking(kind)
    assert bind(act, {"x": value}) == bind(act, {"x": meant})


@pytest.mark.parametrize(
    ("kind", "value", "where"),
    [
        (Leg, {"ticker": None}, "x.ticker"), (list[Leg], [{"ticker": "A", "quantity": "x"}], r"x\[0\].quantity"),
        (Row, {"n": None, "m": None}, "x.n"), (Leg, {"ticker": "A", "other": None}, "x.other"),
        (list[int], [1, None], r"x\[1\]"), (dict[str, int], {"a": None}, "x.a"), (Point, {"x": None}, "x.x"),
    ],
)  # fmt: skip
def test_a_null_that_means_nothing_is_refused_where_it_stands(kind, value, where):
    with pytest.raises(InvalidArguments, match=f"^{where}: "):
        bind(taking(kind), {"x": value})


def test_a_null_that_a_field_takes_stays():
    bound = bind(taking(Leg), {"x": {"ticker": "A", "note": None}})
    assert bound.x.note is None  # type: ignore[attr-defined]


def test_what_was_not_given_does_not_count_as_set():
    assert bind(taking(Leg), {"x": {"ticker": "A", "quantity": None}}).x.model_fields_set == {"ticker"}  # type: ignore[attr-defined]


def test_a_key_may_have_another_name():
    class Named(BaseModel):
        a: int = Field(1, alias="eh")
        b: int = Field(2, validation_alias=AliasChoices("bee", "be"))

    act = taking(Named)
    assert bind(act, {"x": {"eh": None, "be": None}}) == bind(act, {"x": {}})
    with pytest.raises(InvalidArguments, match=r"^x\.a: is unknown"):
        bind(act, {"x": {"a": None}})


def test_an_author_who_reads_null_is_asked():
    def from_null(value: Any) -> Any:
        return 7 if value is None else value

    def breaks(value: Any) -> Any:
        return value + 1

    assert bind(taking(Annotated[int, BeforeValidator(from_null)], 1), {"x": None}).x == 7  # type: ignore[attr-defined]
    assert bind(taking(Annotated[int, BeforeValidator(breaks)], 1), {"x": None}).x == 1  # type: ignore[attr-defined]


def test_a_rule_on_the_whole_model_sees_what_was_sent():
    class Whole(BaseModel):
        a: int = 1

        @model_validator(mode="before")
        @classmethod
        def look(cls, data: Any) -> Any:
            assert data == {"a": None}
            return data

    assert bind(taking(Whole), {"x": {"a": None}}).x == Whole.model_construct(a=1)  # type: ignore[attr-defined]


@action("PAY", uses={"amount": "QUOTE.price", "note": "QUOTE.note"})
def pay(amount: float, note: str | None, to: str, quantity: int = 1, extra: int | None = 3) -> None:
    """Pay."""


def test_the_arguments_that_are_given_hold_no_null_that_says_nothing():
    sent = {"amount": None, "note": None, "to": None, "quantity": None, "extra": None, "unknown": None}
    assert given(pay, sent) == {"note": None, "to": None, "extra": None, "unknown": None}
    assert given(pay, {"amount": 0, "quantity": 0, "to": ""}) == {"amount": 0, "quantity": 0, "to": ""}
