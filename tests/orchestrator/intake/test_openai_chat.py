from __future__ import annotations

import json
from typing import Any

import pytest
from intake_replies import chat, codes, good, tool_call

from orchestrator.intake import read


def test_tool_calls_come_out_in_order_with_their_ids():
    reply = read(
        chat(tool_call("first", '{"a": 1}', "call_a"), tool_call("second", "{}", "call_b"), content="On it.")
    )
    assert good(reply) == [("first", {"a": 1}), ("second", {})]
    assert [one.id for one in reply.calls] == ["call_a", "call_b"]
    assert (reply.format, reply.text, reply.continues, reply.errors) == ("openai.chat", "On it.", True, ())


@pytest.mark.parametrize("shape", [lambda body: body, json.dumps, lambda body: json.dumps(body).encode()])
@pytest.mark.parametrize("wanted", [None, "openai.chat", "OpenAI.Chat"])
def test_a_body_is_read_the_same_parsed_as_text_and_as_bytes(shape: Any, wanted: str | None):
    assert good(read(shape(chat(tool_call("go", '{"to": "x"}'))), wanted)) == [("go", {"to": "x"})]


def test_a_bare_assistant_message_is_enough():
    reply = read({"role": "assistant", "content": None, "tool_calls": [tool_call("go", "{}")]})
    assert (reply.format, good(reply)) == ("openai.chat", [("go", {})])


@pytest.mark.parametrize("nothing", ["", " ", "null", None, "{}", {}])
def test_missing_arguments_are_an_empty_object(nothing: Any):
    assert good(read(chat(tool_call("go", nothing)))) == [("go", {})]


def test_a_call_without_the_key_arguments_is_kept():
    assert good(read(chat({"id": "c", "type": "function", "function": {"name": "go"}}))) == [("go", {})]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('{"n": 0, "on": false, "text": ""}', {"n": 0, "on": False, "text": ""}),
        ('{"n": "100"}', {"n": "100"}),
        ({"n": 1}, {"n": 1}),
        ('"{\\"n\\": 1}"', {"n": 1}),
        (' \n{"n": 1}\n', {"n": 1}),
        ('{"n": null}', {"n": None}),
        ('{"\\ud83c\\udf89": "\\u00e9"}', {"🎉": "é"}),
    ],
)
def test_arguments_are_taken_as_they_are(arguments: Any, expected: dict[str, Any]):
    assert good(read(chat(tool_call("go", arguments)))) == [("go", expected)]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ('{"a": 1', "truncated_call"),
        ('{"a": "and so o', "truncated_call"),
        ('{"a": tr', "truncated_call"),
        ('{"a": [1, 2', "truncated_call"),
        ("{", "truncated_call"),
        ('{"a": 1} {"a": 2}', "malformed_call"),
        ('{"a": 1, "a": 2}', "malformed_call"),
        ('{"x": [{"a": 1, "a": 1}]}', "malformed_call"),
        ('{"a": NaN}', "malformed_call"),
        ('{"a": -Infinity}', "malformed_call"),
        ('{"a": 1e999}', "malformed_call"),
        ('{"a": ' + "9" * 5000 + "}", "malformed_call"),
        ('{"a": "\\ud800"}', "malformed_call"),
        ('{"\\udfff": 1}', "malformed_call"),
        ('{"a": ' * 70 + "1" + "}" * 70, "malformed_call"),
        ('{"a": ' * 5000 + "1" + "}" * 5000, "malformed_call"),
        ("[1]", "malformed_call"),
        ("7", "malformed_call"),
        ('"text"', "malformed_call"),
        ("false", "malformed_call"),
        ("run it", "malformed_call"),
        (["a"], "malformed_call"),
        (7, "malformed_call"),
        (False, "malformed_call"),
    ],
)
def test_bad_arguments_make_one_malformed_call_and_leave_its_neighbours(arguments: Any, code: str):
    reply = read(
        chat(tool_call("one", "{}", "1"), tool_call("bad", arguments, "2"), tool_call("two", "{}", "3"))
    )
    assert good(reply) == [("one", {}), ("two", {})]
    bad = reply.calls[1]
    assert (bad.name, bad.id, bad.arguments) == ("bad", "2", None)
    assert bad.error is not None
    assert (bad.error.code, codes(reply)) == (code, [code])
    assert "'bad'" in bad.error.message
    assert len(bad.error.message) < 300


def test_nesting_of_64_levels_is_allowed():
    reply = read(chat(tool_call("go", '{"a": ' * 64 + "1" + "}" * 64)))
    assert len(good(reply)) == 1


def test_the_finish_reason_is_not_believed():
    assert good(read(chat(tool_call("go", '{"a": 1}'), finish="length"))) == [("go", {"a": 1})]
    assert good(read(chat(tool_call("go", '{"a": 1}'), finish=""))) == [("go", {"a": 1})]
    assert codes(read(chat(tool_call("go", '{"a": 1'), finish="tool_calls"))) == ["truncated_call"]


@pytest.mark.parametrize("name", [None, "", "  ", 7, ["x"], "x" * 300, "half\ud83c"])
def test_a_call_without_a_readable_name_is_malformed_and_keeps_its_id(name: Any):
    reply = read(chat(tool_call(name, '{"a": 1}', "call_9")))
    assert good(reply) == []
    assert (reply.calls[0].id, codes(reply)) == ("call_9", ["malformed_call"])


def test_what_is_filled_with_zeros_is_no_call():
    zero = {"name": "", "arguments": ""}
    entry = tool_call("go", "{}", custom={"name": "", "input": ""})
    reply = read(chat(entry, {"id": "", "type": "function", "function": zero}, function_call=zero))
    assert (good(reply), reply.errors) == ([("go", {})], ())
    assert read(chat(content="Hi", function_call=zero)).calls == ()


def test_the_older_function_call_counts_where_no_tool_call_is():
    older = {"name": "go", "arguments": '{"a": 1}'}
    assert good(read(chat(function_call=older))) == [("go", {"a": 1})]
    assert good(read({"role": "assistant", "content": None, "function_call": older})) == [("go", {"a": 1})]
    assert good(read(chat(tool_call("go", '{"a": 1}'), function_call=older))) == [("go", {"a": 1})]


def test_a_custom_tools_input_is_a_text_whatever_it_looks_like():
    def custom(text: Any) -> dict[str, Any]:
        return {"id": "c", "type": "custom", "custom": {"name": "go", "input": text}}

    assert good(read(chat(custom("print(1)")))) == [("go", {"input": "print(1)"})]
    assert good(read(chat(custom('{"a": 1}')))) == [("go", {"input": '{"a": 1}'})]
    assert codes(read(chat(custom("print("), finish="length"))) == ["truncated_call"]
    assert codes(read(chat(custom(["a"])))) == ["malformed_call"]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [("{'a': 1}", "single quotes"), ('{"a": 1,}', "trailing comma"), ("{a: 1}", "keys without quotes")],
)
def test_what_was_mended_in_arguments_is_told(arguments: str, what: str):
    reply = read(chat(tool_call("go", arguments)))
    assert (good(reply), reply.errors) == ([("go", {"a": 1})], ())
    assert reply.calls[0].repaired == (what,)


def test_mistrals_name_is_another_word_for_it():
    assert good(read(chat(tool_call("go", "{}")), "mistral.chat")) == [("go", {})]


def test_entries_of_a_providers_own_kind_are_no_calls():
    own = {"id": "s", "type": "web_browser", "web_browser": {"outputs": []}}
    reply = read(chat(own, tool_call("go", "{}")))
    assert (good(reply), reply.provider_calls, reply.errors) == ([("go", {})], ("web_browser",), ())


@pytest.mark.parametrize("arguments", ["", None, {}, {"a": 1}])
def test_only_the_last_call_is_doubted_when_the_reply_was_cut(arguments: Any):
    reply = read(chat(tool_call("go", arguments), tool_call("go", arguments), finish="length"))
    assert (len(good(reply)), codes(reply)) == (1, ["truncated_call"])


@pytest.mark.parametrize("entry", [None, 7, "go", ["go"], {"id": "x"}, {"id": "x", "function": []}])
def test_an_entry_that_is_no_call_is_reported(entry: Any):
    reply = read(chat(entry, tool_call("go", "{}")))
    assert (good(reply), codes(reply)) == ([("go", {})], ["malformed_call"])


def test_doubled_ids_stay_as_they_came():
    reply = read(chat(tool_call("a", "{}", "same"), tool_call("b", "{}", "same")))
    assert [one.id for one in reply.calls] == ["same", "same"]


def test_a_doubled_key_around_the_arguments_is_no_guess():
    entry = '{"id": "1", "function": {"name": "go", "arguments": "{}", "arguments": "{\\"all\\": true}"}}'
    reply = read('{"role": "assistant", "tool_calls": [%s]}' % entry)  # noqa: UP031 - braces everywhere
    assert (good(reply), codes(reply)) == ([], ["malformed_call"])
    assert codes(read('{"role": "assistant", "tool_calls": [], "tool_calls": []}')) == ["unexpected_body"]


def test_only_the_first_choice_is_the_reply():
    body = chat(tool_call("go", "{}"))
    body["choices"].append(chat(tool_call("other", "{}"))["choices"][0])
    assert good(read(body)) == [("go", {})]


def test_content_parts_are_joined_and_reasoning_is_not_shown():
    parts = [
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": "Hel"},
        {"type": "text", "text": "lo"},
    ]
    reply = read(chat(content=parts, reasoning_content="secret", finish="stop"))
    assert (reply.text, reply.continues) == ("Hello", False)
    assert read(chat(tool_call("go", "{}"), content="<think>secret</think>\n\nGoing.")).text == "Going."


def test_a_refusal_is_shown():
    assert read(chat(refusal="I will not.", finish="stop")).text == "I will not."


def test_tools_that_the_provider_ran_are_named_only():
    reply = read(chat(content="Found.", executed_tools=[{"type": "search", "index": 0}], finish="stop"))
    assert (reply.provider_calls, reply.calls) == (("search",), ())


@pytest.mark.parametrize(
    "body",
    [
        {"choices": []},
        {"choices": [{}]},
        {"choices": {}},
        {"choices": [None]},
        {"hello": 1},
        {},
    ],
)
def test_a_body_of_another_shape_is_one_error(body: dict[str, Any]):
    reply = read(body, "openai.chat")
    assert (reply.calls, codes(reply)) == ((), ["unexpected_body"])


def test_tool_calls_that_are_no_list_are_an_error():
    assert codes(read({"role": "assistant", "content": "x", "tool_calls": {"a": 1}})) == ["unexpected_body"]
