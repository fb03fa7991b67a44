from __future__ import annotations

import itertools
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.errors import ConfigError, DeclarationError
from actions.likeness import ALGORITHMS, LONGEST, MOST, match, measure_of, same_form, words


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("start_date", ["start", "date"]),
        ("startDate2", ["start", "date", "2"]),
        ("Start-Date", ["start", "date"]),
        ("HTTPServerURL", ["http", "server", "url"]),
        ("höhe_cm", ["höhe", "cm"]),
        ("___", []),
    ],
)
def test_a_key_has_words(key, parts):
    assert words(key) == parts


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_measure_knows_the_same_and_the_wholly_different(name):
    measure = measure_of(name)

    assert measure("amount", "amount") == pytest.approx(1)
    assert measure("amount", "zzz") == 0
    assert 0.5 < measure("amount", "amoumt") < 1
    assert measure("amount", "amoumt") == measure("amoumt", "amount")


@pytest.mark.parametrize(
    ("given_key", "wanted", "meant"),
    [
        ("tickr", "ticker", True),
        ("userName", "user_name", True),
        ("USER-NAME", "user_name", True),
        ("usrname", "user_name", True),
        ("max_result", "max_results", True),
        ("start_date", "start_time", False),
        ("from_account", "to_account", False),
        ("amount_min", "amount_max", False),
        ("line1", "line2", False),
        ("qty", "quantity", False),
    ],
)
def test_one_word_that_differs_is_enough_to_mean_something_else(given_key, wanted, meant):
    assert match([given_key], [wanted]).pairs == ({given_key: wanted} if meant else {})


def test_who_is_careful_matches_no_other_number_of_words_unless_only_the_form_differs():
    keys = ["price", "userid"]

    assert match(keys, ["price_eur", "user_id"]).pairs == {"price": "price_eur", "userid": "user_id"}
    assert match(keys, ["price_eur", "user_id"], careful=True).pairs == {"userid": "user_id"}


def test_the_most_alike_are_paired_first_and_each_once():
    found = match(["colour", "colours"], ["color", "colors"])

    assert found.pairs == {"colour": "color", "colours": "colors"}


@pytest.mark.parametrize(
    ("keys", "wanted", "ambiguous"),
    [
        (["nme"], ["name", "nmae"], None),
        (["user_Id", "userId"], ["user_id"], {"userId": ("user_id",), "user_Id": ("user_id",)}),
        (["userid"], ["userId", "user_id"], {"userid": ("userId", "user_id")}),
    ],
)
def test_what_is_just_as_good_as_another_is_not_taken(keys, wanted, ambiguous):
    found = match(keys, wanted)

    if ambiguous is None:
        assert found.pairs.keys() | found.ambiguous.keys() == set(keys)
    else:
        assert (found.pairs, found.ambiguous) == ({}, ambiguous)


def test_no_second_best_is_taken_in_place_of_what_is_uncertain():
    assert match(["userid"], ["userId", "user_id", "userids"]).pairs == {}
    assert match(["userId", "user_id"], ["userid", "userids"]).pairs == {}
    assert match(["userid"], ["userids"]).pairs == {"userid": "userids"}


def test_the_order_of_keys_changes_nothing():
    keys, wanted = ["tickr", "tiker", "amout", "noet"], ["ticker", "amount", "note", "notes"]
    found = {
        repr(match(some, other))
        for some in itertools.permutations(keys)
        for other in itertools.permutations(wanted)
    }

    assert len(found) == 1


KEYS = st.lists(st.text("abAB_1", max_size=6), max_size=5)


@given(KEYS, KEYS, st.sampled_from(ALGORITHMS), st.floats(0, 1))
def test_every_pair_is_made_of_what_was_given_and_none_twice(keys, wanted, name, threshold):
    found = match(keys, wanted, name, threshold)

    assert found == match(keys[::-1], wanted[::-1], name, threshold)
    assert set(found.pairs) <= set(keys)
    assert set(found.pairs.values()) <= set(wanted)
    assert len(set(found.pairs.values())) == len(found.pairs)
    assert not found.pairs.keys() & found.ambiguous.keys()


def test_a_function_has_the_last_word():
    assert match(["a_b"], ["x_y"], lambda one, other: 0.9).pairs == {"a_b": "x_y"}
    assert match(["start_date"], ["start_time"], lambda one, other: 0.9).pairs == {"start_date": "start_time"}


@pytest.mark.parametrize("wrong", [None, "x", True, float("nan"), float("inf")])
def test_a_function_has_to_return_a_number(wrong):
    with pytest.raises(DeclarationError, match="has to return a number"):
        match(["a"], ["b"], lambda one, other: wrong)


def test_the_form_alone():
    assert match(["userName"], ["user_name"], same_form).pairs == {"userName": "user_name"}
    assert match(["userNam"], ["user_name"], same_form).pairs == {}


def test_an_unknown_measure_is_refused():
    with pytest.raises(DeclarationError, match="'soundex' is no measure of likeness: jaro_winkler"):
        measure_of("soundex")


def test_long_keys_and_crowds_are_not_compared():
    assert match(["a" * LONGEST + "b"], ["a" * LONGEST]).pairs == {}
    crowd = [f"key_{number}x" for number in range(MOST)]
    assert match(crowd, ["key_1", "key_2"]).pairs == {}


def test_what_is_not_installed_is_told_in_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "rapidfuzz.distance", None)

    with pytest.raises(ConfigError, match=r"this needs rapidfuzz.*umbel\[worker\]"):
        measure_of("jaro_winkler")
    assert measure_of("sequence_matcher")("a", "a") == 1
