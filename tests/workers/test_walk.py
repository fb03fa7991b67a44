"""The walk with a real worker: reply, intake, plan, submit, claim, handle, finish, conversation."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from actions.errors import (
    ConfigError,
    ConversationBusy,
    IdempotencyConflict,
    InvalidArguments,
    InvalidId,
    UnknownAction,
    UnknownConversation,
    UnusableReply,
)
from orchestrator.submission import Submission

if TYPE_CHECKING:
    from orchestrator.assembly import House

pytestmark = pytest.mark.processes


def reply(*calls: tuple[str, str], text: str = "") -> dict[str, Any]:
    """A reply in the shape of OpenAI's chat API."""
    tools = [
        {"id": f"call_{at}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for at, (name, arguments) in enumerate(calls)
    ]
    return {"choices": [{"message": {"role": "assistant", "content": text, "tool_calls": tools}}]}


async def results(house: House, body: dict[str, Any], **options: Any) -> list[Any]:
    """Post a reply to a new conversation, wait, and return the results in order."""
    conversation = await house.conductor.open_conversation(**options)
    posted = await house.conductor.post_reply(conversation, body)
    assert await house.conductor.wait_for_turn(posted.turn) == "done"
    messages = await house.conductor.messages(conversation)
    assert [message["role"] for message in messages] == ["assistant"] + ["tool"] * len(posted.runs)
    ids = [call["id"] for call in messages[0].get("tool_calls", [])]
    assert [message["tool_call_id"] for message in messages[1:]] == ids
    return [json.loads(message["content"]) for message in messages[1:]]


async def test_each_call_gets_its_result_in_call_order(house: House) -> None:
    body = reply(
        ("SLEEP", '{"seconds": 0.2, "note": "slow"}'), ("ADD", '{"a": 1, "b": "2"}'), ("sum", '{"a":3,"b":4}')
    )
    assert await results(house, body) == ["slow", 3, 7]


async def test_what_cannot_run_is_told_and_its_neighbours_run(house: House) -> None:
    body = reply(("ADD", '{"a": 1'), ("NOBODY", "{}"), ("ADD", '{"a": 1}'), ("ADD", '{"a": 2, "b": 2}'))
    told = await results(house, body)
    assert [item["code"] for item in told[:3]] == ["truncated_call", "unknown_action", "invalid_arguments"]
    assert told[3] == 4


async def test_a_reply_whose_calls_are_all_refused_completes_at_once(house: House) -> None:
    conversation = await house.conductor.open_conversation()
    posted = await house.conductor.post_reply(conversation, reply(("NOBODY", "{}"), ("NOR_THIS", "{}")))
    assert (await house.store.conversations.turn(posted.turn))["s"] == "done"
    assert len(await house.conductor.messages(conversation)) == 3


async def test_signals_of_a_handler_decide_exactly(house: House) -> None:
    body = reply(("THIRD_TIME_LUCKY", "{}"), ("GIVE_UP", "{}"), ("NEVER_IN_TIME", "{}"))
    third, gave_up, late = await results(house, body)
    assert third == 3
    assert gave_up == {"error": "the shelf is empty", "code": "handler_failed"}
    assert late["code"] == "timed_out"


async def test_a_validator_decides_before_the_handler_and_only_for_its_own_call(house: House) -> None:
    answers = ("no", "refuse", "breaks", "fail", "yes", "nothing", "pass")
    conversation = await house.conductor.open_conversation()
    body = reply(*(("GUARDED", json.dumps({"answer": answer})) for answer in answers))
    posted = await house.conductor.post_reply(conversation, body)
    assert await house.conductor.wait_for_turn(posted.turn) == "done"
    told = [json.loads(message["content"]) for message in (await house.conductor.messages(conversation))[1:]]
    assert told == [
        {"error": "GUARDED is not possible now", "code": "refused"},
        {"error": "the shop is closed", "code": "refused"},
        {"error": "the validator of GUARDED failed (KeyError), so it was not run", "code": "validator_failed"},
        {"error": "no ticker", "code": "refused"},
        "ran", "ran", "ran",
    ]  # fmt: skip
    kept = (await house.store.conversations.read(conversation)).context
    assert set(kept) == {"ran.yes", "ran.nothing", "ran.pass"}
    statuses = [view.status for run in posted.runs if (view := await house.store.runs.read(run))]
    assert statuses == ["refused"] * 4 + ["succeeded"] * 3


async def test_a_handler_that_fails_stops_no_neighbour(house: House) -> None:
    leaked, gave_up, summed = await results(
        house, reply(("LEAK", "{}"), ("GIVE_UP", "{}"), ("ADD", '{"a": 1, "b": 0}'))
    )
    assert leaked["code"] == gave_up["code"] == "handler_failed"
    assert summed == 1


async def test_one_reply_may_ask_for_the_same_action_twice(house: House) -> None:
    text = """Both. {"actions": [{"name": "ADD", "params": {"a": 1, "b": 1}},
        {"name": "SUM", "params": {"a": 0, "b": 0}}]}"""
    assert await results(house, {"role": "assistant", "content": text}) == [2, 0]


async def test_what_a_surprise_says_stays_in_the_log(house: House) -> None:
    leaked, left = await results(house, reply(("LEAK", "{}"), ("EXIT", "{}")))
    assert leaked == {"error": "the action failed with ValueError", "code": "handler_failed"}
    assert left == {"error": "the action failed with SystemExit", "code": "handler_failed"}


async def test_a_sync_handler_blocks_no_other(house: House) -> None:
    run = await house.conductor.submit("BLOCK", {"seconds": 2.0})
    assert (await house.conductor.call("ADD", {"a": 1, "b": 1}, timeout_s=1.5)).result == 2
    assert (await house.conductor.wait(run)).result == "done"


async def test_directives_reach_the_conversation(house: House) -> None:
    conversation = await house.conductor.open_conversation(context={"old": 1})
    posted = await house.conductor.post_reply(conversation, reply(("REMEMBER", '{"key": "k", "value": 0}')))
    await house.conductor.wait_for_turn(posted.turn)
    assert (await house.store.conversations.read(conversation)).context == {"old": "1", "k": "0"}


async def test_a_state_forbids_and_says_so(house: House) -> None:
    told = await results(house, reply(("ADD", '{"a":1,"b":1}'), ("SLEEP", '{"seconds":0}')), machine="door")
    assert told[0] == 2
    assert told[1]["code"] == "forbidden_action"
    assert "SLEEP" in told[1]["error"]
    assert "OPEN" in told[1]["error"]


@pytest.mark.parametrize(("hour", "state"), [(12, "OPEN"), (20, "SHUT"), (23, "LOCKED")])
async def test_an_open_edge_of_the_highest_priority_is_taken_by_itself(
    house: House, hour: int, state: str
) -> None:
    """What an action wrote opens it; the next reply is judged by the new state."""
    conversation = await house.conductor.open_conversation(machine="door")
    body = reply(("REMEMBER", f'{{"key": "hour", "value": {hour}}}'))
    first = await house.conductor.post_reply(conversation, body)
    await house.conductor.wait_for_turn(first.turn)
    second = await house.conductor.post_reply(conversation, reply(("SLEEP", '{"seconds": 0}')))
    await house.conductor.wait_for_turn(second.turn)
    record = await house.store.conversations.read(conversation)
    assert (record.state, record.state_revision) == (state, int(state != "OPEN"))
    assert (second.refused == ()) is (state == "SHUT")


async def test_a_conversation_cannot_begin_in_a_state_that_does_not_exist(house: House) -> None:
    with pytest.raises(ConfigError, match="no state 'AJAR'"):
        await house.conductor.open_conversation(machine="door", state="AJAR")


async def test_the_same_key_begins_one_turn_only(house: House) -> None:
    conversation = await house.conductor.open_conversation()
    body = reply(("ADD", '{"a":1,"b":1}'))
    first = await house.conductor.post_reply(conversation, body, key="k")
    again = await house.conductor.post_reply(conversation, body, key="k")
    await house.conductor.wait_for_turn(first.turn)
    assert again.repeated
    assert again.turn == first.turn
    assert len(await house.conductor.messages(conversation)) == 2
    with pytest.raises(IdempotencyConflict):
        await house.conductor.post_reply(conversation, reply(("ADD", '{"a":9,"b":9}')), key="k")


async def test_a_conversation_has_one_live_turn(house: House) -> None:
    conversation = await house.conductor.open_conversation()
    posted = await house.conductor.post_reply(conversation, reply(("SLEEP", '{"seconds": 5}')))
    with pytest.raises(ConversationBusy):
        await house.conductor.post_reply(conversation, reply(("ADD", '{"a":1,"b":1}')), busy="refuse")
    waits = await house.conductor.post_reply(conversation, reply(("ADD", '{"a":20,"b":3}')))
    assert (waits.queued, waits.runs) == (True, ())
    assert await house.conductor.cancel(posted.runs[0]) in {"cancelling", "cancelled"}
    assert await house.conductor.wait_for_turn(posted.turn, timeout_s=3) == "done"
    assert await house.conductor.wait_for_turn(waits.turn, timeout_s=5) == "done"
    results = [
        each["content"] for each in await house.conductor.messages(conversation) if each["role"] == "tool"
    ]
    assert json.loads(results[0])["code"] == "cancelled"
    assert results[1:] == ["23"]


async def test_what_a_submitter_does_wrong_is_told_to_it(house: House) -> None:
    with pytest.raises(UnknownAction):
        await house.conductor.submit("NOBODY")
    with pytest.raises(InvalidArguments):
        await house.conductor.submit("ADD", {"a": "many"})
    with pytest.raises(UnknownConversation):
        await house.conductor.post_reply("conv_none", reply())


async def test_the_trace_of_a_request_reaches_the_handler(house: House) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    (run,) = await house.conductor.submit_all([Submission("TRACE", trace=trace)])
    assert (await house.conductor.wait(run)).result == trace
    conversation = await house.conductor.open_conversation()
    posted = await house.conductor.post_reply(conversation, reply(("TRACE", "{}")), trace=trace)
    assert await house.conductor.wait_for_turn(posted.turn) == "done"
    assert (await house.conductor.messages(conversation))[-1]["content"] == f'"{trace}"'
    assert (await house.conductor.call("TRACE")).result == ""


async def test_a_run_that_was_submitted_twice_runs_once(house: House) -> None:
    for _ in range(2):
        await house.conductor.submit("ADD", {"a": 1, "b": 2}, run="run_aTwice", told=True)
    assert await house.conductor.next_end(5) is not None
    view = await house.store.runs.read("run_aTwice")
    assert view is not None
    assert view.attempts == 1


async def test_a_thread_that_outlives_its_run_is_not_given_to_another(house: House) -> None:
    """A sync handler cannot be stopped: its run ends as timed out, and its thread is free when it has returned."""
    late = [await house.conductor.submit("OUTLIVE", {"seconds": 1.5}) for _ in range(house.settings.threads)]
    assert {(await house.conductor.wait(run)).status for run in late} == {"timed_out"}
    following = await house.conductor.call("BLOCK_BRIEFLY")
    assert following.status == "succeeded"


async def test_a_reply_that_cannot_be_used_changes_nothing(house: House) -> None:
    conversation = await house.conductor.open_conversation()
    for body in (b"\xff\xfe", {"error": {"message": "overloaded"}}):
        with pytest.raises(UnusableReply):
            await house.conductor.post_reply(conversation, body)
    assert await house.conductor.messages(conversation) == []
    assert (await house.store.conversations.read(conversation)).live_turn is None


@pytest.mark.parametrize("given", ["conv_", "mine", "conv_a:b", "conv_a b", "conv_" + "x" * 80, "conv_{a}"])
async def test_an_id_that_could_be_another_key_is_refused(house: House, given: str) -> None:
    with pytest.raises(InvalidId):
        await house.conductor.open_conversation(given)


@pytest.mark.parametrize("given", ["run_a1.0.0", "run_", "x", "run_a b"])
async def test_nobody_can_take_the_id_of_a_rounds_run(house: House, given: str) -> None:
    with pytest.raises(InvalidId):
        await house.conductor.submit("ADD", {"a": 1, "b": 1}, run=given)


async def test_a_message_opens_a_completed_conversation_again(house: House) -> None:
    conversation = await house.conductor.open_conversation()
    first = await house.conductor.post_reply(conversation, reply(("IGNORE", "{}")))
    await house.conductor.wait_for_turn(first.turn)
    assert (await house.store.conversations.read(conversation)).status == "completed"
    again = await house.conductor.post_reply(conversation, reply(("ADD", '{"a":1,"b":1}')))
    assert await house.conductor.wait_for_turn(again.turn) == "done"
    assert (await house.store.conversations.read(conversation)).status == "idle"


async def test_a_handler_that_does_not_stop_ends_without_a_word(house: House) -> None:
    began = time.monotonic()
    ended = await house.conductor.call("STUBBORN", {"seconds": 30})
    assert ended.status == "timed_out"
    assert time.monotonic() - began < 15


async def test_a_stop_iteration_in_a_thread_is_a_failure(house: House) -> None:
    ended = await house.conductor.call("NEXT_OF_NOTHING")
    assert (ended.status, ended.result["code"]) == ("failed", "handler_failed")
