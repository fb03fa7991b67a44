"""What providers' bodies and streams must agree on: whose reply it is, what counts where it says two things."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cases import families
from intake_replies import chat, codes, good, tool_call
from intake_streams import block, calls, chunk, entry, message, use

from actions.messages import Call
from orchestrator.intake import read
from orchestrator.intake.incoming import StreamReader

WIRES = {each.name: each.sample for each in families() if each.kind != "dialect"}
BASES = {name.removesuffix(".stream") for name in WIRES} - {"ollama.chat"}
FOREIGN = [
    pytest.param(sample, f"{wire}{end}", id=f"{name} as {wire}{end}")
    for name, sample in WIRES.items()
    for wire in sorted(BASES)
    for end in ("", ".stream")
    if wire != name.removesuffix(".stream") and not {wire, name} >= {"openai.chat", "ollama.chat.stream"}
]
PAY = tool_call("pay", '{"euros": 4}')
ITEM = {"type": "function_call", "name": "plant", "arguments": '{"tree": "oak"}'}


def response(kind: str, **told: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", **told}


def completed(*items: Any) -> dict[str, Any]:
    return response("completed", response={"output": list(items)})


ADDED = response(
    "output_item.added", output_index=0, item={**ITEM, "id": "f", "call_id": "c", "arguments": ""}
)
DELTA = response("function_call_arguments.delta", output_index=0, delta='{"tree": "oak"}')
DONE = response("output_item.done", output_index=0, item={**ITEM, "id": "f", "call_id": "c"})


@pytest.mark.parametrize(("sample", "name"), FOREIGN)
def test_a_reply_of_another_wire_than_the_one_that_was_named_is_an_error(sample: Any, name: str):
    reply = read(sample, name)
    assert good(reply) == []
    assert reply.errors


@pytest.mark.parametrize("name", sorted(WIRES))
@pytest.mark.parametrize(
    "raw", [{"text": "hi"}, {"action": "GO", "args": {}}, {"name": "go", "arguments": {}}, "go"]
)
def test_what_is_no_reply_of_a_wire_is_an_error_where_one_was_named(name: str, raw: Any):
    assert (good(read(raw, name)), codes(read(raw, name))[:1] != []) == ([], True)


@pytest.mark.parametrize("event", [chunk(content="Hi."), {"model": "m", "response": "Hi.", "done": True}])
def test_one_event_by_itself_is_a_stream(event: dict[str, Any]):
    for raw in (event, json.dumps(event)):
        reply = read(raw)
        assert (reply.text, reply.format.endswith(".stream"), reply.errors) == ("Hi.", True, ())


@pytest.mark.parametrize("raw", ["data: [DONE]\n\n", ": ping\n\ndata: [DONE]\n\n", ["[DONE]"]])
def test_a_stream_of_nothing_is_an_error_and_no_text(raw: Any):
    assert (read(raw).text, codes(read(raw))) == ("", ["unexpected_body"])


def test_of_several_choices_the_one_with_the_lowest_index_is_the_reply():
    first, second = chat(content="one")["choices"][0], {**chat(content="two")["choices"][0], "index": 1}
    assert read({"choices": [second, first]}).text == "one"
    parts = [{"index": at, "content": {"parts": [{"text": text}]}} for at, text in ((1, "two"), (0, "one"))]
    assert read({"candidates": parts}).text == read([{"candidates": parts}]).text == "one"


@pytest.mark.parametrize("text", ["{x in [0,1) : x>0} is half open", "{ so be it", "{"])
def test_a_brace_in_prose_is_no_broken_body(text: str):
    assert (read(text).text, read(text).errors) == (text, ())


def test_an_object_that_breaks_off_is_a_broken_body():
    assert codes(read('{"answer": "Yes')) == codes(read('{\n  "answer": [1,')) == ["not_json"]


@pytest.mark.parametrize(
    "events",
    [
        message(block(0, {**use(), "input": {"wall": "north"}}, '{"wall": "south"}')),
        [
            calls(entry(0, "a", "x", '{"b": 1}')),
            calls(entry(1, "b", "y", "{")),
            calls(entry(0, None, None, "}")),
        ],
        [calls(entry(0, "a", "x", {"b": 1})), calls(entry(0, "a", None, {"b": 2})), chunk("stop")],
        [ADDED, DELTA, response("function_call_arguments.done", output_index=0, arguments='{"tree": "elm"}')],
        [ADDED, DELTA, {**DONE, "item": {**DONE["item"], "arguments": '{"tree": "elm"}'}}],
        [ADDED, DELTA, DONE, completed({**DONE["item"], "arguments": '{"tree": "elm"}'})],
    ],
)
def test_a_call_that_is_said_in_two_ways_does_not_run(events: list[Any]):
    reply = read(events)
    assert good(reply) == []
    assert "malformed_call" in codes(reply)


def test_what_was_let_out_before_it_is_contradicted_is_an_error():
    events = [ADDED, DELTA, DONE, completed({**DONE["item"], "arguments": '{"tree": "elm"}'})]
    reader = StreamReader()
    told = [piece for event in events for piece in reader.feed_event(event)]
    assert [isinstance(piece, Call) for piece in told] == [True, False]
    assert codes(reader.close()[1]) == ["unexpected_body"]


@pytest.mark.parametrize("lost", ["", '{"tr', "{}"])
def test_the_end_of_an_item_says_all_of_it_where_fragments_were_lost(lost: str):
    assert good(read([ADDED, {**DELTA, "delta": lost}, DONE])) == [("plant", {"tree": "oak"})]


@pytest.mark.parametrize(
    "events",
    [
        [response("output_item.done", item_id="i", item=ITEM), completed(ITEM)],
        [ADDED, DELTA, DONE, completed({"type": "reasoning"}, {**ITEM, "id": "f9", "call_id": "c9"})],
        [
            chunk("function_call", function_call={"name": "plant", "arguments": '{"tree": "oak"}'}),
            calls(entry(0, "a", "plant", '{"tree":"oak"}'), finish="tool_calls"),
        ],
        [
            calls(entry(0, None, "plant", '{"tree": "oak"}')),
            calls(entry(0, None, "plant", '{"tree":"oak"}')),
            chunk("stop"),
        ],
    ],
)
def test_a_call_that_is_said_twice_runs_once(events: list[Any]):
    assert good(read(events)) == [("plant", {"tree": "oak"})]


def test_two_equal_items_of_a_response_are_two_calls():
    twice = [{**ITEM, "id": name, "call_id": name} for name in ("a", "b")]
    done = [response("output_item.done", output_index=at, item=item) for at, item in enumerate(twice)]
    assert len(good(read([*done, completed(*twice)]))) == len(good(read([completed(*twice)]))) == 2


def test_a_block_without_input_is_cut_where_the_stream_breaks_off_behind_it():
    assert codes(read(message(block(0, use()), stop=None))) == ["truncated_call"]
    assert good(read(message(block(0, use()), stop="tool_use"))) == [("paint", {})]


def test_an_error_beside_calls_is_told_and_whole_calls_run():
    reply = read({**chat(PAY), "error": {"message": "Overloaded"}})
    assert (good(reply), codes(reply)) == ([("pay", {"euros": 4})], ["provider_error"])


@pytest.mark.parametrize("size", [1_000, 100_000])
def test_many_fragments_of_one_call_take_no_longer_than_their_size(size: int):
    piece = {"index": 0, "function": {"name": "x", "arguments": "}" * 10}}
    events = [calls(entry(0, None, "x", '{"a": "')), *[calls(piece)] * (size // 10), chunk("stop")]
    assert codes(read(events)) == ["truncated_call"]
