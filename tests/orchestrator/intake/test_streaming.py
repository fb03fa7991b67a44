"""Streams that the table has no row for: what is no stream, caps, keys that stand twice, and what comes too late."""

from __future__ import annotations

import json
from typing import Any

import pytest
from intake_replies import codes, good
from intake_streams import block, calls, chunk, entry, message, sse, use

from actions.errors import TooManyCalls
from orchestrator.intake import MAX_CALLS, read
from orchestrator.intake.draft import MAX_LISTED
from orchestrator.intake.incoming import StreamReader
from orchestrator.intake.streams.partial_args import PartialArgs


@pytest.mark.parametrize("raw", [[], [1, 2], ["a"], [{}], [{"x": 1}] * 80, [chunk(content="a")["choices"]]])
def test_a_list_of_something_else_is_no_stream(raw: Any):
    assert codes(read(raw)) == ["unexpected_body"]


def test_a_stream_of_another_wire_than_was_asked_for_is_refused():
    assert codes(read(message(block(0, use(), "{}")), "openai.chat.stream")) == ["unexpected_body"]


def test_raw_text_in_which_nothing_can_be_read_is_an_error():
    assert codes(read('data: {"choices": [{"delta"')) == ["not_json"]


def test_events_may_come_as_objects_or_as_their_json():
    events = [calls(entry(0, "a", "x", "{}")), chunk("stop"), "[DONE]"]
    assert read(events) == read([json.dumps(one) if isinstance(one, dict) else one for one in events])


def test_a_stream_that_is_one_array_may_break_off_anywhere():
    text = json.dumps([calls(entry(0, "a", "x", '{"b": 1}')), chunk("tool_calls")])
    for end in range(2, len(text)):
        assert [name for name, _ in good(read(text[:end], "openai.chat.stream"))] in ([], ["x"])


def test_more_calls_than_may_run_are_refused_and_told():
    events = [calls(entry(place, f"c{place}", "x", "{}")) for place in range(MAX_CALLS + 2)]
    reply = read([*events, chunk("tool_calls")])
    assert len(good(reply)) == MAX_CALLS
    assert codes(reply) == [TooManyCalls.code] * 2


def test_a_runaway_is_not_listed_to_its_end():
    events = [calls(entry(place, f"c{place}", "x", "{}")) for place in range(MAX_LISTED + 50)]
    assert len(read([*events, chunk("tool_calls")]).calls) == MAX_LISTED


@pytest.mark.parametrize(
    "delta",
    [
        '{"tool_calls": [{"index": 0, "id": "a", "function": {"name": "x", "name": "y", "arguments": "{}"}}]}',
        '{"tool_calls": [{"index": 0, "id": "a", "id": "b", "function": {"name": "x", "arguments": "{}"}}]}',
    ],
)
def test_a_key_that_stands_twice_in_a_call_refuses_it(delta: str):
    raw = f'data: {{"choices": [{{"delta": {delta}, "finish_reason": "stop"}}]}}\n\n'
    assert codes(read(raw)) == ["malformed_call"]


def test_a_key_that_stands_twice_in_an_event_refuses_what_is_open():
    twice = 'data: {"choices": [], "choices": []}\n\n'
    reply = read(sse([calls(entry(0, "a", "x", '{"b": 1}'))]) + twice)
    assert codes(reply) == ["unexpected_body", "truncated_call"]


@pytest.mark.parametrize("late", ['{"wall": "south"}', "]"])
def test_arguments_that_come_after_the_end_refuse_the_call(late: str):
    parts = block(1, use(), '{"wall": "north"}')
    events = message([*parts, {**parts[1], "delta": {"type": "input_json_delta", "partial_json": late}}])
    assert codes(read(events)) == ["malformed_call"]
    reader = StreamReader()
    told = [piece for event in events for piece in reader.feed_event(event)]
    assert [getattr(piece, "code", "call") for piece in told] == ["call", "unexpected_body"]
    assert codes(reader.close()[1]) == ["unexpected_body"]  # it was let out: that cannot be taken back


def test_a_call_whose_result_stands_in_the_reply_was_run():
    result = {"type": "tool_result", "tool_use_id": "toolu_1"}
    reply = read(message(block(0, use(), "{}"), block(1, result)))
    assert not reply.calls
    assert reply.provider_calls == ("paint",)


def test_a_new_id_in_every_delta_is_one_call():
    events = [calls(entry(0, "a", "x", '{"b"')), calls(entry(0, "z", None, ": 1}")), chunk("stop")]
    assert good(read(events)) == [("x", {"b": 1})]


def test_one_id_for_two_calls_is_two_calls():
    events = [calls(entry(0, "a", "x", '{"b": 1}'), entry(1, "a", "y", "{}")), chunk("stop")]
    assert good(read(events)) == [("x", {"b": 1}), ("y", {})]


def test_a_name_that_may_have_come_in_pieces_runs_nothing():
    events = [calls(entry(0, None, "get_")), calls(entry(0, None, "x")), chunk("stop")]
    assert codes(read(events)) == ["malformed_call"]


def test_calls_that_are_interleaved_keep_their_order_and_their_arguments():
    heads = [calls(entry(0, "a", "x", ""), entry(1, "b", "y", ""))]
    rest = [calls(entry(1, None, None, '{"n": 2}')), calls(entry(0, None, None, '{"n": 1}'))]
    assert good(read([*heads, *rest, chunk("tool_calls")])) == [("x", {"n": 1}), ("y", {"n": 2})]


def test_the_older_way_and_the_newer_are_one_call():
    both = chunk(function_call={"name": "x", "arguments": "{}"}, tool_calls=[entry(0, "a", "x", "{}")])
    assert good(read([both, chunk("stop")])) == [("x", {})]


def part(path: Any, **value: Any) -> dict[str, Any]:
    return {"jsonPath": path, **value}


@pytest.mark.parametrize(
    ("parts", "result"),
    [
        ([part("$.a", stringValue="x")], {"a": "x"}),
        (
            [part("$['a b'][0]", nullValue=None), part('$["a b"][1].c', numberValue=1.5)],
            {"a b": [None, {"c": 1.5}]},
        ),
        ([part("$.a", stringValue="x", willContinue=True), part("$.a")], {"a": "x"}),
        ([part("$.a", willContinue=True), part("$.a", stringValue="y")], {"a": "y"}),
        ([part("$.a", boolValue=False), part("$.b", stringValue="")], {"a": False, "b": ""}),
    ],
)
def test_arguments_put_together_value_by_value(parts: list[Any], result: Any):
    args = PartialArgs()
    for one in parts:
        args.add(one)
    assert (args.problem, args.result()) == ("", result)


@pytest.mark.parametrize(
    "parts",
    [
        [part("a", stringValue="x")],
        [part("$", stringValue="x")],
        [part("$.a[*]", numberValue=1)],
        [part("$.a[2]", numberValue=1)],
        [part("$.a")],
        [part(None, numberValue=1)],
        ["x"],
        [part("$.a", numberValue=1), part("$.a.b", numberValue=1)],
        [part("$.a", numberValue=1), part("$.a", numberValue=2)],
        [part("$.a", stringValue="x", numberValue=1)],
        [part("$.a", stringValue="x", willContinue=True), part("$.b", numberValue=1)],
        [part("$" + ".a" * 100, numberValue=1)],
    ],
)
def test_what_is_addressed_in_no_clear_way_is_a_problem(parts: list[Any]):
    args = PartialArgs()
    for one in parts:
        args.add(one)
    assert args.problem
