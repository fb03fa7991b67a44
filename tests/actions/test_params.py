from __future__ import annotations

import enum
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, JsonValue, PositiveInt, field_validator
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypedDict

from actions.definition import Action, action
from actions.errors import DeclarationError, InvalidArguments
from actions.params import bind


class Side(enum.Enum):
    BUY = "buy"
    SELL = "sell"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Leg(BaseModel):
    ticker: str
    quantity: int = 1
    legs: list[Leg] = []


class Row(TypedDict):
    n: int


@dataclass
class Point:
    x: float


def taking(kind: Any, *, strict: bool = False) -> Action:
    def handler(x):
        return x

    handler.__annotations__["x"] = kind
    return action("TAKE", strict=strict)(handler)


def bound(kind: Any, value: Any, *, strict: bool = False) -> Any:
    return bind(taking(kind, strict=strict), {"x": value}).x  # type: ignore[attr-defined]


MAYBE_ONE = Literal[1, None]  # noqa: PYI061 - the shape that is tested
LOSSLESS = [
    (int, 5, 5), (int, "5", 5), (int, "-5", -5), (int, 5.0, 5), (int, 0, 0), (int, "0", 0), (int, 10**40, 10**40),
    (float, 1.5, 1.5), (float, "1.5", 1.5), (float, 2, 2.0), (float, "2", 2.0), (float, "1e3", 1000.0), (float, 0, 0.0),
    (bool, True, True), (bool, False, False), (bool, "true", True), (bool, "False", False),
    (str, "", ""), (str, "5", "5"),
    (int | None, None, None), (int | None, "5", 5), (int | None, 0, 0),
    (int | str, "5", "5"), (str | int, 5, 5), (int | float, 5, 5), (int | float, 1.5, 1.5), (int | float, "1.5", 1.5),
    (int | bool, True, True), (bool | int, 1, 1), (int | None | bool, "5", 5), (list[int] | list[str], ["5"], ["5"]),
    (list[int], [1, "2", 3.0], [1, 2, 3]), (tuple[int, str], ["1", "a"], (1, "a")), (set[int], ["1", 1], {1}),
    (dict[str, int], {"a": "1"}, {"a": 1}), (dict[int, int], {"1": 1}, {1: 1}), (dict, {"a": [None]}, {"a": [None]}),
    (list, [1, "a", None], [1, "a", None]), (Any, {"a": 0}, {"a": 0}), (JsonValue, [1, {"a": None}], [1, {"a": None}]),
    (Literal["a", "b"], "a", "a"), (Literal[1, 2], 1, 1), (Literal[1, 2], "2", 2), (Literal[1, "1"], "1", "1"),
    (Literal[True], "true", True), (Literal[1.5], 1.5, 1.5),
    (Side, "buy", Side.BUY), (Level, 1, Level.LOW), (Level, "2", Level.HIGH), (list[Side], ["sell"], [Side.SELL]),
    (Leg, {"ticker": "A", "quantity": "2"}, Leg(ticker="A", quantity=2)), (Row, {"n": "1"}, {"n": 1}),
    (Point, {"x": "1.5"}, Point(1.5)),
    (date, "2025-01-31", date(2025, 1, 31)), (datetime, "2025-01-31T10:00:00", datetime(2025, 1, 31, 10)),  # noqa: DTZ001
    (timedelta, "PT90S", timedelta(seconds=90)), (uuid.UUID, "00000000-0000-0000-0000-000000000001", uuid.UUID(int=1)),
    (Decimal, "0.10", Decimal("0.10")), (Decimal, 5, Decimal(5)), (bytes, "ab", b"ab"),
    (Sequence[int], ["1"], [1]), (Path, "a/b", Path("a/b")), (IPv4Address, "10.0.0.1", IPv4Address("10.0.0.1")),
    (deque[int], ["1"], deque([1])), (Mapping[str, int], {"a": "1"}, {"a": 1}),
    (PositiveInt, "7", 7), (Annotated[str, Field(max_length=2)], "ab", "ab"),
]  # fmt: skip

REFUSED = [
    (int, "42abc"), (int, True), (int, False), (int, 1.5), (int, "1.5"), (int, ""), (int, " 5"), (int, "1_000"),
    (int, "٣"), (int, None), (int, [1]), (int, float("nan")), (int, float("inf")), (int, "9" * 5000),
    (float, True), (float, "1.5kg"), (float, "nan"), (float, "inf"), (float, "1e999"), (float, float("inf")),
    (float, float("nan")), (float, 2**53 + 1), (float, 10**400), (float, ""), (float, "1_0.5"),
    (bool, 1), (bool, 0), (bool, "yes"), (bool, "on"), (bool, "1"), (bool, ""), (bool, None), (bool, 1.0),
    (str, 5), (str, True), (str, None), (str, ["a"]),
    (int | str, True), (int | None, "x"), (int | float, True), (bool | int, "yes"), (int | None, False),
    (list[int], [True]), (list[int], "1"), (list[int], {"0": 1}), (tuple[int, str], ["1"]),
    (dict[str, int], {"a": True}),
    (dict, {"a": float("nan")}), (list, [[float("inf")]]), (Any, float("nan")), (JsonValue, {"a": [float("inf")]}),
    (list[float], [float("inf")]), (dict, []), (list, {}),
    (Literal["a", "b"], "A"), (Literal["a"], True), (Literal[1, 2], True), (Literal[1], 1.5), (Literal[1, 2], "3"),
    (Literal[True], 1), (Literal[0], False), (MAYBE_ONE, "none"), (Side, "BUY"), (Side, 1),
    (Level, True), (Level, 3), (Level, "x"),
    (Leg, {"ticker": "A", "quantity": True}), (Leg, {"ticker": "A", "extra": 1}), (Leg, {}), (Leg, "A"),
    (Leg, {"ticker": "A", "legs": [{"ticker": "B", "extra": 1}]}),
    (Leg, {"ticker": "A", "legs": [{"ticker": "B", "quantity": 1.5}]}),
    (list[Leg], [{"ticker": "A", "quantity": "two"}]), (Row, {"n": 1, "m": 2}), (Row, {"n": True}),
    (Point, {"x": 1, "y": 2}),
    (Point, {"x": True}),
    (date, 5), (date, "1735603200"), (datetime, 1735603200), (datetime, "5.5"), (datetime, True),
    (timedelta, 90), (uuid.UUID, 1),
    (Decimal, True), (Decimal, "NaN"), (Decimal, float("inf")), (bytes, 5),
    (Sequence[str], "abc"), (Sequence[int], [True]), (Path, 5), (deque[int], [True]), (deque[int], "12"),
    (PositiveInt, "0"), (PositiveInt, -1), (Annotated[str, Field(max_length=2)], "abc"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "meant"), LOSSLESS)
def test_only_what_loses_nothing_is_coerced(kind, value, meant):
    got = bound(kind, value)

    assert got == meant
    assert type(got) is type(meant)


@pytest.mark.parametrize(("kind", "value"), REFUSED)
def test_what_would_lose_something_is_refused(kind, value):
    with pytest.raises(InvalidArguments, match=r"^x"):
        bound(kind, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (int, "5"), (int, 5.0), (int, True), (float, "1.5"), (bool, "true"), (list[int], ["1"]), (int | None, "5"),
        (Literal[1], "1"), (Level, "1"), (Leg, {"ticker": "A", "quantity": "2"}), (PositiveInt, "7"), (Row, {"n": "1"}),
        (int | float, "1.5"), (float, float("nan")), (float, float("inf")), (list[float], [float("inf")]),
    ],
)  # fmt: skip
def test_a_strict_action_coerces_nothing(kind, value):
    with pytest.raises(InvalidArguments):
        bound(kind, value, strict=True)


@pytest.mark.parametrize(
    ("kind", "value", "meant"),
    [
        (int, 5, 5), (float, 5, 5.0), (bool, False, False), (Side, "buy", Side.BUY), (Level, 1, Level.LOW),
        (tuple[int, int], [1, 2], (1, 2)), (date, "2025-01-31", date(2025, 1, 31)), (int | None, None, None),
        (Leg, {"ticker": "A"}, Leg(ticker="A")), (int | str, "5", "5"),
    ],
)  # fmt: skip
def test_a_strict_action_takes_what_is_exact(kind, value, meant):
    assert bound(kind, value, strict=True) == meant


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("arguments", "fits"),
    [
        ({"a": "x"}, True),
        ({"a": "x", "b": 2}, True),
        ({"b": 2}, False),
        ({}, False),
        ({"a": "x", "c": 1}, False),
    ],
)
def test_keys_are_all_known_and_none_without_a_default_is_missing(strict, arguments, fits):
    @action("F", strict=strict)
    def f(a: str, b: int = 1) -> None: ...

    if fits:
        bind(f, arguments)
    else:
        with pytest.raises(InvalidArguments):
            bind(f, arguments)


@pytest.mark.parametrize("arguments", [[], "x", None, 5, [["a", 1]]])
def test_arguments_that_are_no_object_are_refused(arguments):
    with pytest.raises(InvalidArguments, match=r"^arguments: an object is wanted"):
        bind(taking(int), arguments)


class Order(BaseModel):
    ticker: Annotated[str, Field(pattern="^[A-Z]{1,5}$")]
    legs: list[Leg] = []


@pytest.mark.parametrize(
    ("kind", "value", "line"),
    [
        (int, "42abc", 'x: an integer is wanted, got "42abc"'),
        (int, True, "x: an integer is wanted, got true"),
        (int, None, "x: an integer is wanted, got null"),
        (str, 5, "x: a text is wanted, got 5"),
        (str, {"a": 1}, "x: a text is wanted, got an object"),
        (float, float("inf"), "x: a finite number is wanted, got Infinity"),
        (int | None, "x", 'x: an integer is wanted, got "x"'),
        (int | str, True, "x: an integer is wanted or a text is wanted, got true"),
        (Literal["buy", "sell"], "hold", "x: 'buy' or 'sell' is wanted, got \"hold\""),
        (Side, "hold", "x: 'buy' or 'sell' is wanted, got \"hold\""),
        (PositiveInt, 0, "x: should be greater than 0, got 0"),
        (Order, {"ticker": "acme"}, "x.ticker: should match pattern '^[A-Z]{1,5}$', got \"acme\""),
        (Order, {"ticker": "A", "legs": [{}]}, "x.legs[0].ticker: is missing and has no default"),
        (Order, {"ticker": "A", "legs": [{"ticker": "A", "y": 1}]}, "x.legs[0].y: is unknown here"),
        (datetime, 5, "x: a date and time such as '2025-01-31T13:45:00Z' is wanted, got 5"),
        (int, "9" * 5000, 'x: an integer is wanted, got "' + "9" * 58 + "…"),
    ],
)
def test_the_model_reads_where_it_is_wrong_and_what_is_wanted(kind, value, line):
    with pytest.raises(InvalidArguments) as caught:
        bound(kind, value)

    assert str(caught.value) == line


@pytest.mark.parametrize("arguments", [{"\ud800": 1, "x": 1}, {"x": "\ud800"}, {"x": {"\udc00": 1}}])
def test_half_a_surrogate_pair_leaves_an_error_that_can_be_sent(arguments):
    with pytest.raises(InvalidArguments) as caught:
        bind(taking(int), arguments)

    assert str(caught.value).encode()


def test_every_problem_has_its_line():
    @action("F")
    def f(a: int, b: str) -> None: ...

    with pytest.raises(InvalidArguments) as caught:
        bind(f, {"a": "x", "c": 1})

    assert str(caught.value).split("\n") == [
        'a: an integer is wanted, got "x"',
        "b: is missing and has no default",
        "c: is unknown; known are a, b",
    ]


def test_an_action_without_parameters_says_so():
    @action("F")
    def f() -> None: ...

    with pytest.raises(InvalidArguments, match="c: is unknown: this action has no parameters"):
        bind(f, {"c": 1})


def test_a_thousand_problems_are_a_short_text():
    with pytest.raises(InvalidArguments) as caught:
        bind(taking(int), {"k" * 500 + str(n): "v" * 500 for n in range(1000)} | {"x": 1})

    assert len(str(caught.value)) < 3000
    assert str(caught.value).endswith("and 988 more problems")
    assert len(caught.value.flaws) == 100


def test_of_a_hundred_thousand_problems_none_is_looked_at():
    with pytest.raises(InvalidArguments) as caught:
        bind(taking(int), {f"k{n}": 1 for n in range(100_000)} | {"x": 1})

    assert str(caught.value) == "the arguments have 100,000 problems; known arguments are x"
    assert caught.value.flaws == ()


def test_a_model_as_arguments_is_dumped_with_what_was_set():
    class Given(BaseModel):
        x: str = "1"
        y: int = 5

    assert bind(taking(int), Given(x="7")).x == 7  # type: ignore[attr-defined]


def test_a_ready_model_is_as_strict_and_stays_unchanged():
    class Ready(BaseModel):
        n: int
        leg: Leg | None = None

    @action("F", params=Ready)
    def f(n, leg): ...

    for wrong in ({"n": True}, {"n": 1, "m": 1}, {"n": 1, "leg": {"ticker": "A", "z": 1}}):
        with pytest.raises(InvalidArguments):
            bind(f, wrong)
    assert type(bind(f, {"n": "1", "leg": {"ticker": "A"}})) is Ready
    assert Ready(n=True, m=1).n == 1  # type: ignore[call-arg]


def test_a_model_that_is_strict_itself_stays_strict():
    class Exact(BaseModel):
        model_config = ConfigDict(strict=True)
        n: int

    assert bound(Exact, {"n": 5}).n == 5
    with pytest.raises(InvalidArguments, match=r"x.n: an integer is wanted"):
        bound(Exact, {"n": "5"})


class Ignoring(BaseModel):
    model_config = ConfigDict(extra="ignore")
    n: int


class IgnoringRow(TypedDict):
    __pydantic_config__ = ConfigDict(extra="ignore")  # type: ignore[misc]
    n: int


@pydantic_dataclass(config=ConfigDict(extra="ignore"))
class IgnoringPoint:
    n: int


@pytest.mark.parametrize("kind", [Ignoring, IgnoringRow, IgnoringPoint, list[Ignoring], Ignoring | None])
def test_what_would_ignore_unknown_keys_refuses_them_here(kind):
    value = {"n": 1, "m": 2}
    with pytest.raises(InvalidArguments, match="m: is unknown here"):
        bound(kind, [value] if kind == list[Ignoring] else value)


@pytest.mark.parametrize("nested", [False, True])
def test_a_model_that_lets_unknown_keys_pass_is_refused_when_declared(nested):
    class Loose(BaseModel):
        model_config = ConfigDict(extra="allow")
        n: int = 0

    with pytest.raises(DeclarationError, match="Loose lets unknown keys pass"):
        taking(list[Loose] if nested else Loose)


def test_a_models_own_validator_words_its_error():
    class Even(BaseModel):
        n: int

        @field_validator("n")
        @classmethod
        def _even(cls, n: int) -> int:
            if n % 2:
                raise ValueError("only even numbers")
            return n

    with pytest.raises(InvalidArguments, match=r"^x.n: only even numbers, got 3$"):
        bound(Even, {"n": 3})


def test_a_validator_that_breaks_refuses_the_call_without_its_text():
    class Broken(BaseModel):
        n: int

        @field_validator("n")
        @classmethod
        def _broken(cls, n: int) -> int:
            raise KeyError("the secret")

    with pytest.raises(InvalidArguments) as caught:
        bound(Broken, {"n": 3})

    assert str(caught.value) == "the arguments could not be checked (KeyError)"


def test_a_mutable_default_is_not_shared_between_calls():
    @action("F")
    def f(x: list[int] = []): ...  # noqa: B006

    bind(f, {}).x.append(1)  # type: ignore[attr-defined]

    assert bind(f, {}).x == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "name", ["copy", "json", "schema", "model_x", "model_dump_all", "type", "default", "fields", "dict"]
)
def test_a_parameter_may_have_any_name(name):
    scope: dict[str, Any] = {}
    exec(f"def f({name}: int) -> int: return {name}", scope)
    f = action("F")(scope["f"])

    assert f.invoke(bind(f, {name: "5"}), None) == 5  # type: ignore[arg-type]
    with pytest.raises(InvalidArguments):
        bind(f, {name: True})


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KINDS = [
    int,
    float,
    bool,
    str,
    int | str | None,
    list[int],
    dict[str, float],
    Leg,
    Literal[1, "a"],
    Any,
    Level,
    date,
]
ACTIONS = [taking(kind, strict=strict) for kind in KINDS for strict in (False, True)]


@given(st.sampled_from(ACTIONS), ANYTHING)
def test_any_arguments_bind_or_are_invalid(one, value):
    told = "x"
    try:
        bind(one, {"x": value})
    except InvalidArguments as error:
        told = str(error)

    assert told.startswith("x")
