"""Chains and plans of a caller, on a real store: order, merging, undo, interruption, and what the caller is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from actions.errors import ConversationBusy, DeclarationError, IdempotencyConflict, InvalidId
from orchestrator.plans import Plan, Step

if TYPE_CHECKING:
    from conftest import Hands
    from umbel import Umbel


def ran(hands: Hands) -> list[tuple[str, dict[str, Any]]]:
    return [(name, arguments) for _, name, arguments in hands.started]


async def test_each_step_gets_what_those_before_it_returned_under_its_own_arguments(
    umbel: Umbel, hands: Hands
):
    result = await umbel.chain([("MAKE", {"name": "a"}), "MAKE", ("MAKE", {"name": "c"})], {"size": 10})
    assert result.ok
    assert ran(hands) == [
        ("MAKE", {"name": "a", "size": 10}),
        ("MAKE", {"name": "a", "size": 11}),
        ("MAKE", {"name": "c", "size": 12}),
    ]
    assert result.value == {"size": 13, "name": "c", "made_a": True, "made_c": True}
    assert [step.status for step in result.steps] == ["succeeded"] * 3


async def test_without_merging_each_step_has_its_own_arguments_alone(umbel: Umbel, hands: Hands):
    result = await umbel.chain([("MAKE", {"name": "a"}), ("MAKE", {"name": "b"})], merge=False)
    assert ran(hands) == [("MAKE", {"name": "a"}), ("MAKE", {"name": "b"})]
    assert result.ok
    with pytest.raises(DeclarationError, match="merge"):
        await umbel.chain(["PING"], {"size": 1}, merge=False)


async def test_the_first_final_failure_stops_it_and_undoes_what_was_done_in_reverse(
    umbel: Umbel, hands: Hands
):
    steps = [
        ("MAKE", {"name": "a"}),
        ("MAKE", {"name": "b"}),
        ("REFUSE_IT", {"why": "no"}),
        ("MAKE", {"name": "c"}),
    ]
    result = await umbel.chain(steps, merge=False)
    assert (result.ok, result.status) == (False, "failed")
    assert [(name, receipt["name"]) for name, receipt in hands.undone] == [("MAKE", "b"), ("MAKE", "a")]
    assert [step.status for step in result.steps] == [
        "succeeded",
        "succeeded",
        "failed",
        result.steps[3].status,
    ]
    assert [step.undo for step in result.steps] == ["undone", "undone", None, None]
    assert result.error == {"error": "no", "code": "handler_failed"}
    assert result.value == {}
    assert ("MAKE", {"name": "c"}) not in ran(hands)


async def test_an_undo_that_fails_rests_and_is_told(umbel: Umbel, hands: Hands):
    hands.cannot_undo = {"MAKE"}
    result = await umbel.chain([("MAKE", {"name": "a"}), "BREAK"], merge=False)
    assert result.steps[0].undo == "failed"
    assert not result.steps[0].ok


async def test_what_cannot_run_refuses_the_whole_chain_before_anything_runs(umbel: Umbel, hands: Hands):
    result = await umbel.chain([("MAKE", {"name": "a"}), ("PAY", {"amount": 1})])
    assert result.status == "refused"
    assert [step.error and step.error["code"] for step in result.steps] == [
        "chain_refused",
        "forbidden_action",
    ]
    assert result.error is not None
    assert result.error["code"] == "forbidden_action"
    assert hands.started == []


async def test_permissions_and_principal_are_those_that_are_given(umbel: Umbel, hands: Hands):
    assert (await umbel.chain([("PAY", {"amount": 2})], permissions=("pay",), principal="ada")).ok


async def test_no_steps_are_a_success(umbel: Umbel):
    result = await umbel.chain([], {"size": 1})
    assert result.ok
    assert (result.turn, result.value) == ("", {"size": 1})


async def test_an_interrupted_chain_keeps_what_it_did(umbel: Umbel, hands: Hands):
    steps = [("MAKE", {"name": "a"}), ("WAIT_A_WHILE", {"seconds": 0.3}), ("MAKE", {"name": "c"})]
    started = await umbel.start_chain(steps, merge=False)
    await hands.has_started(2)
    assert await umbel.interrupt(started.turn) == "interrupted"
    result = await umbel.chain_result(started)
    assert result.status == "interrupted"
    assert result.value["made_a"] is True
    assert [step.status for step in result.steps[:2]] == ["succeeded", "succeeded"]
    assert hands.undone == []
    assert await umbel.interrupt(started.turn) == "terminal"


async def test_only_a_chain_is_interrupted(umbel: Umbel, hands: Hands):
    conversation = await umbel.open_conversation()
    posted = await umbel.post_reply(conversation, '[ACTION:WAIT_A_WHILE]{"seconds": 0.2}[/ACTION]')
    assert await umbel.interrupt(posted.turn) == "no_chain"
    assert await umbel.interrupt("turn_aNothing") == "missing"
    with pytest.raises(InvalidId):
        await umbel.interrupt("run_aNothing")


async def test_the_same_key_is_the_same_chain(umbel: Umbel, hands: Hands):
    first = await umbel.chain([("MAKE", {"name": "a"})], key="k")
    again = await umbel.chain([("MAKE", {"name": "a"})], key="k")
    assert first == again
    assert len(hands.started) == 1
    with pytest.raises(IdempotencyConflict):
        await umbel.chain([("MAKE", {"name": "b"})], key="k")


async def test_a_chain_in_a_conversation_leaves_its_results_there(umbel: Umbel, hands: Hands):
    conversation = await umbel.open_conversation()
    assert (await umbel.chain(["PING", "PING"], conversation=conversation)).ok
    messages = await umbel.messages(conversation)
    assert [message["role"] for message in messages] == ["assistant", "tool", "tool"]
    started = await umbel.start_chain([("WAIT_A_WHILE", {"seconds": 0.2})], conversation=conversation)
    with pytest.raises(ConversationBusy):
        await umbel.chain(["PING"], conversation=conversation)
    await umbel.chain_result(started)


async def test_two_chains_with_one_lock_run_one_after_the_other(umbel: Umbel, hands: Hands):
    def steps(shelf: str) -> list[Any]:
        return [("STOCK", {"shelf": shelf}), ("WAIT_A_WHILE", {"seconds": 0.15})]

    ends = await asyncio.gather(*(umbel.chain(steps(shelf), merge=False) for shelf in ("s", "s", "t")))
    assert all(end.ok for end in ends)
    first, _, third = hands.times("STOCK")
    assert third - first > 0.14
    assert hands.times("STOCK")[1] - first < 0.1


async def test_a_step_has_no_options_of_its_own(umbel: Umbel):
    with pytest.raises(DeclarationError, match="of its own"):
        await umbel.chain([("PING", {}, {"principal": "eve"})])
    with pytest.raises(DeclarationError, match="no instruction"):
        await umbel.chain([7])


# Plans


async def test_a_plan_runs_what_does_not_depend_on_each_other_together(umbel: Umbel, hands: Hands):
    plan = Plan([
        Step("sum", "ECHO", depends_on=["left"], uses={"value": "right.size"}),
        Step("left", "MAKE", {"name": "l"}),
        Step("right", "MAKE", {"name": "r", "size": 4}),
        Step("alone", "WAIT_A_WHILE", {"seconds": 0.1}),
    ])  # fmt: skip
    result = await umbel.run_plan(plan)
    assert result.ok
    assert result.results["sum"] == 5
    assert [step.step for step in result.steps] == ["left", "right", "alone", "sum"]


async def test_a_failure_holds_up_only_what_depends_on_it(umbel: Umbel, hands: Hands):
    plan = Plan([
        Step("bad", "REFUSE_IT", {"why": "no"}),
        Step("after", "PING", depends_on="bad"),
        Step("beside", "PING"),
    ])  # fmt: skip
    result = await umbel.run_plan(plan)
    assert result.status == "failed"
    by_name = {step.step: step for step in result.steps}
    assert by_name["beside"].ok
    assert by_name["after"].status == "refused"
    assert by_name["after"].error is not None
    assert by_name["after"].error["code"] == "dependency_failed"
    assert result.error == {"error": "no", "code": "handler_failed"}


async def test_a_plan_can_be_a_chain(umbel: Umbel, hands: Hands):
    plan = Plan([Step("bad", "BREAK", depends_on="good"), Step("good", "MAKE", {"name": "a"})])
    result = await umbel.run_plan(plan, mode="chain")
    assert [step.undo for step in result.steps] == ["undone", None]


# Replies


async def test_a_reply_can_be_a_chain_a_sequence_or_as_the_conversation_says(umbel: Umbel, hands: Hands):
    made = '[ACTION:MAKE]{"name": "a"}[/ACTION][ACTION:BREAK]{}[/ACTION]'
    usual = await umbel.open_conversation(mode="chain")
    posted = await umbel.post_reply(usual, made)
    assert await umbel.wait_for_turn(posted.turn)
    assert len(hands.undone) == 1
    posted = await umbel.post_reply(usual, made, mode="sequence")
    assert await umbel.wait_for_turn(posted.turn)
    assert len(hands.undone) == 1
    with pytest.raises(DeclarationError, match="all, sequence, chain"):
        await umbel.post_reply(usual, made, mode="serial")  # type: ignore[arg-type]
    with pytest.raises(DeclarationError, match="all, sequence, chain"):
        await umbel.open_conversation(mode="serial")  # type: ignore[arg-type]


async def test_what_succeeded_earlier_in_the_conversation_is_remembered(umbel: Umbel, hands: Hands):
    conversation = await umbel.open_conversation()
    refused = await umbel.post_reply(conversation, "[ACTION:LOOKED]{}[/ACTION]")
    assert refused.refused[0].error["code"] == "missing_dependency"
    await umbel.wait_for_turn(refused.turn)
    posted = await umbel.post_reply(conversation, '[ACTION:MAKE]{"name": "a"}[/ACTION]')
    await umbel.wait_for_turn(posted.turn)
    assert not (await umbel.post_reply(conversation, "[ACTION:LOOKED]{}[/ACTION]")).refused


async def test_a_models_own_order_is_kept(umbel: Umbel, hands: Hands):
    conversation = await umbel.open_conversation()
    calls = [
        {
            "id": "c2",
            "type": "function",
            "depends_on": ["c1"],
            "function": {"name": "PING", "arguments": "{}"},
        },
        {
            "id": "c1",
            "type": "function",
            "function": {"name": "WAIT_A_WHILE", "arguments": '{"seconds": 0.1}'},
        },
    ]
    posted = await umbel.post_reply(conversation, {"role": "assistant", "content": None, "tool_calls": calls})
    await umbel.wait_for_turn(posted.turn)
    assert [name for name, _ in ran(hands)] == ["WAIT_A_WHILE", "PING"]
