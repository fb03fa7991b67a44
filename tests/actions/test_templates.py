"""templates: keys of limits and locks, and what a value may not do to them."""

from __future__ import annotations

import re
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from actions.errors import DeclarationError
from actions.templates import EVERYTHING, PARAMETER, PRINCIPAL, TENANT, Template, word

OWNED = {"action": "BUY", "principal": "ann", "tenant": "acme", "conversation": "conv_a1"}


class Side(Enum):
    BUY = "buy"


def test_placeholders_are_filled_by_the_run_and_its_arguments():
    template = Template.read("orders:{principal}:{ticker}:{params.count}-{action}")

    assert template.expand(OWNED, {"ticker": "ACME", "count": 3}) == "orders:ann:ACME:3-BUY:~acme"


def test_a_principal_is_somebody_within_a_tenant():
    template, plain = Template.read("orders:{principal}"), Template.read("orders:{ticker}")
    of = [template.expand(OWNED | {"tenant": tenant}, {}) for tenant in (None, "", "acme", "acme2")]

    assert of == ["orders:ann", "orders:ann", "orders:ann:~acme", "orders:ann:~acme2"]
    assert plain.expand(OWNED, {"ticker": "X"}) == "orders:X"
    assert plain.expand(OWNED, {"ticker": "X"}, apart=True) == "orders:X:~acme"


def test_what_the_server_owns_wins_over_an_argument_of_the_same_name():
    arguments = {"principal": "mallory", "tenant": "other"}

    assert Template.read("{principal}:{tenant}").expand(OWNED, arguments) == "ann:acme"
    assert Template.read("{params.principal}").expand(OWNED, arguments) == "mallory"


def test_who_is_not_named_has_a_place_of_its_own():
    nobody = dict.fromkeys(OWNED)

    assert Template.read("{principal}:{tenant}").expand(nobody, {}) == "-:-"
    assert word("-") != "-"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("ann", "ann"), ("a.b_c~d-e@f", "a.b_c~d-e@f"), ("a b", "a%20b"), ("a:b", "a%3Ab"), ("a/b", "a%2Fb"),
        ("", ""), ("%", "%25"), ("ä", "%C3%A4"), (5, "5"), (True, "true"), (None, "-"), (Side.BUY, "buy"),
        (SecretStr("s"), "s"), ("~x", "%7Ex"), ([1, "a"], "%5B1%2C%22a%22%5D"),
    ],
)  # fmt: skip
def test_a_value_is_quoted(value, told):
    assert word(value) == told


@given(st.text())
def test_no_value_puts_a_space_a_colon_or_a_line_into_a_key(value):
    assert re.fullmatch(r"[A-Za-z0-9._~@%-]{0,66}", word(value))


@given(st.text(max_size=80), st.text(max_size=80))
def test_different_values_give_different_words(one, another):
    assert (word(one) == word(another)) is (one == another)


@pytest.mark.parametrize("value", ["x" * 65, "ä" * 30, "x" * 10_000, "\ud800" * 70])
def test_a_long_value_becomes_its_digest(value):
    told = word(value)

    assert re.fullmatch(r"~[0-9a-f]{32}", told)
    assert told == word(value)
    assert told != word(value + "x")
    assert word(told) != told  # nobody imitates the digest of another's value


def test_a_value_cannot_reach_into_its_neighbour():
    template = Template.read("{a}:{b}")

    assert template.expand({}, {"a": "x:y", "b": "z"}) != template.expand({}, {"a": "x", "b": "y:z"})


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("orders", EVERYTHING), ("{action}", EVERYTHING), ("{tenant}", TENANT), ("{principal}", PRINCIPAL),
        ("{principal}:{tenant}", PRINCIPAL), ("{conversation}", PARAMETER), ("{ticker}", PARAMETER),
        ("{tenant}:{ticker}", PARAMETER), ("{params.tenant}", PARAMETER), ("", EVERYTHING),
    ],
)  # fmt: skip
def test_a_key_is_as_narrow_as_its_narrowest_placeholder(text, scope):
    assert Template.read(text).scope == scope


@pytest.mark.parametrize(
    "text",
    [
        "a b",
        "a{",
        "a}",
        "{}",
        "{{a}}",
        "{a.b}",
        "{params.a.b}",
        "{a!r}",
        "{0}",
        "a%",
        "a\n",
        "ä",
        "{a",
        None,
        5,
    ],
)
def test_what_no_key_can_be_is_refused_when_declared(text):
    with pytest.raises(DeclarationError, match="key"):
        Template.read(text)


def test_an_unknown_placeholder_is_refused_with_those_there_are():
    with pytest.raises(DeclarationError, match=r"BUY: the key .* names tickr; .*principal.*ticker"):
        Template.read("{tickr}").check("BUY", ["ticker"])
    with pytest.raises(DeclarationError, match="names principal"):
        Template.read("{params.principal}").check("BUY", ["ticker"])
    Template.read("{params.ticker}:{ticker}:{conversation}").check("BUY", ["ticker"])


@pytest.mark.parametrize(
    ("one", "another", "same"),
    [
        ("orders:{principal}", "orders:{ticker}", True),
        ("orders:all", "orders:{ticker}", True),
        ("orders:all", "orders:some", False),
        ("orders:{a}:x", "orders:{b}:y", False),
        ("orders:{a}", "orders:{a}:{b}", False),
        ("orders:{a}", "stock:{a}", False),
        ("orders", "orders", True),
        ("orders:a{b}", "orders:{b}c", True),
    ],
)
def test_two_templates_are_known_to_meet_or_not(one, another, same):
    assert Template.read(one).may_equal(Template.read(another)) is same
    assert Template.read(another).may_equal(Template.read(one)) is same
