from __future__ import annotations

import logging
from typing import Any

import pytest

from actions.context import ActionContext
from actions.definition import Action, action
from actions.errors import Cancel, Refuse
from actions.params import bind
from actions.validation import lacking, permitted


def guarded(validator: Any) -> Action:
    one = action("X", permissions={"trade"})(lambda a: a)
    one.validate(validator)
    return one


async def judged(one: Action, *permissions: str) -> Refuse | None:
    ctx = ActionContext("run_a1", "X", permissions=frozenset(permissions))
    return await permitted(one, bind(one, {"a": "1"}), ctx)


NOT_NOW = Refuse("X is not possible now")
UNCLEAR = Refuse("the validator of X gave no clear answer, so it was not run", "validator_failed")


@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (None, None), (True, None), (False, NOT_NOW), (Refuse("closed"), Refuse("closed")),
        ({"pass": True}, None), ({"pass": True, "reason": "fine"}, None),
        ({"pass": False, "reason": "closed"}, Refuse("closed")),
        ({"pass": False}, NOT_NOW), ({"pass": "no"}, UNCLEAR), ({"pass": 1}, UNCLEAR), ({}, UNCLEAR),
        ({"reason": "x"}, UNCLEAR),
        (1, UNCLEAR), (0, UNCLEAR), ("", UNCLEAR), ("yes", UNCLEAR), ([], UNCLEAR), (object(), UNCLEAR),
    ],
)  # fmt: skip
async def test_a_validator_answers_yes_or_no_and_everything_else_is_no(answer, verdict, sync):
    async def later(params, ctx):
        return answer

    assert await judged(guarded((lambda params, ctx: answer) if sync else later), "trade") == verdict


@pytest.mark.parametrize(
    "error", [ValueError("password=hunter2"), KeyError("x"), Cancel("x"), AssertionError()]
)
async def test_a_validator_that_raises_refuses_its_call_and_tells_no_secret(error, caplog):
    def validator(params, ctx):
        raise error

    with caplog.at_level(logging.WARNING):
        verdict = await judged(guarded(validator), "trade")

    reason = f"the validator of X failed ({type(error).__name__}), so it was not run"
    assert verdict == Refuse(reason, "validator_failed")
    assert type(error).__name__ in caplog.text  # the operator gets the traceback


async def test_a_validator_sees_params_and_context():
    seen = []
    await judged(guarded(lambda params, ctx: seen.append((params.a, ctx.run_id))), "trade")

    assert seen == [("1", "run_a1")]


async def test_without_its_permission_a_call_is_refused_before_the_validator():
    asked = []
    verdict = await judged(guarded(lambda params, ctx: asked.append(1)), "read")

    assert verdict == Refuse("X needs the permission trade", "forbidden_action")
    assert not asked


@pytest.mark.parametrize(
    ("needs", "has", "missing"),
    [
        ((), (), None),
        ((), ("a",), None),
        (("a",), ("a", "b"), None),
        (("a", "b"), ("a",), "b"),
        (("b", "a"), (), "a, b"),
    ],
)
def test_all_permissions_are_needed(needs, has, missing):
    refusal = lacking(action("X", permissions=needs)(lambda: None), frozenset(has))

    assert (refusal.reason if refusal else None) == (f"X needs the permission {missing}" if missing else None)


async def test_without_a_validator_a_call_may_run():
    one = action("X")(lambda: None)

    assert await permitted(one, bind(one, {}), ActionContext("run_a1", "X")) is None
