"""What the model reads of arguments that do not fit: short whatever comes, and without secrets."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import BaseModel, SecretStr

from actions.definition import Action, action
from actions.errors import InvalidArguments
from actions.params import bind
from actions.takes import LONGEST, takes

MANY = Literal[tuple(f"value_number_{n}" for n in range(500))]  # type: ignore[valid-type]
NUMBERS = Literal[tuple(range(5_000))]  # type: ignore[valid-type]


class Row(BaseModel):
    ticker: str
    quantity: int


class Login(BaseModel):
    code: SecretStr
    user: str


@action("TAKE")
def take(
    name: str = "",
    number: int = 0,
    word: MANY = "value_number_0",
    digit: NUMBERS = 0,
    rows: list[Row] = [],  # noqa: B006
    login: Login | None = None,
    pin: SecretStr | None = None,
) -> None: ...


def refusal(arguments, by: Action = take) -> InvalidArguments:
    with pytest.raises(InvalidArguments) as caught:
        bind(by, arguments)
    return caught.value


BIG = "v" * 100_000


@pytest.mark.parametrize(
    "arguments",
    [
        {f"key_{n}": BIG for n in range(1_000)},
        {f"{BIG}{n}": 1 for n in range(20)},
        {"rows": [{"ticker": n, "quantity": BIG} for n in range(1_000)]},
        {"rows": [{"ticker": "A", "quantity": 1, f"k{n}": BIG} for n in range(1_000)]},
        {"number": BIG, "word": BIG, "digit": BIG, "name": 5},
        {"number": "€" * 100_000, "word": "€" * 100_000, **{"€" * 500 + str(n): 1 for n in range(50)}},
        {"number": 10**4_000, "digit": -1, "name": [BIG] * 100},
        {"number": {"a": BIG}, "rows": BIG},
    ],
    ids=["keys", "long keys", "rows", "keys of rows", "values", "wide characters", "numbers", "shapes"],
)
def test_it_is_short_however_much_is_wrong(arguments):
    text = str(refusal(arguments))

    assert len(text.encode()) <= 1_500
    assert BIG[:200] not in text


def test_it_says_where_and_what_is_allowed():
    text = str(refusal({"rows": [{"ticker": "A", "quantity": "many"}], "word": "x", "colour": 1}))

    assert 'rows[0].quantity: an integer is wanted, got "many"' in text
    assert "word: 'value_number_0', 'value_number_1'" in text
    assert "colour: is unknown; known are name, number, word, digit, rows, login, pin" in text


def test_which_keys_are_known_is_told_once():
    text = str(refusal({"a": 1, "b": 2, "c": 3}))

    assert text.count("known are") == 1
    assert "b: is unknown\n" in text


@pytest.mark.parametrize(
    "arguments", [{"pin": ["hunter2"]}, {"pin": 1234567}, {"login": {"user": 1, "code": 1234567}}]
)
def test_a_secret_is_not_shown(arguments):
    text = str(refusal(arguments))

    assert "got a secret" in text
    assert "hunter2" not in text
    assert "1234567" not in text


def test_what_an_action_takes_is_one_short_sentence():
    told = takes(take)

    assert told.startswith(
        "TAKE takes name (text, may be left out), number (integer, may be left out), word ("
    )
    assert "rows (list of object, may be left out)" in told
    assert len(told) <= LONGEST


def test_what_is_needed_comes_without_a_word():
    @action("PAY")
    def pay(
        to: str, amount: float, currency: Literal["EUR", "USD"] = "EUR", note: str | None = None
    ) -> None: ...

    assert takes(pay) == (
        'PAY takes to (text), amount (number), currency ("EUR" or "USD", may be left out), '
        "note (text or null, may be left out)"
    )


def test_an_action_without_parameters_takes_none():
    @action("PING")
    def ping() -> None: ...

    assert takes(ping) == "PING takes no arguments"


def test_of_many_parameters_the_rest_is_counted():
    fields = {f"a_rather_long_name_of_a_parameter_{n}": (int, 0) for n in range(100)}
    from pydantic import create_model

    @action("MANY", params=create_model("Many", **fields))  # type: ignore[call-overload]
    def many(params) -> None: ...

    assert len(takes(many)) <= LONGEST
    assert takes(many).endswith(" more")
