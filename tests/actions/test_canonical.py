"""canonical: equal values share one text, different ones never do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AliasChoices,
    AliasPath,
    AnyUrl,
    BaseModel,
    Field,
    SecretBytes,
    SecretStr,
    field_serializer,
)

from actions.canonical import canonical, plain
from actions.definition import action
from actions.params import bind


class Colour(Enum):
    RED = 1


class Part(BaseModel):
    when: date
    count: int = Field(1, alias="COUNT")


class Shy(BaseModel):
    word: str

    @field_serializer("word")
    def hidden(self, _: str) -> str:
        return "..."


@dataclass
class Point:
    x: int
    pin: SecretStr


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "null"), (1, "1"), (1.0, "1"), (-0.0, "0"), (1.5, "1.5"), ([{"a": 2.0}], '[{"a":2}]'),
        (True, "true"), ("ä", '"\\u00e4"'),
        ({"b": 1, "a": [2]}, '{"a":[2],"b":1}'),
        ({2, 10, 1}, "[1,10,2]"), ((1, 2), "[1,2]"), (Colour.RED, "1"), (date(2025, 1, 31), '"2025-01-31"'),
        (SecretStr("s"), '"s"'), (SecretBytes(b"s"), '"s"'), (Shy(word="w"), '{"word":"w"}'),
        (Part(when=date(2025, 1, 1), COUNT=2), '{"COUNT":2,"when":"2025-01-01"}'),
        (Point(1, SecretStr("p")), '{"pin":"p","x":1}'), ({1: "a"}, '{"1":"a"}'), ({Colour.RED: 1}, '{"1":1}'),
    ],
)  # fmt: skip
def test_a_value_has_one_text(value, told):
    assert canonical(value) == told


@given(st.dictionaries(st.text(), st.integers(), max_size=5))
def test_the_order_of_keys_does_not_matter(value):
    assert canonical(dict(reversed(value.items()))) == canonical(value)


def test_two_secrets_never_look_the_same():
    assert canonical({"pin": SecretStr("1")}) != canonical({"pin": SecretStr("2")})


@pytest.mark.parametrize("strict", [False, True])
def test_params_become_arguments_that_give_the_same_params(strict):
    @action("X", strict=strict)
    def handler(
        day: date,
        colour: Colour,
        pin: SecretStr,
        part: Part,
        number: UUID,
        price: Decimal,
        length: timedelta,
        several: set[int],
        named: dict[str, Part],
        choice: Literal["a", 1],
        where: AnyUrl,
        maybe: int | None = None,
    ) -> None: ...

    arguments = {
        "day": "2025-01-31", "colour": 1, "pin": "x", "part": {"when": "2025-01-01", "COUNT": 3},
        "number": "00000000-0000-0000-0000-000000000001", "price": "1.50", "length": "PT1H", "several": [3, 1],
        "named": {"k": {"when": "2025-01-01"}}, "choice": "a", "where": "http://x/",
    }  # fmt: skip
    params = bind(handler, arguments)

    assert bind(handler, plain(params)) == params


def test_a_field_with_several_keys_has_the_first_that_is_one():
    class Letter(BaseModel):
        to: str = Field(validation_alias=AliasChoices(AliasPath("who", 0), "recipient", "to_whom"))
        at: str = Field("", validation_alias=AliasPath("when", 0))

    assert plain(Letter.model_validate({"to_whom": "bob"})) == {"recipient": "bob", "at": ""}


def test_what_a_model_takes_beside_its_fields_counts_too():
    class Open(BaseModel, extra="allow"):
        a: int = 0

    assert canonical(Open(a=1, b=2)) == '{"a":1,"b":2}' != canonical(Open(a=1, b=3))
