from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel

from actions.errors import DeclarationError
from orchestrator.outputs import KeyRules, UnfitOutput, parse_text


class Line(BaseModel):
    unit_price: float
    quantity: int = 1


class Order(BaseModel):
    customer: str
    side: Literal["buy", "sell"] = "buy"
    lines: list[Line] = []
    by_name: dict[str, Line] = {}
    first: Line | None = None


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")


class Aliased(BaseModel):
    first_name: str = Field(alias="firstName")


Numbers = RootModel[list[int]]


def parsed(text: str, target: Any, **rules: Any) -> Any:
    return parse_text(text, target, KeyRules(**{"handle_unmatched": "force", **rules})).value


def test_a_text_becomes_an_instance_with_everything_that_was_mended_told():
    found = parse_text('Here: {"custmer": "Ada", "side": "sell",}', Order)

    assert found.value == Order(customer="Ada", side="sell")
    assert found.mended == ("text around it", "trailing comma")
    assert found.renamed == {"custmer": "customer"}


def test_values_are_coerced_without_loss():
    order = parsed(
        '{"customer": "Ada", "lines": "[{\\"unit_price\\": \\"1.5\\", \\"quantity\\": \\"2\\"}]"}', Order
    )

    assert order.lines == [Line(unit_price=1.5, quantity=2)]


def test_keys_of_models_inside_are_matched_too():
    text = (
        '{"Customer": "Ada", "lines": [{"unitPrice": 1, "note": "x"}], "by_name": {"x": {"unit-price": 2}}, '
        '"first": {"unit_prise": 3}}'
    )

    order = parsed(text, Order)

    assert (order.lines[0].unit_price, order.by_name["x"].unit_price, order.first.unit_price) == (1, 2, 3)


@pytest.mark.parametrize("policy", ["ignore", "remove", "fill", "force"])
def test_surplus_keys_of_a_model_are_dropped(policy):
    assert parsed('{"customer": "Ada", "x": 1}', Order, handle_unmatched=policy) == Order(customer="Ada")


@pytest.mark.parametrize(
    "text", ['{"customer": "A", "x": 1}', '{"customer": "A", "first": {"unit_price": 1, "x": 1}}']
)
def test_unless_they_are_to_raise(text):
    with pytest.raises(UnfitOutput, match="not expected: x"):
        parsed(text, Order, handle_unmatched="raise")


def test_only_what_has_no_default_is_filled_by_value_and_anything_by_name():
    assert parsed("{}", Order, fill_value="nobody") == Order(customer="nobody")
    assert parsed("{}", Order, fill_mapping={"customer": "Bob", "side": "sell"}) == Order(
        customer="Bob", side="sell"
    )
    with pytest.raises(UnfitOutput, match="customer: is missing"):
        parsed("{}", Order)


def test_of_keys_an_object_is_made():
    assert parsed('{"nmae": "Ada", "x": 1}', ["name", "age"]) == {"name": "Ada", "age": None}


def test_an_alias_is_the_key():
    assert parsed('{"first_name": "Ada"}', Aliased).first_name == "Ada"


def test_a_model_may_be_a_list():
    assert parsed("The numbers: [1, 2]", Numbers).root == [1, 2]


@pytest.mark.parametrize(
    ("text", "why", "found"),
    [
        ("no object", "there is no JSON object", None),
        ('{"customer": 5}', "customer: a text is wanted, got 5", {"customer": 5}),
        (
            '{"customer": "A", "side": "hold"}',
            "side: 'buy' or 'sell' is wanted",
            {"customer": "A", "side": "hold"},
        ),
        (
            '{"customer": "A", "lines": [{"unit_price": "42abc"}]}',
            r"lines\[0\].unit_price: a number is wanted",
            ...,
        ),
        ('{"customer": "A", "first": {"unit_price": true}}', "first.unit_price: a number is wanted", ...),
    ],
)
def test_what_does_not_fit_says_where_and_why(text, why, found):
    with pytest.raises(UnfitOutput, match=why) as caught:
        parsed(text, Order)

    assert isinstance(caught.value, ValueError)
    assert found is ... or caught.value.found == found


def test_the_reason_is_short_whatever_comes():
    with pytest.raises(UnfitOutput) as caught:
        parsed(
            '{"customer": "A", "lines": [' + ",".join(['{"quantity": "' + "x" * 900 + '"}'] * 900) + "]}",
            Order,
        )

    assert len(str(caught.value).encode()) < 2_000


def test_what_stands_in_thoughts_is_no_answer():
    text = '<think>Perhaps {"customer": "Bob"}?</think>{"customer": "Ada"}'

    assert parsed(text, Order) == Order(customer="Ada")


def test_what_looks_like_a_call_behind_thoughts_is_an_answer():
    text = '<think>{"x": 1}</think>{"name": "SAVE", "arguments": {}}'

    assert parsed(text, ["name", "arguments"]) == {"name": "SAVE", "arguments": {}}


def test_a_model_that_lets_everything_pass_is_refused():
    with pytest.raises(DeclarationError, match="Loose lets unknown keys pass"):
        parsed("{}", Loose)


@pytest.mark.parametrize("target", ["name", 5, None, int])
def test_what_is_no_form_is_refused(target):
    with pytest.raises(DeclarationError, match="a list of keys, a mapping or a pydantic model is wanted"):
        parsed("{}", target)
