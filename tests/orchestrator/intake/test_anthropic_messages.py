from __future__ import annotations

from typing import Any

import pytest
from intake_replies import codes, good, message, tool_use

from orchestrator.intake import read

TEXT = {"type": "text", "text": "I will look."}


def test_tool_use_blocks_are_calls_and_text_blocks_are_shown():
    reply = read(message(TEXT, tool_use("look", {"at": "x"}, "toolu_a"), tool_use("go", {}, "toolu_b")))
    assert good(reply) == [("look", {"at": "x"}), ("go", {})]
    assert [one.id for one in reply.calls] == ["toolu_a", "toolu_b"]
    assert (reply.format, reply.text, reply.continues) == ("anthropic.messages", "I will look.", True)


def test_neighbouring_text_blocks_are_one_text_and_others_part_them():
    blocks: list[Any] = [{"type": "text", "text": text} for text in ("Rain ", "in Oslo.", "Done.")]
    blocks.insert(2, {"type": "web_search_tool_result", "tool_use_id": "s", "content": []})
    assert read(message(*blocks, stop="end_turn")).text == "Rain in Oslo.\n\nDone."


@pytest.mark.parametrize("kind", ["server_tool_use", "mcp_tool_use", "some_future_tool_use"])
def test_tools_that_the_provider_ran_are_never_calls(kind: str):
    ran = {"type": kind, "id": "s", "name": "search", "input": {"query": "x"}}
    reply = read(message(ran, TEXT, tool_use("go", {})))
    assert (good(reply), reply.provider_calls) == ([("go", {})], ("search",))


def test_thinking_is_not_shown():
    thinking = {"type": "thinking", "thinking": "secret", "signature": "s"}
    assert read(message(thinking, TEXT, {"type": "redacted_thinking", "data": "s"})).text == "I will look."


@pytest.mark.parametrize("nothing", [None, {}, "", "null"])
def test_missing_input_is_an_empty_object(nothing: Any):
    assert good(read(message(tool_use("go", nothing)))) == [("go", {})]


@pytest.mark.parametrize(
    "input", [[], 0, False, "x", {"a": float("nan")}, {"a": [{"b": float("inf")}]}, {1: 2}]
)
def test_bad_input_leaves_its_neighbours(input: Any):  # noqa: A002 - the wire's word
    reply = read(message(tool_use("bad", input, "toolu_x"), tool_use("go", {})))
    assert (good(reply), codes(reply)) == ([("go", {})], ["malformed_call"])
    assert (reply.calls[0].id, reply.calls[0].name) == ("toolu_x", "bad")


def test_a_doubled_key_in_an_input_is_refused_though_the_body_is_json():
    text = '{"type": "message", "content": [{"type": "tool_use", "id": "t", "name": "pay", "input": {"n": 1, "n": 9}}]}'
    assert codes(read(text)) == ["malformed_call"]


def test_a_tool_use_that_was_cut_at_the_end_does_not_run_and_the_ones_before_do():
    reply = read(message(tool_use("whole", {"a": 1}), tool_use("half", {}), stop="max_tokens"))
    assert (good(reply), codes(reply)) == ([("whole", {"a": 1})], ["truncated_call"])
    assert good(read(message(tool_use("whole", {}), TEXT, stop="max_tokens"))) == [("whole", {})]


def test_an_imitator_may_send_the_input_as_text():
    assert good(read(message(tool_use("go", '{"a": 1}')))) == [("go", {"a": 1})]


@pytest.mark.parametrize("block", [None, 7, "text", []])
def test_a_block_that_is_no_object_is_reported(block: Any):
    reply = read(message(block, tool_use("go", {})))
    assert (good(reply), codes(reply)) == ([("go", {})], ["unexpected_body"])


@pytest.mark.parametrize("body", [{}, {"content": None}, {"content": {}}, {"type": "message"}])
def test_a_body_of_another_shape_is_one_error(body: dict[str, Any]):
    assert codes(read(body, "anthropic.messages")) == ["unexpected_body"]
