"""`act`: one result for each call, in call order, under the bounds that were asked for."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import json
import re
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from actions.errors import (
    ConversationBusy,
    DeclarationError,
    IdempotencyConflict,
    InvalidId,
    StoreUnavailable,
    UnknownConversation,
)
from actions.messages import Call
from orchestrator.operations.options import ActOptions
from umbel import CallFailed, Umbel
from workers_under_test import eventually

if TYPE_CHECKING:
    from conftest import Hands


def echo(value: Any) -> dict[str, Any]:
    return {"function": "ECHO", "arguments": {"value": value}}


def wait(seconds: float, value: int = 0) -> dict[str, Any]:
    return {"function": "WAIT_A_WHILE", "arguments": {"seconds": seconds, "value": value}}


async def leave(caller: asyncio.Task[Any]) -> None:
    """End a caller in the middle of its wait."""
    caller.cancel()
    with suppress(asyncio.CancelledError):
        await caller


BREAK = {"function": "BREAK", "arguments": {}}


# Options


def test_every_option_has_the_same_name_and_default_everywhere():
    given = inspect.signature(Umbel.act).parameters
    options = {name: each.default for name, each in given.items() if name not in {"self", "calls"}}
    fields = {field.name: field.default for field in dataclasses.fields(ActOptions)}
    assert options == fields
    assert all(given[name].kind is inspect.Parameter.KEYWORD_ONLY for name in options)
    assert all(f"{name}:" in (Umbel.act.__doc__ or "") for name in options)


def test_nothing_is_left_out_or_swallowed_unless_asked_for():
    plain = ActOptions()
    assert (plain.strategy, plain.retries, plain.max_concurrent, plain.throttle) == (
        "concurrent",
        None,
        None,
        None,
    )
    assert (plain.timeout, plain.attempt_timeout, plain.initial_delay) == (None, None, 0)
    assert plain.suppress_errors
    assert not any(
        (plain.drop_failed, plain.drop_none, plain.flatten, plain.unique_input, plain.unique_output)
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"strategy": "parallel"}, "concurrent, sequential or batch"),
        ({"strategy": "sequential", "batch_size": 2}, "batch_size is for the strategy batch"),
        ({"batch_size": 2}, "batch_size is for the strategy batch"),
        ({"strategy": "batch", "batch_size": 0}, "from 1 to 100,000"),
        ({"max_concurrent": 0}, "from 1 to 100,000"),
        ({"max_concurrent": True}, "whole number"),
        ({"retries": -1}, "0 or more"),
        ({"retry_delay": 1}, "belong to retries"),
        ({"retries": 1, "backoff_factor": 0.5}, "1 or more"),
        ({"max_concurrent": 10**30}, "from 1 to 100,000"),
        ({"strategy": "batch", "batch_size": 100_001}, "from 1 to 100,000"),
        ({"permissions": "abc"}, "a list of words is wanted"),
        ({"key": ""}, "not empty"),
        ({"key": 5}, "not empty"),
        ({"throttle": 0}, "1ms or more"),
        ({"timeout": "soon"}, "no duration"),
        ({"attempt_timeout": -1}, "negative"),
        ({"initial_delay": "later"}, "no duration"),
        ({"conversation": "conv_a", "principal": "kim"}, "has its own principal"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused(options, said):
    with pytest.raises(DeclarationError, match=said):
        ActOptions(**options)


# What is handed in


class Request(BaseModel):
    function: str
    arguments: dict[str, Any]


@pytest.mark.parametrize(
    "asked",
    [
        {"function": "ECHO", "arguments": {"value": 1}},
        {"name": "echo", "args": {"value": 1}},
        {"action": "SAY_AGAIN", "parameters": '{"value": 1}'},
        {"id": "c1", "type": "function", "function": {"name": "ECHO", "arguments": '{"value": 1}'}},
        Call(name="ECHO", arguments={"value": 1}),
        Request(function="ECHO", arguments={"value": 1}),
    ],
)
async def test_a_single_call_in_any_form_is_one_call(umbel: Umbel, hands: Hands, asked: Any):
    [told] = await umbel.act(asked)
    assert (told.ok, told.action, told.arguments, told.value, told.error) == (
        True,
        "ECHO",
        {"value": 1},
        1,
        None,
    )


async def test_a_call_without_arguments_is_a_call(umbel: Umbel, hands: Hands):
    assert [each.value for each in await umbel.act([{"function": "PING"}, {"name": "PING", "args": {}}])] == [
        "pong", "pong",
    ]  # fmt: skip


async def test_no_calls_are_no_results(umbel: Umbel):
    assert await umbel.act([]) == []


async def test_what_cannot_run_is_a_failure_in_its_place(umbel: Umbel, hands: Hands):
    asked = [
        echo(1), {"function": "NOBODY", "arguments": {}}, {"function": "WAIT_A_WHILE", "arguments": {}}, "PING", 7,
        {"function": "ECHO", "arguments": "{"}, {"function": "PAY", "arguments": {"amount": 1}},
        {"function": "ECHO", "arguments": {"value": object()}}, echo(2),
    ]  # fmt: skip
    told = await umbel.act(asked)  # type: ignore[arg-type]
    codes = [None if each.error is None else each.error["code"] for each in told]
    assert codes == [
        None, "unknown_action", "invalid_arguments", "malformed_call", "malformed_call", "truncated_call",
        "forbidden_action", "malformed_call", None,
    ]  # fmt: skip
    assert [each.value for each in told if each.ok] == [1, 2]
    assert all(each.run is None and each.status == "refused" and each.attempts == 0 for each in told[1:8])


async def test_permissions_are_those_of_the_caller(umbel: Umbel, hands: Hands):
    call = {"function": "PAY", "arguments": {"amount": 3}}
    assert (await umbel.act(call))[0].status == "refused"
    assert (await umbel.act(call, permissions=["pay"], principal="kim"))[0].value == 3


async def test_equal_calls_are_made_once_if_asked(umbel: Umbel, hands: Hands):
    asked = [
        echo({"a": 1, "b": 2}),
        {"name": "SAY_AGAIN", "args": {"value": {"b": 2, "a": 1}}},
        echo(2),
        "?",
        "?",
    ]
    told = await umbel.act(asked, unique_input=True)  # type: ignore[arg-type]
    assert [each.value for each in told] == [{"a": 1, "b": 2}, 2, None, None]
    assert len(hands.started) == 2


async def test_texts_in_arguments_are_cleaned_only_if_asked(umbel: Umbel, hands: Hands):
    dirty = {"text": " a\x00b\u200b\n", "list": ["\x1b x "], "number": 1}
    assert (await umbel.act(echo(dirty)))[0].value == dirty
    assert (await umbel.act(echo(dirty), sanitize_input=True))[0].value == {
        "text": "ab",
        "list": ["x"],
        "number": 1,
    }


# What comes back


async def test_results_stand_in_the_order_of_the_calls(umbel: Umbel, hands: Hands):
    told = await umbel.act([wait(0.15, 1), wait(0.05, 2), wait(0, 3)])
    assert [each.value for each in told] == [1, 2, 3]
    assert hands.most == 3


async def test_every_failure_is_there_with_its_reason(umbel: Umbel, hands: Hands):
    told = await umbel.act(
        [echo(1), BREAK, {"function": "REFUSE_IT", "arguments": {"why": "the shelf is empty"}}]
    )
    assert [each.status for each in told] == ["succeeded", "failed", "failed"]
    assert told[1].error == {"error": "no luck", "code": "handler_failed"}
    assert told[2].error == {"error": "the shelf is empty", "code": "handler_failed"}
    assert all(each.run and each.value is None for each in told[1:])


async def test_failures_and_nothings_are_dropped_only_if_asked(umbel: Umbel, hands: Hands):
    asked = [echo(None), BREAK, echo(1)]
    assert [each.value for each in await umbel.act(asked)] == [None, None, 1]
    assert [each.value for each in await umbel.act(asked, drop_failed=True)] == [None, 1]
    assert [each.status for each in await umbel.act(asked, drop_none=True)] == ["failed", "succeeded"]
    assert [each.value for each in await umbel.act(asked, drop_none=True, drop_failed=True)] == [1]


async def test_a_default_stands_for_a_failed_value_and_hides_no_error(umbel: Umbel, hands: Hands):
    told = await umbel.act([BREAK, {"function": "NOBODY"}, echo(1)], default=None, drop_none=True)
    assert [each.value for each in told] == [None, None, 1]
    told = await umbel.act([BREAK, echo(1)], default=0)
    assert [(each.value, each.ok) for each in told] == [(0, False), (1, True)]
    assert told[0].error is not None


async def test_lists_are_taken_apart_and_equal_values_kept_once_if_asked(umbel: Umbel, hands: Hands):
    asked = [echo([1, [2, [3]], []]), echo(2), BREAK, BREAK, echo({"list": [1]})]
    assert [each.value for each in await umbel.act(asked, flatten=True)] == [
        1,
        2,
        3,
        2,
        None,
        None,
        {"list": [1]},
    ]
    told = await umbel.act(asked, flatten=True, unique_output=True)
    assert [each.value for each in told] == [1, 2, 3, None, None, {"list": [1]}]


async def test_times_are_told_if_asked(umbel: Umbel, hands: Hands):
    assert (await umbel.act(wait(0.1)))[0].timing is None
    [told] = await umbel.act(wait(0.1), timing=True, initial_delay="100ms")
    assert told.timing is not None
    assert 0.08 < told.timing.waited_s < 5
    assert 0.1 <= told.timing.ran_s < 5


# Retries


async def test_attempts_are_one_more_than_the_retries(umbel: Umbel, hands: Hands):
    [told] = await umbel.act(BREAK, retries=3)
    assert (told.status, told.attempts) == ("failed", 4)
    assert len(hands.times("BREAK")) == 4


async def test_waits_begin_with_the_delay_and_grow_by_the_factor(umbel: Umbel, hands: Hands):
    await umbel.act(BREAK, retries=2, retry_delay="100ms", backoff_factor=3)
    first, second = (later - earlier for earlier, later in pairwise(hands.times("BREAK")))
    assert 0.09 <= first < 0.28
    assert 0.29 <= second < 2


async def test_without_retries_the_action_decides_and_a_number_replaces_that(umbel: Umbel, hands: Hands):
    call = {"function": "STUBBORN_ONE"}
    assert [each.attempts for each in await umbel.act(call)] == [6]
    assert [each.attempts for each in await umbel.act(call, retries=0)] == [1]
    assert [each.attempts for each in await umbel.act(call, retries=1)] == [2]


async def test_what_is_final_is_not_tried_again(umbel: Umbel, hands: Hands):
    [told] = await umbel.act({"function": "REFUSE_IT", "arguments": {"why": "no"}}, retries=3)
    assert told.attempts == 1


# Order and bounds


async def test_sequential_calls_run_one_after_the_other_and_are_retried(umbel: Umbel, hands: Hands):
    told = await umbel.act([wait(0.05, 1), BREAK, wait(0.02, 2), echo(3)], strategy="sequential", retries=1)
    assert [each.value for each in told] == [1, None, 2, 3]
    assert hands.most == 1
    assert [name for _, name, _ in hands.started] == [
        "WAIT_A_WHILE",
        "BREAK",
        "BREAK",
        "WAIT_A_WHILE",
        "ECHO",
    ]


async def test_a_batch_starts_when_the_one_before_has_ended(umbel: Umbel, hands: Hands):
    asked = [wait(0.1, 1), wait(0, 2), wait(0.1, 3), wait(0, 4), wait(0, 5)]
    told = await umbel.act(asked, strategy="batch", batch_size=2)
    assert [each.value for each in told] == [1, 2, 3, 4, 5]
    assert hands.most == 2
    at = {arguments["value"]: when for when, _, arguments in hands.started}
    assert at[3] - at[1] >= 0.1
    assert at[5] - at[3] >= 0.1


async def test_a_batch_has_one_call_if_its_size_is_not_said(umbel: Umbel, hands: Hands):
    await umbel.act([wait(0.02), wait(0.02)], strategy="batch")
    assert hands.most == 1


async def test_no_more_run_at_the_same_time_than_asked(umbel: Umbel, hands: Hands):
    told = await umbel.act([wait(0.03, at) for at in range(10)], max_concurrent=3)
    assert [each.value for each in told] == list(range(10))
    assert hands.most == 3


async def test_starts_are_spaced_and_not_the_collecting(umbel: Umbel, hands: Hands):
    await umbel.act([wait(0.3) for _ in range(4)], throttle="80ms")
    gaps = [later - earlier for earlier, later in pairwise(hands.times("WAIT_A_WHILE"))]
    assert all(gap >= 0.07 for gap in gaps)
    assert hands.most >= 2


async def test_bounds_of_one_batch_hold_up_no_other(umbel: Umbel, hands: Hands):
    slow = asyncio.create_task(umbel.act([wait(0.3), wait(0.3)], max_concurrent=1, throttle="5m"))
    await asyncio.sleep(0)
    [told] = await umbel.act(echo(1), max_concurrent=1, throttle="5m", timeout="5s")
    assert told.value == 1
    await leave(slow)


async def test_the_first_delay_is_once_and_before_everything(umbel: Umbel, hands: Hands):
    began = time.monotonic()
    await umbel.act([echo(1), echo(2), echo(3)], strategy="sequential", initial_delay="150ms")
    starts = hands.times("ECHO")
    assert starts[0] - began >= 0.14
    assert starts[2] - starts[0] < 0.14


async def test_more_calls_than_a_script_takes_are_one_batch(umbel: Umbel, hands: Hands):
    told = await umbel.act([echo(at) for at in range(1_200)], strategy="batch", batch_size=400)
    assert [each.value for each in told] == list(range(1_200))


async def test_order_holds_while_the_later_ones_are_not_recorded_yet(
    umbel: Umbel, hands: Hands, monkeypatch: pytest.MonkeyPatch
):
    submit = umbel._store.runs.submit

    async def slowly(runs: Any) -> int:
        told = await submit(runs)
        await asyncio.sleep(0.3)
        return told

    monkeypatch.setattr(umbel._store.runs, "submit", slowly)
    told = await umbel.act([echo(at) for at in range(1_100)], strategy="batch", batch_size=600, timeout="20s")
    assert [each.value for each in told] == list(range(1_100))
    values = [arguments["value"] for _, _, arguments in hands.started]
    assert max(values.index(at) for at in range(600)) < min(values.index(at) for at in range(600, 1_100))


async def test_what_groups_cost_grows_with_their_calls_and_not_with_their_product(
    umbel: Umbel, hands: Hands, monkeypatch: pytest.MonkeyPatch
):
    submit, sizes = umbel._store.runs.submit, []

    async def weighed(runs: Any) -> int:
        sizes.extend(len(repr(run.row())) for run in runs)
        return await submit(runs)

    monkeypatch.setattr(umbel._store.runs, "submit", weighed)
    await umbel.act([echo(at) for at in range(600)], strategy="batch", batch_size=200)
    assert max(sizes) < 1_500
    assert await _kept(umbel, "br:*") == await _kept(umbel, "bw:*") == []


@pytest.mark.parametrize("strategy", ["sequential", "batch"])
async def test_a_submission_that_is_cut_off_leaves_no_run_that_waits_for_ever(
    umbel: Umbel, hands: Hands, monkeypatch: pytest.MonkeyPatch, strategy: Any
):
    submit, calls = umbel._store.runs.submit, [echo(at) for at in range(1_200)]
    size = 400 if strategy == "batch" else None

    async def once(runs: Any) -> int:
        await submit(runs)
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(umbel._store.runs, "submit", once)
        with pytest.raises(asyncio.CancelledError):
            await umbel.act(calls, strategy=strategy, batch_size=size, key="cut")
    await eventually(lambda: len(hands.started) == 500)

    async def all_have_an_end() -> bool:
        redis = umbel._store.connection.redis
        return all([await redis.ttl(key) > 0 for key in await _kept(umbel, "r:*")])

    await eventually(all_have_an_end)
    told = await umbel.act(calls, strategy=strategy, batch_size=size, key="cut")
    assert [each.value for each in told] == list(range(1_200))
    assert len(hands.started) == 1_200


async def test_a_submission_goes_on_when_redis_was_away_for_a_moment(
    umbel: Umbel, hands: Hands, monkeypatch: pytest.MonkeyPatch
):
    runs, rounds, asked = umbel._store.runs, umbel._store.conversations, []

    def flaky(step: Any) -> Any:
        async def taken(*args: Any, **given: Any) -> Any:
            told = await step(*args, **given)
            asked.append(step)
            if asked.count(step) == 1:
                raise StoreUnavailable("the reply was lost")
            return told

        return taken

    monkeypatch.setattr(runs, "submit", flaky(runs.submit))
    monkeypatch.setattr(rounds, "round", flaky(rounds.round))
    conversation = await umbel.open_conversation()
    calls = [echo(1), echo(2)]
    assert [each.value for each in await umbel.act(calls, strategy="sequential")] == [1, 2]
    assert [each.value for each in await umbel.act(calls, conversation=conversation)] == [1, 2]
    assert len(hands.started) == 4


async def _kept(umbel: Umbel, keys: str) -> list[bytes]:
    connection = umbel._store.connection
    return [key async for key in connection.redis.scan_iter(f"{connection.prefix}{keys}", count=5_000)]


# Clocks


async def test_each_attempt_has_its_time(umbel: Umbel, hands: Hands):
    told = await umbel.act([wait(5), wait(0, 1)], attempt_timeout="100ms")
    assert [(each.status, each.value) for each in told] == [("timed_out", None), ("succeeded", 1)]


async def test_all_together_have_their_time_waits_included(umbel: Umbel, hands: Hands):
    began = time.monotonic()
    asked = [wait(0.05, 1), BREAK, wait(0, 2)]
    told = await umbel.act(asked, strategy="sequential", retries=9, retry_delay="10s", timeout="600ms")
    assert time.monotonic() - began < 5
    assert [each.status for each in told][:2] == ["succeeded", "expired"]
    assert told[1].error is not None
    assert told[1].error["code"] == "expired"


async def test_act_ends_in_time_when_nobody_works(umbel: Umbel):
    began = time.monotonic()
    [told] = await umbel.act(echo(1), timeout="200ms")
    assert time.monotonic() - began < 5
    assert (told.status, told.error and told.error["code"]) == ("expired", "expired")
    assert (await umbel.wait(told.run or "")).status == "cancelled"


# Errors on purpose


async def test_the_first_failure_stops_the_others_and_leaves_none_unobserved(umbel: Umbel, hands: Hands):
    began = time.monotonic()
    with pytest.raises(CallFailed) as raised:
        await umbel.act([wait(30, 1), BREAK, wait(0, 2)], suppress_errors=False)
    assert time.monotonic() - began < 10
    assert raised.value.failed.action == "BREAK"
    assert "no luck" in str(raised.value)
    assert [each.status for each in raised.value.results] == ["cancelled", "failed", "succeeded"]
    for each in raised.value.results:
        assert (await umbel.wait(each.run or "")).status == each.status


async def test_what_stands_behind_a_failure_never_starts(umbel: Umbel, hands: Hands):
    with pytest.raises(CallFailed) as raised:
        await umbel.act([echo(1), BREAK, echo(2)], strategy="sequential", suppress_errors=False)
    assert [each.status for each in raised.value.results] == ["succeeded", "failed", "cancelled"]
    assert [name for _, name, _ in hands.started] == ["ECHO", "BREAK"]
    assert raised.value.results[2].run is None


async def test_a_call_that_cannot_run_stops_all_before_the_first(umbel: Umbel, hands: Hands):
    with pytest.raises(CallFailed, match="NOBODY"):
        await umbel.act([echo(1), {"function": "NOBODY"}], suppress_errors=False)
    assert hands.started == []


# Durable


async def test_runs_go_on_without_the_caller_and_a_key_finds_them_again(umbel: Umbel, hands: Hands):
    asked = [wait(0.3, 1), echo(2)]
    caller = asyncio.create_task(umbel.act(asked, key="k", strategy="sequential"))
    await eventually(lambda: hands.started)
    await leave(caller)
    assert [each.value for each in await umbel.act(asked, key="k", strategy="sequential")] == [1, 2]
    assert len(hands.started) == 2
    with pytest.raises(IdempotencyConflict):
        await umbel.act([wait(0.3, 2), echo(2)], key="k", strategy="sequential")
    assert [
        each.value for each in await umbel.act(asked, key="k", strategy="sequential", tenant="other")
    ] == [1, 2]
    assert len(hands.started) == 4


async def test_the_log_tells_of_each_batch_once(umbel: Umbel, hands: Hands, caplog: pytest.LogCaptureFixture):
    with caplog.at_level("INFO", logger="umbel.act"):
        await umbel.act([echo("private"), BREAK])
    [line] = [record.getMessage() for record in caplog.records if record.name == "umbel.act"]
    assert line.endswith("2 calls, 1 of them failed")
    assert "private" not in line


# In a conversation


async def test_request_and_results_are_messages_once(umbel: Umbel, hands: Hands):
    conversation = await umbel.open_conversation()
    asked = [echo("a"), BREAK, {"function": "NOBODY", "arguments": {}}, {**echo("b"), "id": "mine"}]
    told = await umbel.act(asked, conversation=conversation)
    assert [each.status for each in told] == ["succeeded", "failed", "refused", "succeeded"]
    request, *results = await umbel.messages(conversation)
    assert request["role"] == "assistant"
    assert [call["function"]["name"] for call in request["tool_calls"]] == ["ECHO", "BREAK", "NOBODY", "ECHO"]
    assert [each["tool_call_id"] for each in results] == [call["id"] for call in request["tool_calls"]]
    contents = [json.loads(each["content"]) for each in results]
    assert contents == ["a", told[1].error, told[2].error, "b"]
    assert contents[1]["error"] == "no luck"


async def test_order_and_bounds_hold_in_a_conversation_too(umbel: Umbel, hands: Hands):
    conversation = await umbel.open_conversation()
    asked = [wait(0.02, at) for at in range(4)]
    told = await umbel.act(asked, conversation=conversation, strategy="sequential", retries=0, timeout="20s")
    assert [each.value for each in told] == [0, 1, 2, 3]
    assert hands.most == 1
    await umbel.act(asked, conversation=conversation, max_concurrent=2)
    assert hands.most == 2


async def test_retries_and_clocks_hold_in_a_conversation_too(umbel: Umbel, hands: Hands):
    conversation = await umbel.open_conversation()
    asked = [BREAK, {"function": "STUBBORN_ONE"}, wait(30)]
    told = await umbel.act(asked, conversation=conversation, retries=1, attempt_timeout="100ms")
    assert [(each.status, each.attempts) for each in told] == [("failed", 2), ("failed", 2), ("timed_out", 1)]
    [told_late] = await umbel.act(wait(30), conversation=conversation, timeout="300ms")
    assert told_late.status == "expired"
    view = await umbel._store.runs.read(told_late.run or "")
    assert view is not None
    assert (view.deadline_us or 0) - (view.created_us or 0) == 300_000


async def test_a_conversation_stays_as_it_is_when_a_call_cannot_run_and_errors_count(
    umbel: Umbel, hands: Hands
):
    conversation = await umbel.open_conversation()
    with pytest.raises(CallFailed):
        await umbel.act([echo(1), {"function": "NOBODY"}], conversation=conversation, suppress_errors=False)
    assert await umbel.messages(conversation) == []
    assert hands.started == []


async def test_one_failure_stops_a_conversations_calls_and_its_round_is_complete(umbel: Umbel, hands: Hands):
    conversation = await umbel.open_conversation()
    with pytest.raises(CallFailed):
        await umbel.act([BREAK, wait(30)], conversation=conversation, suppress_errors=False)
    assert len(await umbel.messages(conversation)) == 3
    assert (await umbel._store.conversations.read(conversation)).status == "idle"


async def test_the_same_key_is_one_round_of_a_conversation(umbel: Umbel, hands: Hands):
    conversation = await umbel.open_conversation()
    for _ in range(2):
        assert [each.value for each in await umbel.act([echo(1)], conversation=conversation, key="k")] == [1]
    assert len(await umbel.messages(conversation)) == 2
    with pytest.raises(IdempotencyConflict):
        await umbel.act([echo(2)], conversation=conversation, key="k")


async def test_a_conversation_has_to_be_there_and_free(umbel: Umbel, hands: Hands):
    with pytest.raises(UnknownConversation):
        await umbel.act(echo(1), conversation="conv_nobody")
    with pytest.raises(InvalidId):
        await umbel.act(echo(1), conversation="nobody")
    conversation = await umbel.open_conversation()
    running = asyncio.create_task(umbel.act(wait(0.5), conversation=conversation))
    await eventually(lambda: hands.started)
    with pytest.raises(ConversationBusy):
        await umbel.act(echo(1), conversation=conversation)
    await running


async def test_a_conversation_takes_no_more_calls_than_a_reply(umbel: Umbel, hands: Hands):
    conversation = await umbel.open_conversation()
    told = await umbel.act([echo(at) for at in range(130)], conversation=conversation)
    assert [each.error["code"] for each in told[128:] if each.error] == ["too_many_calls", "too_many_calls"]
    assert all(each.ok for each in told[:128])


# The guide


def test_every_option_stands_in_the_guide_with_its_default():
    page = (Path(__file__).parents[3] / "docs" / "act.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (?:`(.+?)`|not set) \|", page, re.MULTILINE)
    written = {name: default or "UNSET" for name, default in rows}
    fields = {field.name: field.default for field in dataclasses.fields(ActOptions)}
    assert written == {name: str(value) if value != "" and not isinstance(value, str) else json.dumps(value)
                       for name, value in fields.items()}  # fmt: skip


def test_the_names_that_the_original_had_can_be_found_in_the_guide():
    page = (Path(__file__).parents[3] / "docs" / "act.md").read_text()
    names = (
        "suppress_errors", "sanitize_input", "unique_input", "num_retries", "initial_delay", "retry_delay",
        "backoff_factor", "retry_default", "retry_timeout", "retry_timing", "max_concurrent", "throttle_period",
        "flatten", "dropna", "unique_output", "flatten_tuple_set", "strategy", "batch_size",
    )  # fmt: skip
    assert [name for name in names if f"`{name}`" not in page] == []
