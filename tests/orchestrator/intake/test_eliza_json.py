from __future__ import annotations

import json
from typing import Any

import pytest
from intake_replies import chat, codes, good

from orchestrator.intake import read

ORDER = {"user": "Trader", "text": "Buying.", "action": "BUY_ORDER", "parameters": {"ticker": "ACME", "n": 0}}
BOUGHT = [("BUY_ORDER", {"ticker": "ACME", "n": 0})]


@pytest.mark.parametrize(
    "reply",
    [
        ORDER,
        {"user": "Trader", "content": {key: ORDER[key] for key in ("text", "action", "parameters")}},
        json.dumps(ORDER),
        json.dumps(ORDER).encode(),
        "```json\n" + json.dumps(ORDER, indent=2) + "\n```",
        "```\n" + json.dumps(ORDER) + "\n```",
        "Sure! Here it is:\n```json\n" + json.dumps(ORDER) + "\n```\nAnything else?",
        "Sure! " + json.dumps(ORDER) + " Anything else?",
        chat(content=json.dumps(ORDER), finish="stop"),
        [ORDER],
        json.dumps([ORDER]),
    ],
)
def test_an_action_is_found_as_body_fenced_and_in_prose(reply: Any):
    found = read(reply)
    assert (good(found), found.text, found.errors) == (BOUGHT, "Buying.", ())
    assert (found.format, found.continues) == ("eliza.json", False)


@pytest.mark.parametrize(
    "key", ["arguments", "args", "parameters", "params", "action_arguments", "action_input"]
)
@pytest.mark.parametrize("value", [{"a": 0}, '{"a": 0}'])
def test_arguments_go_by_several_names(key: str, value: Any):
    assert good(read({"action": "GO", key: value})) == [("GO", {"a": 0})]


@pytest.mark.parametrize(
    "asked",
    [
        {"action": "GO"},
        {"action": "GO", "parameters": {}},
        {"action": "GO", "parameters": None, "args": ""},
        {"action": {"name": "GO"}},
        {"actions": ["GO"]},
        {"actions": "GO"},
        {"action": "GO", "actions": ["GO"]},
        {"action_name": "GO", "action_args": {}},
        {"function": {"name": "GO"}},
        {"function": "GO", "arguments": {}},
        {"recipient": "GO", "parameters": {}},
        {"name": "GO", "arguments": "{}"},
        {"name": "GO", "input": {}},
        {"type": "function", "function": {"name": "GO", "arguments": "{}"}},
    ],
)
def test_a_call_without_arguments_is_kept_in_every_shape(asked: Any):
    assert good(read(json.dumps(asked))) == [("GO", {})]


def test_several_actions_keep_their_order_and_their_own_arguments():
    asked = {"text": "Both.", "actions": ["A", {"name": "B", "params": {"x": 1}}, {"action": "A"}]}
    assert good(read(asked)) == [("A", {}), ("B", {"x": 1}), ("A", {})]
    assert good(read({"actions": "A, B"})) == [("A", {}), ("B", {})]
    assert good(read({"actions": ["A"], "params": {"x": 1}})) == [("A", {"x": 1})]


@pytest.mark.parametrize(
    "asked",
    [
        {"action": "GO", "parameters": [1]},
        {"action": "GO", "parameters": "fast"},
        {"action": "GO", "parameters": 0},
        {"action": "GO", "parameters": {"a": 1}, "args": {"a": 2}},
        {"action": "A", "actions": ["B"]},
        {"actions": [{"name": "GO", "args": {"a": float("inf")}}]},
        {"action": {"name": "GO", "args": {"a": 1}}, "params": {"a": 2}},
        {"action": {"name": {"name": "GO"}}},
        {"actions": [7]},
    ],
)
def test_what_can_be_read_in_two_ways_does_not_run(asked: Any):
    reply = read(asked)
    assert (good(reply), codes(reply)) == ([], ["malformed_call"])


def test_arguments_beside_several_names_belong_to_nobody():
    reply = read({"actions": ["A", "B"], "parameters": {"x": 1}})
    assert (good(reply), codes(reply)) == ([], ["malformed_call", "malformed_call"])


@pytest.mark.parametrize(
    "text",
    [
        '{"action": "A", "action": "B"}',
        '{"action": "A", "parameters": {"x": 1, "x": 2}}',
        '{"action": "A", "args": {}, "args": {"x": 1}}',
        '{"action": "A", "action_args": {"x": 1}, "args": {"x": 2}}',
    ],
)
def test_doubled_keys_do_not_run(text: str):
    assert codes(read(text)) == ["malformed_call"]


@pytest.mark.parametrize("nothing", [None, "", []])
def test_an_empty_action_is_no_call_and_the_text_is_shown(nothing: Any):
    reply = read({"user": "Trader", "text": "Hello.", "action": nothing, "actions": nothing})
    assert (reply.calls, reply.text, reply.errors, reply.format) == ((), "Hello.", (), "eliza.json")


def test_names_like_none_are_calls_like_others():
    assert good(read({"text": "x", "action": "NONE"})) == [("NONE", {})]


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Ada", "age": 36}',
        '{"name": "search", "description": "d", "parameters": {"type": "object", "properties": {}}}',
        "[1, 2, 3]",
        '[{"name": "Ada"}]',
        '{"action": 7, "x": 1}',
        'Such as `{"action": "GO"}` for example.',
        '```javascript\nsend({"action": "GO"})\n```',
        'People: {"name": "Ada", "arguments": {}} and so on.',
        '{"data": {"action": "GO"}}',
        'In a text: {"quote": "{\\"action\\": \\"GO\\"}"}',
        'Use {braces} and {\'quotes\'} and {"a"} freely. { "',
    ],
)
def test_what_asks_for_nothing_stays_text(text: str):
    reply = read(text)
    assert (reply.calls, reply.errors, reply.text) == ((), (), text)


@pytest.mark.parametrize(
    "text",
    [
        '{"text": "Buying.", "action": "GO", "parameters": {"a": 1}',
        '{"action": "GO", "parameters": {"a": {"action": "INNER"}',
        'Well: {"action": "GO", "text": "half',
        '```json\n{"action": "GO", "parameters": {"a": ',
    ],
)
def test_a_cut_off_object_never_runs_nor_does_what_stands_in_it(text: str):
    reply = read(text)
    assert (good(reply), codes(reply)) == ([], ["truncated_call"])
    assert reply.calls[0].name == "GO"


def test_a_broken_object_is_malformed_and_the_next_one_runs():
    reply = read('First {"action": "A", "x": oops} then {"action": "B"}.')
    assert (good(reply), codes(reply)) == ([("B", {})], ["malformed_call"])
    assert reply.calls[0].name == "A"


def test_alone_or_fenced_it_may_be_written_by_hand():
    assert good(read("{'action': 'GO', 'parameters': {'on': True,},}")) == [("GO", {"on": True})]
    assert good(read("```json\n{action: 'GO'}\n```")) == [("GO", {})]
    assert codes(read("Perhaps {'action': 'GO'}.")) == ["malformed_call"]


def test_a_body_that_breaks_off_is_reported_also_without_an_action():
    reply = read('{"choices": [{"message": {"tool_calls": [{"function": {"name": "x", "argum')
    assert (reply.calls, codes(reply)) == ((), ["not_json"])
