"""The stations of an attempt: hooks, processors, approvals, what is entered and left, and what directives become."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, Field, SecretStr
from pydantic_core import from_json

from actions.approvals import Approval
from actions.definition import action
from actions.directives import FollowUp, Remember, Result, SetContext, SetParticipant
from actions.errors import Fail, Stop, TryAgain
from actions.messages import Payload
from actions.policy import Retry
from actions.registry import Registry
from flights_under_test import World
from orchestrator.store.incoming import Effect, EffectKind

if TYPE_CHECKING:
    from actions.context import ActionContext
    from actions.definition import Action

TRACE: list[str] = []
ACTIONS: list[Action] = []


def known(made: Action) -> Action:
    ACTIONS.append(made)
    return made


def hooked(name: str, handler: Any) -> Action:
    """An action with every hook and both processors; each notes its turn and adds its number."""
    made = known(action(name, output=list[int], retry=Retry(3, initial="1ms", cap="1ms"))(handler))

    @made.before_validate
    async def before_validate(arguments, ctx):
        TRACE.append("before_validate")
        return {"numbers": [*arguments.pop("given"), 1], **arguments}

    @made.after_validate
    def after_validate(params, ctx):
        TRACE.append("after_validate")
        return {**params.model_dump(), "numbers": [*params.numbers, 2]}

    @made.preprocess
    async def preprocess(params, ctx):
        TRACE.append("preprocess")
        return {**params, "numbers": [*params["numbers"], 3]}

    @made.postprocess
    def postprocess(value, ctx):
        TRACE.append("postprocess")
        return [*value, 4]

    @made.before_output
    async def before_output(value, ctx):
        TRACE.append("before_output")
        return [*value, "5"]

    @made.after_output
    def after_output(value, ctx):
        TRACE.append("after_output")
        return [*value, 6]

    @made.after_run
    def after_run(value, ctx):
        TRACE.append("after_run")
        return Result(None, (SetContext("seen", len(value)),))

    return made


async def async_handler(numbers: list[int], attempt: int = 1, *, ctx) -> list[int]:
    TRACE.append("run")
    if ctx.attempt < attempt:
        raise TryAgain(reason="not yet")
    return numbers


def sync_handler(numbers: list[int], attempt: int = 1, *, ctx) -> list[int]:
    TRACE.append("run")
    if ctx.attempt < attempt:
        raise TryAgain(reason="not yet")
    return numbers


hooked("HOOKED", async_handler)
hooked("HOOKED_IN_A_THREAD", sync_handler)
ORDER = [
    "before_validate", "after_validate", "preprocess", "run", "postprocess", "before_output", "after_output",
    "after_run",
]  # fmt: skip


def breaking(name: str, hook: str) -> None:
    made = known(action(name, retry=Retry(3))(_nothing))

    def break_it(value, ctx):
        raise KeyError("secret")

    getattr(made, hook)(break_it)


async def _nothing(x: int = 1) -> int:
    TRACE.append("run")
    return x


HOOKS = ["before_validate", "after_validate", "before_output", "after_output", "after_run"]
for each in HOOKS:
    breaking(f"BREAKS_{each.upper()}", each)


@known
@action("FORGETFUL", similes=("FORGET_IT",))
async def forgetful(x: int = 1) -> int:
    """Have a hook that returns nothing."""
    return x


@forgetful.before_validate
async def returns_nothing(arguments, ctx):
    """Forget to return the arguments."""


@known
@action(
    "DANGEROUS", approval=Approval(when=lambda params: params.amount > 10, expires="5m", key="{principal}")
)
async def dangerous(amount: int, token: SecretStr | None = None) -> str:
    """Need an approval above an amount."""
    return "done"


@dangerous.after_validate
async def double(params, ctx):
    """What is asked for is what the hooks left."""
    return {**params.model_dump(), "amount": params.amount * 2}


@known
@action("MOMENTARY", approval=True)
async def momentary(at: float = Field(default_factory=time.monotonic)) -> float:
    """Have a default that is another one each time."""
    return at


class Moment(BaseModel):
    """Have a default that is another one each time."""

    at: float = Field(default_factory=time.monotonic)


@known
@action("MOMENTARY_WITHIN", approval=True)
async def momentary_within(moment: Moment) -> float:
    """Have such a default deeper down."""
    return moment.at


@known
@action("NEEDS_LEAVE", approval=True, permissions={"leave"})
async def needs_leave() -> None:
    """Need an approval and a permission."""


@asynccontextmanager
async def room(name: str, *, broken: bool = False):
    TRACE.append(f"enter {name}")
    try:
        yield name
    except BaseException as error:
        TRACE.append(f"leave {name} because of {type(error).__name__}")
        raise
    else:
        TRACE.append(f"leave {name}")
        if broken:
            raise OSError("the commit failed")


@known
@action("ENTERS", timeout="100ms", output=str)
async def enters(how: str, ctx: ActionContext) -> Any:
    """Enter two rooms."""
    import asyncio

    TRACE.append(await ctx.enter(room("outer", broken=how == "break")))
    await ctx.enter(room("inner"))
    if how == "raise":
        raise ValueError
    if how == "sleep":
        await asyncio.sleep(30)
    return 1 if how == "lie" else "done"


@known
@action("SAYS_MUCH")
async def says_much(how: str) -> Result:
    """Return or raise with directives."""
    directives = (Remember({"n": 1}), SetParticipant("bob", "muted"), SetParticipant("eve", None))
    if how == "fail":
        raise Fail("no", (*directives, FollowUp("SAYS_MUCH", {"how": "again"})))
    if how == "stop":
        raise Stop("closed", directives)
    if how == "unstorable":
        raise Stop("closed", (Remember(object()),))
    return Result("yes", (*directives, Remember(None), FollowUp("FORGET_IT"), FollowUp("NO_SUCH", {"x": 1})))


REGISTRY = Registry(ACTIONS)


@pytest.fixture
def world() -> World:
    TRACE.clear()
    return World(REGISTRY, threads=2)


# Hooks


@pytest.mark.parametrize("name", ["HOOKED", "HOOKED_IN_A_THREAD"])
async def test_hooks_and_processors_have_one_order(world: World, name: str) -> None:
    ended = await world.end(name, {"given": [0]})
    assert (ended.verdict, from_json(ended.result)) == ("succeeded", [0, 1, 2, 3, 4, 5, 6])
    assert TRACE == ORDER
    assert Effect(EffectKind.SET, "seen", "7") in ended.effects


@pytest.mark.parametrize("name", ["HOOKED", "HOOKED_IN_A_THREAD"])
async def test_argument_hooks_run_once_however_often_the_run_is_tried(world: World, name: str) -> None:
    first = await world.end(name, {"given": [0], "attempt": 2})
    (kept,) = [effect for effect in first.effects if effect.kind == EffectKind.HOOKED]
    assert (first.verdict, from_json(kept.value)["arguments"]) == (
        "again",
        {"numbers": [0, 1, 2, 3], "attempt": 2},
    )
    again = await world.end(name, {"given": [0], "attempt": 2}, attempt=2, hooked=kept.value)
    assert from_json(again.result) == [0, 1, 2, 3, 4, 5, 6]
    assert [*ORDER[:4], *ORDER[3:]] == TRACE


@pytest.mark.parametrize("hook", HOOKS)
async def test_a_hook_that_breaks_fails_the_run_by_name_and_is_not_tried_again(
    world: World, hook: str
) -> None:
    ended = await world.end(f"BREAKS_{hook.upper()}")
    told = from_json(ended.result)
    assert (ended.verdict, told["code"]) == ("failed", "hook_failed")
    assert told["error"] == f"the {hook} of BREAKS_{hook.upper()} failed with KeyError"
    assert ([] if hook.endswith("_validate") else ["run"]) == TRACE


async def test_a_hook_that_returns_no_arguments_is_said_so(world: World) -> None:
    ended = await world.end("FORGETFUL")
    assert from_json(ended.result) == {
        "error": "the before_validate of FORGETFUL failed: it returned a NoneType, not a dict",
        "code": "hook_failed",
    }


# Approvals


async def test_a_claimed_run_asks_for_an_approval_of_what_its_hooks_left(world: World) -> None:
    rides = {"principal": "ada"}
    asked = await world.end("DANGEROUS", {"amount": 6, "token": "hunter2"}, rides=rides)
    assert (asked.verdict, asked.delay_ms) == ("ask", 300_000)
    assert from_json(asked.result)["amount"] == 12
    assert "hunter2" not in asked.result
    effects = {effect.kind: effect for effect in asked.effects}
    assert effects[EffectKind.APPROVAL_KEY].key == "DANGEROUS:ada"
    kept = effects[EffectKind.HOOKED].value
    other = await world.end("DANGEROUS", {"amount": 6}, rides=rides, approved="f" * 32)
    assert other.verdict == "ask"
    given = await world.end(
        "DANGEROUS", {"amount": 6, "token": "hunter2"}, rides=rides, approved=asked.why, hooked=kept
    )
    assert given.verdict == "succeeded"


@pytest.mark.parametrize(("name", "given"), [("MOMENTARY", {}), ("MOMENTARY_WITHIN", {"moment": {}})])
async def test_what_was_approved_is_what_runs_although_a_default_would_be_another_one(
    world: World, name: str, given: dict[str, Any]
) -> None:
    asked = await world.end(name, given)
    (kept,) = [effect.value for effect in asked.effects if effect.kind == EffectKind.HOOKED]
    ended = await world.end(name, given, approved=asked.why, hooked=kept)
    shown = from_json(asked.result)
    assert (ended.verdict, from_json(ended.result)) == ("succeeded", shown.get("moment", shown)["at"])


async def test_what_needs_no_approval_asks_for_none(world: World) -> None:
    assert (await world.end("DANGEROUS", {"amount": 5})).verdict == "succeeded"


async def test_nobody_is_asked_about_what_is_forbidden(world: World) -> None:
    ended = await world.end("NEEDS_LEAVE")
    assert (ended.verdict, from_json(ended.result)["code"]) == ("refused", "forbidden_action")


# What is entered is left


@pytest.mark.parametrize(
    ("how", "verdict", "left"),
    [
        ("return", "succeeded", ["leave inner", "leave outer"]),
        ("raise", "failed", ["leave inner because of ValueError", "leave outer because of ValueError"]),
        ("lie", "failed", ["leave inner because of HandlerFailed", "leave outer because of HandlerFailed"]),
        (
            "sleep",
            "timed_out",
            ["leave inner because of CancelledError", "leave outer because of CancelledError"],
        ),
        ("break", "failed", ["leave inner", "leave outer"]),
    ],
)
async def test_what_an_attempt_entered_is_left_however_it_ends(
    world: World, how: str, verdict: str, left: list[str]
) -> None:
    ended = await world.end("ENTERS", {"how": how})
    assert ended.verdict == verdict
    assert ["enter outer", "outer", "enter inner", *left] == TRACE
    assert how != "break" or from_json(ended.result)["error"] == "the action failed with OSError"
    assert how != "lie" or from_json(ended.result)["code"] == "invalid_result"


# Directives

SAID = (
    Effect(EffectKind.REMEMBER, "SAYS_MUCH", '{"n":1}'),
    Effect(EffectKind.PARTICIPANT, "bob", "muted"),
    Effect(EffectKind.PARTICIPANT, "eve", "-"),
)


async def test_directives_survive_a_failure_but_for_follow_ups(world: World) -> None:
    ended = await world.end("SAYS_MUCH", {"how": "fail"})
    assert (ended.verdict, ended.effects) == ("failed", SAID)


async def test_a_stop_ends_the_turn_with_the_run(world: World) -> None:
    ended = await world.end("SAYS_MUCH", {"how": "stop"})
    assert from_json(ended.result) == {"error": "closed", "code": "handler_failed"}
    assert ended.effects == (*SAID, Effect(EffectKind.STOP))


async def test_a_stop_whose_directives_cannot_be_stored_stops_all_the_same(world: World) -> None:
    ended = await world.end("SAYS_MUCH", {"how": "unstorable"})
    assert (ended.verdict, ended.effects) == ("failed", (Effect(EffectKind.STOP),))


async def test_follow_ups_become_runs_and_refused_ones_too(world: World) -> None:
    ended = await world.end("SAYS_MUCH", {"how": "return"})
    follow = [effect for effect in ended.effects if effect.kind == EffectKind.FOLLOW]
    assert ended.effects[:4] == (*SAID, Effect(EffectKind.REMEMBER, "SAYS_MUCH"))
    assert [effect.key for effect in follow] == ["run_a1.f0", "run_a1.f1"]
    rows = [from_json(effect.value) for effect in follow]
    assert [row[7] for row in rows] == [
        '{"action":"FORGETFUL","run":"run_a1.f0"',
        '{"action":"NO_SUCH","run":"run_a1.f1"',
    ]
    assert [(row[0], row[1]) for row in rows] == [("run_a1.f0", "ready"), ("run_a1.f1", "refused")]
    assert Payload.decode(rows[0][5]).depth == 1
