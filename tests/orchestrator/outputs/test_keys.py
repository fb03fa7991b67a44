from __future__ import annotations

import itertools
from typing import Any

import pytest
from pydantic import BaseModel, Field

from actions.errors import DeclarationError
from actions.likeness import ALGORITHMS
from orchestrator.outputs import KeyRules, UnfitKeys, match_keys


class Person(BaseModel):
    name: str
    age: int = Field(0, validation_alias="years")


def matched(given: dict[str, Any], expected: Any, **rules: Any) -> dict[str, Any]:
    return match_keys(given, expected, KeyRules(**rules)).value


GIVEN = {"nmae": "Ada", "colour": "red"}
POLICIES = [
    ("ignore", {"name": "Ada", "colour": "red"}),
    ("remove", {"name": "Ada"}),
    ("fill", {"name": "Ada", "age": None, "colour": "red"}),
    ("force", {"name": "Ada", "age": None}),
]


@pytest.mark.parametrize(("policy", "value"), POLICIES)
def test_each_policy_deals_with_surplus_and_missing_keys(policy, value):
    assert matched(GIVEN, ["name", "age"], handle_unmatched=policy) == value


def test_raise_minds_surplus_keys_and_no_missing_ones():
    with pytest.raises(UnfitKeys, match="not expected: colour"):
        matched(GIVEN, ["name", "age"], handle_unmatched="raise")
    assert matched({"name": "Ada"}, ["name", "age"], handle_unmatched="raise") == {"name": "Ada"}


@pytest.mark.parametrize("policy", ["fill", "force"])
def test_a_mapping_fills_before_the_value_does(policy):
    value = matched(
        {}, ["a", "b"], handle_unmatched=policy, fill_value=0, fill_mapping={"b": [1]}
    )  # fmt: skip

    assert value == {"a": 0, "b": [1]}


@pytest.mark.parametrize("policy", ["ignore", "remove", "raise", "fill", "force"])
def test_strict_minds_a_missing_key_even_if_it_would_be_filled(policy):
    with pytest.raises(UnfitKeys, match="missing: age"):
        matched(
            {"name": "Ada"}, ["name", "age"], handle_unmatched=policy, strict=True, fill_mapping={"age": 1}
        )


def test_what_is_equal_goes_before_what_is_alike():
    assert matched({"nmae": 1, "name": 2}, ["name"], handle_unmatched="remove") == {"name": 2}


@pytest.mark.parametrize(
    "expected",
    [["name", "years"], ("name", "years"), {"name": str, "years": int}, {"name": 1, "years": 2}.keys(), Person,
     Person(name="a", years=1), (key for key in ("name", "years"))],  # type: ignore[call-arg]
    ids=["list", "tuple", "mapping", "keys", "model", "instance", "generator"],
)  # fmt: skip
def test_keys_may_come_in_any_form(expected):
    assert matched({"Name": "Ada", "yaers": 36}, expected) == {"name": "Ada", "years": 36}


@pytest.mark.parametrize("wrong", ["name", 5, None, [1], [["a"]], b"name"])
def test_what_holds_no_keys_is_refused(wrong):
    with pytest.raises((DeclarationError, TypeError)):
        matched({}, wrong)


def test_the_order_of_keys_changes_nothing():
    given = {"nmae": 1, "naem": 2, "adress": 3, "adresss": 4, "x": 5}
    found = {
        tuple(sorted(matched({key: given[key] for key in keys}, wanted).items()))
        for keys in itertools.permutations(given)
        for wanted in (["name", "address", "addresses"], ["addresses", "address", "name"])
    }

    assert len(found) == 1


def test_dates_do_not_become_times():
    assert matched({"start_date": 1}, ["start_time"]) == {"start_date": 1}


def test_two_that_are_just_as_good_are_both_left_and_strict_minds():
    given = {"user_Name": 1, "userName": 2}

    found = match_keys(given, ["user_name"])

    assert found.value == given
    assert found.ambiguous == {"userName": ("user_name",), "user_Name": ("user_name",)}
    with pytest.raises(UnfitKeys, match="could mean user_name"):
        matched(given, ["user_name"], strict=True)


def test_it_tells_what_it_did():
    found = match_keys({"nmae": 1, "x": 2}, ["name", "age"], KeyRules(handle_unmatched="force"))

    assert (found.renamed, found.missing, found.surplus) == ({"nmae": "name"}, ("age",), ("x",))


def test_without_likeness_keys_have_to_be_equal():
    assert matched({"nmae": 1}, ["name"], fuzzy=False) == {"nmae": 1}


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_measure_may_be_asked_for(name):
    assert matched({"amoumt": 1}, ["amount"], similarity=name, threshold=0.7) == {"amount": 1}
    assert matched({"zzz": 1}, ["amount"], similarity=name, threshold=0.7) == {"zzz": 1}


def test_a_function_may_measure():
    assert matched({"a": 1}, ["zz"], similarity=lambda one, other: 1) == {"zz": 1}


def test_the_threshold_counts():
    assert matched({"nme": 1}, ["name"], threshold=0.99) == {"nme": 1}
    assert matched({"nme": 1}, ["name"], threshold=0) == {"name": 1}


@pytest.mark.parametrize(
    "rules",
    [
        {"threshold": 1.1}, {"threshold": -0.1}, {"threshold": float("nan")}, {"threshold": "high"},
        {"threshold": True},
        {"similarity": "soundex"}, {"similarity": None}, {"handle_unmatched": "drop"}, {"handle_unmatched": None},
        {"fill_mapping": [1]},
    ],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused(rules):
    with pytest.raises(DeclarationError):
        KeyRules(**rules)


def test_a_filling_for_a_key_that_nobody_expects_is_refused():
    with pytest.raises(DeclarationError, match="fill_mapping names agee"):
        matched({}, ["age"], fill_mapping={"agee": 1})
