from __future__ import annotations

from typing import Any

import pytest

from actions.definition import action
from actions.errors import DeclarationError, UnknownAction
from actions.registry import Registry


def declared(name="X", **fields: Any):
    return action(name, **fields)(lambda a=0: None)


def test_a_model_may_call_whatever_does_not_say_otherwise():
    one = declared()

    assert (one.user_only, one.evaluates, one.offered) == (False, None, True)


def test_what_is_for_people_is_never_offered_to_a_model():
    people, models = declared("ACCEPT", user_only=True), declared("PROPOSE")
    registry = Registry([people, models])

    assert people.offered is False
    assert registry.select(spec=True) == (models,)
    assert registry.select("PROPOSE") == (models,)
    for spec in ("ACCEPT", ["PROPOSE", "accept"], people, people.handler):
        with pytest.raises(TypeError, match="ACCEPT is not for models"):
            registry.select(spec)
    assert registry.resolve("ACCEPT") is people


@pytest.mark.parametrize("when", ["answered", "always"])
def test_an_evaluator_is_known_and_never_offered_to_a_model(when):
    one, other = declared("FACTS", evaluates=when), declared()
    registry = Registry([one, other])

    assert registry.evaluators == (one,)
    assert registry.select(spec=True) == (other,)
    assert Registry([other]).evaluators == ()


@pytest.mark.parametrize(
    ("fields", "advice"),
    [
        ({"user_only": "yes"}, "user_only has to be True or False, not 'yes'"),
        ({"evaluates": True}, "evaluates has to be one of answered, always, or None, not True"),
        ({"evaluates": "sometimes"}, "evaluates has to be one of answered, always"),
        ({"evaluates": ["always"]}, "evaluates has to be one of answered, always"),
        ({"evaluates": "always", "chain": True}, "an evaluator runs by itself, so it has no chain"),
        ({"evaluate": "always"}, r"an action has no evaluate \(did you mean evaluates\?\)"),
    ],
)
def test_what_is_declared_wrongly_is_refused_with_advice(fields, advice):
    with pytest.raises(DeclarationError, match=f"X: {advice}"):
        declared(**fields)


def test_an_evaluator_needs_no_arguments():
    with pytest.raises(
        DeclarationError, match="X: nobody calls an evaluator with arguments, but it needs a, b"
    ):
        action("X", evaluates="always")(lambda a, b, c=0: None)


@pytest.mark.parametrize(
    "asked", ["get current_price", "GET-CURRENT PRICE", " getCurrentPrice ", "price now"]
)
def test_an_action_is_found_however_its_name_is_separated(asked):
    one = declared("GET_CURRENT_PRICE", similes=("PRICE_NOW",))

    assert Registry([one]).resolve(asked) is one


def test_a_name_that_is_not_there_is_answered_with_all_that_are():
    with pytest.raises(UnknownAction, match="there is no action 'GET_PRICES'; there are GET_PRICE, SELL"):
        Registry([declared("GET_PRICE"), declared("SELL")]).resolve("GET_PRICES")
