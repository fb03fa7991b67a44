from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from intake_replies import chat, codes, good, message, tool_call, tool_use

from actions.messages import Reply
from orchestrator.intake import KNOWN, MAX_BODY, MAX_CALLS, read, read_text

TAG = "[ACTION:GO]{}[/ACTION]"


WIRES = (
    "openai.chat", "openai.responses", "anthropic.messages", "gemini.generateContent", "gemini.interactions",
    "bedrock.converse", "cohere.chat",
)  # fmt: skip


def test_every_wire_is_known_whole_and_streamed():
    for wire in WIRES:
        assert {wire, f"{wire}.stream", f"{wire}.sse_raw"} <= set(KNOWN)


@pytest.mark.parametrize("name", ["", "xml", "openai", "openai.chat.streams", "gemini.", 7, ["text"]])
def test_an_unknown_format_is_an_error_that_names_the_known_ones(name: Any):
    for raw in (TAG, chat(tool_call("go", "{}"))):
        reply = read(raw, name)
        assert (reply.calls, codes(reply)) == ((), ["unknown_format"])
        assert all(known in reply.errors[0].message for known in KNOWN)


@pytest.mark.parametrize("name", ["coach.tags", "Coach.Tags", " COACH.TAGS "])
def test_a_format_may_be_named_in_any_case(name: str):
    assert good(read(TAG, name)) == [("GO", {})]


def test_a_named_format_is_the_only_one_looked_for():
    mixed = TAG + '<action name="X"/>'
    assert [name for name, _ in good(read(mixed, "coach.tags"))] == ["GO"]
    assert [name for name, _ in good(read(mixed, "coach.xml"))] == ["X"]
    assert [name for name, _ in good(read(chat(content=mixed), "coach.xml"))] == ["X"]
    assert (read(mixed, "text").calls, read(mixed, "text").text) == ((), mixed)
    assert read(chat(content=mixed), "text").calls == ()


def test_plain_text_is_no_error():
    reply = read("Good morning!\n\n\n\nHow are you?  ")
    assert reply == Reply(format="text", text="Good morning!\n\nHow are you?")


def test_a_text_of_a_model_is_never_taken_for_a_providers_body():
    text = json.dumps({"role": "assistant", "content": "x", "tool_calls": [tool_call("go", "{}")]})
    assert (read(text).format, good(read(text))) == ("openai.chat", [("go", {})])
    assert read_text(text, []).calls == ()
    assert read_text(text).format == "json"
    assert good(read_text(TAG)) == [("GO", {})]


@pytest.mark.parametrize(
    ("raw", "wanted", "code"),
    [
        (b"\xff\xfe{}", None, "invalid_utf8"),
        (b'{"a": "\xc3"}', None, "invalid_utf8"),
        ("hello", "openai.chat", "not_json"),
        ("", "openai.chat", "not_json"),
        ("{]", "anthropic.messages", "not_json"),
        ("[1]", "openai.chat", "unexpected_body"),
        ([1], "openai.chat", "unexpected_body"),
        ({"unknown": 1}, None, "unexpected_body"),
        ({"unknown": 1}, "coach.tags", "unexpected_body"),
        ([], None, "unexpected_body"),
        (7, None, "unexpected_body"),
        (None, None, "unexpected_body"),
        ("x" * (MAX_BODY + 1), None, "too_large"),
        (b"x" * (MAX_BODY + 1), "openai.chat", "too_large"),
        ("[" * 10_000, None, "too_deep"),
        ('{"a":' * 10_000 + "1" + "}" * 10_000, "openai.chat", "too_deep"),
    ],
)
def test_what_cannot_be_used_at_all_is_one_error(raw: Any, wanted: str | None, code: str):
    reply = read(raw, wanted)
    assert (reply.calls, reply.text, codes(reply)) == ((), "", [code])


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "Overloaded", "type": "overloaded_error"}},
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        {"error": {"code": "tool_use_failed", "message": "Overloaded", "failed_generation": TAG}},
        {"error": "Overloaded"},
        {"object": "error", "message": "Overloaded", "code": 40303},
    ],
)
@pytest.mark.parametrize("wanted", [None, "openai.chat", "anthropic.messages"])
def test_a_providers_error_is_an_error(body: dict[str, Any], wanted: str | None):
    reply = read(body, wanted)
    assert (reply.calls, codes(reply)) == ((), ["provider_error"])
    assert "Overloaded" in reply.errors[0].message


def test_an_empty_error_beside_a_reply_is_none():
    assert good(read({**chat(tool_call("go", "{}")), "error": None})) == [("go", {})]


def test_calls_beyond_the_cap_are_refused_one_by_one():
    reply = read(chat(*(tool_call("go", '{"n": %d}' % n, f"call_{n}") for n in range(1_000))))  # noqa: UP031
    assert len(reply.calls) == 1_000
    assert [one.arguments for one in reply.calls[:MAX_CALLS]] == [{"n": n} for n in range(MAX_CALLS)]
    assert {one.error.code for one in reply.calls[MAX_CALLS:] if one.error} == {"too_many_calls"}
    assert reply.calls[999].id == "call_999"
    assert codes(reply) == ["too_many_calls"] * (1_000 - MAX_CALLS)


@pytest.mark.parametrize(
    "raw",
    [
        chat(*([tool_call("go", "{}")] * 20_000)),
        message(*([tool_use("go", {})] * 20_000)),
        "".join(f'[ACTION:GO]{{"n": {n}}}[/ACTION]' for n in range(20_000)),
        "".join(f'<action name="a{n}"/>' for n in range(20_000)),
        json.dumps({"actions": ["a"] * 20_000}),
        json.dumps([{"action": "a"}] * 20_000),
        "".join(f'{{"action": "a{n}"}} ' for n in range(20_000)),
    ],
)
def test_a_runaway_is_cut_short(raw: Any):
    reply = read(raw)
    assert len(good(reply)) == MAX_CALLS
    assert len(reply.calls) == 1_024
    assert reply.errors[0].message.startswith("The reply holds more than")


def test_half_surrogate_pairs_never_leave_intake():
    reply = read(f"a\ud800b {TAG}")
    assert (reply.text, good(reply)) == ("a�b", [("GO", {})])
    reply = read(chat(tool_call("go\udc00", '{"a": 1}', "id\ud800"), content="x\udfff"))
    reply.model_dump_json()
    assert (codes(reply), reply.calls[0].id) == (["malformed_call"], "id�")


def test_a_byte_order_mark_is_no_content():
    assert good(read(b"\xef\xbb\xbf" + json.dumps(chat(tool_call("go", "{}"))).encode())) == [("go", {})]


def test_raw_text_is_kept_short():
    reply = read(chat(tool_call("go", '{"a": "' + "x" * 9_000)))
    assert len(reply.calls[0].raw) <= 2_000


UNITS = [
    "[ACTION:A]", "[ACTION:", "[ACTION:A]{", '[ACTION:A]{"a":"', "[ACTION:A]{'", '[ACTION:A]{"\\"', "[ACTION:A] ",
    "<action name=", '<action name="a">', '<action name="', "<action ", "<action\n",
    '<action name="a"><param name="k">', '<action name="a"><param name="k">{"a":"', '<param name="k">',
    "{", '{"', "{'", '{"a":', '{"a":{', '{"action":', '[{"', '{"\\"', '{"}```json\n{}', '{"action":"\\',
    "```json\n{", "```python\n", "```", "<think>", "</think>", "\n", "\n ", " ", "\\", '"', "&#", "[", "&amp;",
]  # fmt: skip


def _seconds(work: Callable[[], object]) -> float:
    """Of the core, not of the clock: other tests may have the core meanwhile."""
    start = time.thread_time()
    work()
    return time.thread_time() - start


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("before", ["", '{"a":"', "[ACTION:A]{'a':\"", '<action name="a"><param name="k">'])
def test_a_hostile_megabyte_takes_no_longer_than_its_size(unit: str, before: str):
    # Quadratic work on a megabyte takes minutes; ours takes a tenth of a second.
    text = before + unit * (1_000_000 // len(unit))
    assert _seconds(lambda: read(text)) < 5
    assert good(read(text[:20_000])) == []


def test_ten_megabytes_of_calls_and_of_brackets_end():
    assert _seconds(lambda: read(TAG * 450_000)) < 10
    assert _seconds(lambda: read("{'" * 5_000_000, "coach.tags")) < 10
    assert _seconds(lambda: read("x [" + "{'" * 5_000_000)) < 10
