from __future__ import annotations

from typing import Any

import pytest

from actions.definition import Action, action
from actions.errors import DeclarationError, InvalidArguments
from actions.params import bind
from actions.similar_keys import under_own_keys


def taking(similar_keys: Any) -> Action:
    @action("PAY", similar_keys=similar_keys)
    def pay(to: str, amount: int, userName: str = "", start_date: str = "", start_time: str = "") -> None: ...  # noqa: N803

    return pay


EXACT, SIMILAR = (taking(each) for each in (False, True))


@pytest.mark.parametrize(
    ("given", "kept"), [(False, None), (None, None), (True, 0.9), ("form", "form"), (0.9, 0.9), (1, 1.0)]
)
def test_it_is_off_unless_it_is_declared(given, kept):
    assert taking(given).similar_keys == kept


@pytest.mark.parametrize("wrong", ["yes", 0, -1, 1.5, float("nan"), [], "jaro_winkler"])
def test_anything_else_is_refused_when_declared(wrong):
    with pytest.raises(DeclarationError, match="PAY: similar_keys has to be"):
        taking(wrong)


def test_without_it_keys_are_taken_as_they_are():
    given = {"too": "Ada", "amonut": 5}

    assert under_own_keys(EXACT, given) == (given, ())
    with pytest.raises(InvalidArguments):
        bind(EXACT, given)


def test_unknown_keys_mean_the_parameters_that_they_are_like_and_it_is_told():
    arguments, told = under_own_keys(SIMILAR, {"to": "Ada", "amonut": "5", "user_name": "a"})

    assert arguments == {"to": "Ada", "amount": "5", "userName": "a"}
    assert told == ("amonut read as amount", "user_name read as userName")
    assert bind(SIMILAR, arguments).amount == 5  # type: ignore[attr-defined]


def test_the_form_may_differ_and_nothing_else():
    own = taking("form")

    assert under_own_keys(own, {"To": "Ada", "amonut": 5, "user-name": "a"})[0] == {
        "to": "Ada", "amonut": 5, "userName": "a",
    }  # fmt: skip


def test_what_lies_deeper_is_left_alone():
    assert under_own_keys(SIMILAR, {"to": {"amonut": 1}})[0] == {"to": {"amonut": 1}}


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"amount": 1, "amonut": 2}, "amonut: is unknown and seems to mean amount, which is given already"),
        ({"AMOUNT": 1, "Amount": 2}, "Amount: is unknown, and so is another key that could mean amount"),
        ({"amonut": 1, "amuont": 2}, "amuont: is unknown and seems to mean amount, which is given already"),
    ],
)
def test_two_keys_for_one_parameter_are_refused_with_both_names(given, line):
    for some in (given, dict(reversed(given.items()))):
        with pytest.raises(InvalidArguments) as caught:
            under_own_keys(SIMILAR, some)
        assert line in str(caught.value)
        assert caught.value.flaws


def test_one_key_for_two_parameters_is_refused_with_both_names():
    @action("TWICE", similar_keys=True)
    def twice(userName: str = "", user_name: str = "") -> None: ...  # noqa: N803

    with pytest.raises(InvalidArguments, match="username: is unknown and could mean userName or user_name"):
        under_own_keys(twice, {"username": "a"})


def test_a_parameter_that_something_else_fills_is_given_already():
    with pytest.raises(InvalidArguments, match="seems to mean amount, which is given already"):
        under_own_keys(SIMILAR, {"amonut": 2}, {"amount": "QUOTE.price"})


@pytest.mark.parametrize("key", ["start_dat_x", "start", "date", "from", "totals"])
def test_what_is_not_surely_meant_stays_unknown(key):
    assert under_own_keys(SIMILAR, {key: 1}) == ({key: 1}, ())


def test_keys_without_end_are_refused_in_short():
    arguments, told = under_own_keys(SIMILAR, {"k" * 100_000 + str(n): 1 for n in range(50)})

    assert len(arguments) == 50
    assert told == ()
