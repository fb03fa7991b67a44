"""What is one request under one key, who may be called by whom, and how many calls one request may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from actions.definition import action
from actions.errors import DeclarationError, IdempotencyConflict, UserOnly
from actions.messages import Call
from actions.registry import Registry
from orchestrator.plans import Plan, Step
from orchestrator.settings import Settings
from orchestrator.workflows import Workflow, step
from umbel import Umbel

if TYPE_CHECKING:
    from conftest import Hands


@pytest.mark.parametrize(
    "other",
    [
        {"principal": "bob"},
        {"permissions": ("pay",)},
        {"params": {"size": 2}},
        {"merge": False, "params": None},
        {"locks": "door"},
    ],
)
async def test_a_key_holds_for_all_that_was_asked_for_of_a_chain(umbel: Umbel, other: dict[str, Any]):
    given: dict[str, Any] = {"steps": ["PING", ("MAKE", {"name": "a"})], "params": {"seize": 1}}
    given |= {"principal": "ada", "key": "k"}
    first = await umbel.start_chain(**given)
    assert (await umbel.start_chain(**given)).turn == first.turn
    with pytest.raises(IdempotencyConflict):
        await umbel.start_chain(**(given | other))


async def test_a_chain_never_runs_for_somebody_else_who_had_begun_with_its_key(
    umbel: Umbel, monkeypatch: pytest.MonkeyPatch
):
    async def dies(*_: Any, **__: Any) -> None:
        raise ConnectionError("the process died here")

    monkeypatch.setattr(umbel, "_post", dies)
    with pytest.raises(ConnectionError):
        await umbel.start_chain(["PING"], key="k", principal="ada", permissions=("pay",))
    monkeypatch.undo()
    with pytest.raises(IdempotencyConflict):
        await umbel.start_chain(["PING"], key="k", principal="bob")
    assert await umbel.start_chain(["PING"], key="k", principal="ada", permissions=("pay",))


async def test_a_key_holds_for_the_mode_of_what_is_said(umbel: Umbel):
    conversation = await umbel.open_conversation()
    turn = await umbel.say(conversation, "hi", key="k")
    assert await umbel.say(conversation, "hi", key="k") == turn
    with pytest.raises(IdempotencyConflict):
        await umbel.say(conversation, "hi", key="k", mode="chain")


async def test_a_key_holds_for_the_dependencies_of_a_plan_too(umbel: Umbel, hands: Hands):
    one = Plan([Step("a", "PING"), Step("b", "PING", depends_on="a")])
    two = Plan([Step("a", "PING"), Step("b", "PING")])
    three = Plan([Step("a", "PING"), Step("b", "ECHO", uses={"value": "a"})])
    first = await umbel.run_plan(one, key="k")
    assert (await umbel.run_plan(one, key="k")).turn == first.turn
    for other in (two, three):
        with pytest.raises(IdempotencyConflict):
            await umbel.run_plan(other, key="k")
    with pytest.raises(IdempotencyConflict):
        await umbel.run_plan(one, key="k", mode="chain")


async def test_a_key_holds_for_the_mode_of_a_posted_reply(umbel: Umbel):
    conversation = await umbel.open_conversation()
    body = "[ACTION:PING]{}[/ACTION]"
    first = await umbel.post_reply(conversation, body, key="k", mode="chain")
    again = await umbel.post_reply(conversation, body, key="k", mode="chain")
    assert (again.turn, again.repeated) == (first.turn, True)
    with pytest.raises(IdempotencyConflict):
        await umbel.post_reply(conversation, body, key="k")


async def test_a_key_holds_for_what_the_calls_of_act_say_of_each_other(umbel: Umbel, hands: Hands):
    conversation = await umbel.open_conversation()
    calls = [
        Call(name="PING", id="a", arguments={}),
        Call(name="PING", id="b", arguments={}, depends_on=("a",)),
    ]
    assert all(each.ok for each in await umbel.act(calls, conversation=conversation, key="k"))
    assert all(each.ok for each in await umbel.act(calls, conversation=conversation, key="k"))
    free = [calls[0], Call(name="PING", id="b", arguments={})]
    with pytest.raises(IdempotencyConflict):
        await umbel.act(free, conversation=conversation, key="k")


async def test_keys_of_nodes_that_look_alike_are_apart(umbel: Umbel, hands: Hands):
    for key, name, value in (("a", "b c", 1), ("a b", "c", 2)):
        result = await umbel.run_workflow(Workflow([step(name, "ECHO", {"value": value})]), key=key)
        assert result.ok
        assert result.steps[0][1].value == value


@action("RESET", user_only=True)
async def reset() -> str:
    """Only for people."""
    return "done"


async def test_only_submit_runs_what_is_for_people(settings: Settings):
    async with Umbel(settings, Registry([reset])) as umbel:
        (acted,) = await umbel.act([{"name": "RESET", "arguments": {}}], timeout=5)
        assert acted.error is not None
        assert (acted.status, acted.error["code"], acted.run) == ("refused", UserOnly.code, None)
        chained = await umbel.chain(["RESET"])
        assert chained.error is not None
        assert chained.error["code"] == UserOnly.code
        assert "chain" in chained.error["error"]
        assert await umbel.submit("RESET")


async def test_more_calls_than_a_turn_can_hold_are_an_error_with_the_number(umbel: Umbel):
    many = ["PING"] * 1_025
    conversation = await umbel.open_conversation()
    with pytest.raises(DeclarationError, match="1,025"):
        await umbel.start_chain(many)
    with pytest.raises(DeclarationError, match="1,025"):
        await umbel.run_plan(Plan([Step(f"s{at}", "PING") for at in range(1_025)]))
    with pytest.raises(DeclarationError, match="1,025"):
        await umbel.act([{"name": "PING"} for _ in many], conversation=conversation)
    assert await umbel.messages(conversation) == []
