"""Arguments that are made once for a run and kept: for its next attempt, a person, its undo and its on_error."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from pydantic import AfterValidator, Field
from pydantic_core import from_json

from actions.definition import action
from actions.errors import Fail, TryAgain
from actions.policy import Retry
from actions.registry import Registry
from flights_under_test import World
from orchestrator.digests import arguments_digest
from orchestrator.store.incoming import EffectKind
from records_under_test import Records

if TYPE_CHECKING:
    from actions.definition import Action

TRACE: list[Any] = []
ACTIONS: list[Action] = []


def known(made: Action) -> Action:
    ACTIONS.append(made)
    return made


@known
@action("PAYS", approval=True)
async def pays(amount: int) -> int:
    """Need an approval of what the preprocessor left."""
    return amount


@pays.preprocess
def a_hundred_times(params, ctx):
    """Change the amount, each time that it is called."""
    TRACE.append("preprocess")
    return {"amount": params["amount"] * 100}


Cents = Annotated[int, AfterValidator(lambda euros: euros * 100)]


def counting_in_cents(name: str) -> Action:
    """An action with a rule that converts, with something beside it that needs what the handler had."""

    async def pay(
        amount: Cents,
        fails: bool = False,  # noqa: FBT001, FBT002 - an argument of a call
        at: float = Field(default_factory=time.monotonic),  # another one each time
    ) -> None:
        TRACE.append(amount)
        raise TryAgain(reason="not yet") if fails else Fail("no")

    made = known(action(name, retry=Retry(9, initial="1ms", cap="1ms"))(pay))

    @made.on_error
    async def rescue(params, error, ctx):
        TRACE.append(params.amount)

    @made.undo
    async def undo(params, receipt, ctx):
        TRACE.append(params.amount)

    return made


@counting_in_cents("CENTS").before_validate
async def left_as_they_are(arguments, ctx):
    """Change nothing."""
    return arguments


@counting_in_cents("CENTS_SEEN").after_validate
async def seen(params, ctx):
    """Change nothing."""
    return params


@counting_in_cents("CENTS_PREPARED").preprocess
async def prepared(params, ctx):
    """Change nothing; what it returns is validated."""
    TRACE.append("preprocess")
    return params


@known
@action("PREPARED", retry=Retry(1, initial="1ms"))
async def only_prepared() -> None:
    """Have a preprocessor, and nothing else."""
    raise TryAgain(reason="not yet")


@only_prepared.preprocess
async def prepare_each_time(params, ctx):
    """Leave a trace."""
    TRACE.append("preprocess")
    return params


@known
@action("DEEP")
async def deep(x: Any = None) -> None:
    """Have a hook that returns what no record can hold."""


@deep.before_validate
async def deepen(arguments, ctx):
    """Nest it deeper than JSON is read."""
    value: list[Any] = []
    for _ in range(300):
        value = [value]
    return {"x": value}


REGISTRY = Registry(ACTIONS)


@pytest.fixture
def world() -> World:
    TRACE.clear()
    return World(REGISTRY, threads=2, store=Records())


async def in_cents(world: World, name: str, hooked: str = "", **told: Any) -> tuple[Any, str]:
    """What the handler got, and what its run kept."""
    ended = await world.end(name, {"amount": 1, "fails": True}, hooked=hooked, **told)
    kept = [effect.value for effect in ended.effects if effect.kind == EffectKind.HOOKED]
    return TRACE.pop(), kept[0] if kept else ""


@pytest.mark.parametrize("name", ["CENTS", "CENTS_SEEN", "CENTS_PREPARED"])
async def test_a_rule_that_converts_meets_no_value_twice_however_often_a_run_is_tried(
    world: World, name: str
) -> None:
    first, kept = await in_cents(world, name)
    second, again = await in_cents(world, name, kept, attempt=2)
    error = {"rescue": "failed", "error": '{"error":"no","code":"handler_failed"}'}
    third, _ = await in_cents(world, name, again, attempt=3, **error)
    assert first == second == third == (10_000 if name == "CENTS_PREPARED" else 100)
    assert kept == again


async def test_undo_and_on_error_have_the_params_that_the_preprocessor_left(world: World) -> None:
    first, kept = await in_cents(world, "CENTS_PREPARED")
    assert (first, from_json(kept)["arguments"]["fails"]) == (10_000, True)
    ended = await world.end("CENTS_PREPARED", {"amount": 7}, id="run_ok.undo", undoes="run_ok", hooked=kept)
    assert (ended.verdict, TRACE) == (
        "succeeded",
        ["preprocess", 10_000],
    )  # it was called by the first attempt


async def test_a_preprocessor_runs_with_each_attempt_where_nobody_else_needs_what_it_left(
    world: World,
) -> None:
    ended = await world.end("PREPARED")
    assert (ended.verdict, ended.effects, TRACE) == ("again", (), ["preprocess"])


async def test_what_cannot_be_kept_is_said_by_the_name_of_the_hook(world: World) -> None:
    ended = await world.end("DEEP")
    assert from_json(ended.result) == {
        "error": "the before_validate of DEEP failed: what it returned has no JSON form",
        "code": "hook_failed",
    }


async def test_what_is_approved_is_what_the_preprocessor_left(world: World) -> None:
    asked = await world.end("PAYS", {"amount": 1})
    assert (asked.verdict, from_json(asked.result)) == ("ask", {"amount": 100})
    (kept,) = [effect.value for effect in asked.effects if effect.kind == EffectKind.HOOKED]
    given = await world.end("PAYS", {"amount": 1}, approved=asked.why, hooked=kept)
    assert (given.verdict, from_json(given.result), TRACE) == ("succeeded", 100, ["preprocess"])


async def test_an_approval_of_less_than_what_the_preprocessor_makes_of_it_is_none(world: World) -> None:
    pays = REGISTRY.resolve("PAYS")
    planned = arguments_digest(pays, pays.bind({"amount": 1}))
    assert (await world.end("PAYS", {"amount": 1}, approved=planned)).verdict == "ask"
