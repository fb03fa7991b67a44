"""Which format a body has, and what is none: one format for each, and no provider's reply where a model wrote JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cases import Case, families
from intake_replies import codes, good

from orchestrator.intake import provider_errors, read
from orchestrator.intake.formats import BODIES

BODY_CASES = [
    pytest.param(family.name, case, id=f"{family.name}-{case.what}")
    for family in families()
    if family.kind == "provider" and not family.name.startswith("eliza") and family.name in BODIES
    for case in (Case("its sample", family.sample), *family.cases)
    if isinstance(case.reply, dict) and case.found is None
]
PROVIDERS = [form for form in BODIES.values() if form.name.split(".")[0] not in {"eliza", "json"}]


@pytest.mark.parametrize(("name", "case"), BODY_CASES)
def test_a_body_has_the_shape_of_its_own_format_only(name: str, case: Case):
    assert [form.name for form in PROVIDERS if form.matches(case.reply)] == [name]
    assert provider_errors.found_in(case.reply) is None


@pytest.mark.parametrize(
    "written",
    [
        {"candidates": [{"name": "Ada"}, {"name": "Grace"}]},
        {"output": [{"type": "city", "name": "Oslo"}]},
        {"output": {"message": "It is done."}},
        {"steps": [{"type": "boil", "minutes": 5}], "status": "easy"},
        {"choices": ["red", "blue"]},
        {"choices": [{"label": "red"}]},
        {"content": [{"type": "chapter", "title": "One"}]},
        {"message": {"subject": "Hello", "body": "How are you?"}},
        {"title": "Rain", "detail": "all day"},
        {"status": "ok", "message": "It is done."},
        {"status": "OK", "message": "It is done."},
        {"code": "print(1)", "message": "Try this."},
        {"type": "greeting", "message": "Hello."},
        {"id": 4, "message": "Hello."},
        {"message": "Hello.", "mood": "glad"},
        {"error": "none", "score": 0.9},
        {"errors": [], "success": True},
        {"errors": ["a comma is missing"], "score": 3},
        {"detail": 7},
        {"detail": ["rain", "wind"]},
        {"error": None, "result": 4},
        {"type": ["message"], "role": ["assistant"], "content": [{"type": []}], "status": {}},
    ],
)
def test_an_object_that_a_model_wrote_is_no_providers_reply(written: dict[str, Any]):
    assert not [form.name for form in PROVIDERS if form.matches(written)]
    assert provider_errors.found_in(written) is None
    reply = read(json.dumps(written))
    assert (good(reply), "provider_error" in codes(reply)) == ([], False)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"message": "Slow down", "type": "rate_limit", "code": None}}, "rate_limit: Slow down"),
        ({"type": "error", "error": {"type": "api_error", "message": "Sorry"}}, "api_error: Sorry"),
        ({"type": "error", "message": "Sorry"}, "error: Sorry"),
        (
            {"error": {"code": 400, "message": "No", "status": "INVALID_ARGUMENT"}},
            "400: INVALID_ARGUMENT: No",
        ),
        ([{"error": {"code": 503, "message": "Busy"}}], "503: Busy"),
        ({"message": "Too many tokens"}, "Too many tokens"),
        ({"Message": "Too many tokens"}, "Too many tokens"),
        ({"__type": "ThrottlingException", "message": "Slow down"}, "ThrottlingException: Slow down"),
        ({"id": "0f0e0d0c-0b0a-4908-8706-050403020100", "message": "no such model"}, "no such model"),
        ({"object": "error", "message": "Bad", "type": "invalid_request_error", "code": 1}, "Bad"),
        ({"detail": "Unauthorized"}, "Unauthorized"),
        (
            {"detail": [{"loc": ["body"], "msg": "field required"}, {"msg": "too long"}]},
            "field required; too long",
        ),
        ({"error": "no such model", "code": "invalid-argument"}, "invalid-argument: no such model"),
        ({"error": True, "message": "Bad"}, "Bad"),
        ({"timestamp": 1, "status": 404, "error": "Not Found", "path": "/v1"}, "404: Not Found"),
        ({"success": False, "errors": [{"code": 7000, "message": "No route"}]}, "7000: No route"),
        ({"base_resp": {"status_code": 1004, "status_msg": "no"}, "choices": None}, "1004"),
        ({"error": {}, "object": "error"}, "no reason given"),
        ({"error": {"details": []}}, "no reason given"),
    ],
)
def test_what_a_provider_says_instead_of_a_reply_is_an_error_in_its_words(body: Any, words: str):
    for wanted in (None, "openai.chat", "gemini.generateContent"):
        reply = read(body, wanted)
        assert (reply.calls, codes(reply)) == ((), ["provider_error"])
        assert words in reply.errors[0].message


def test_a_named_dialect_reads_an_object_that_looks_like_an_error():
    assert codes(read(json.dumps({"message": "Hello."}), "coach.tags")) == []


def test_what_the_provider_refused_is_told_and_never_run():
    refused = '{"name": "pay", "arguments": {"euros": 4}}'
    reply = read({"error": {"message": "no such tool", "failed_generation": refused}})
    assert (reply.calls, codes(reply)) == ((), ["provider_error"])
    assert reply.errors[0].message.endswith(f"no such tool. The model had written: {refused}")


def test_the_words_of_an_error_are_short_however_long_the_provider_speaks():
    long = "key " * 5_000
    for body in (
        {"error": {"message": long, "type": long, "code": long, "failed_generation": long}},
        {"error": long},
        {"detail": [{"msg": long}] * 50},
    ):
        reply = read(body)
        assert codes(reply) == ["provider_error"]
        assert len(reply.errors[0].message) < 800
    blocked = {"promptFeedback": {"blockReason": "OTHER", "blockReasonMessage": long}}
    assert len(read(blocked).errors[0].message) < 400


@pytest.mark.parametrize(
    "text",
    [
        '{"object": "response", "output": [], "output": []}',
        '{"candidates": [], "candidates": [], "promptFeedback": {}}',
        '{"candidates": [{"content": {"parts": [], "parts": [{"text": "x"}]}}]}',
        '{"object": "interaction", "steps": [], "steps": []}',
        '{"stopReason": "x", "output": {"message": {"role": "assistant", "content": [], "content": []}}}',
        '{"finish_reason": "COMPLETE", "message": {"role": "assistant", "content": [], "content": "x"}}',
    ],
)
def test_a_reply_of_which_there_are_two_is_none(text: str):
    assert codes(read(text)) == ["unexpected_body"]


@pytest.mark.parametrize(
    "text",
    [
        '{"output": [{"type": "function_call", "call_id": "c", "name": "pay", "name": "go", "arguments": "{}"}]}',
        '{"candidates": [{"content": {"parts": [{"functionCall": {"name": "pay", "args": {}, "args": {"n": 1}}}]}}]}',
        '{"object": "interaction", "steps": [{"type": "function_call", "name": "pay", "name": "go"}]}',
        '{"output": {"message": {"role": "assistant", "content": [{"toolUse": {"name": "a", "name": "b"}}]}}}',
        '{"done": true, "message": {"role": "assistant", "tool_calls": [{"function": {"name": "a", "name": 1}}]}}',
    ],
)
def test_a_call_of_which_there_are_two_does_not_run(text: str):
    reply = read(text)
    assert (good(reply), codes(reply)) == ([], ["malformed_call"])


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("openai.responses", {"output": None}),
        ("gemini.generateContent", {}),
        ("gemini.generateContent", {"candidates": [None]}),
        ("gemini.interactions", {"steps": {}}),
        ("bedrock.converse", {"output": {"message": None}}),
        ("bedrock.converse", {"output": {"message": {"content": None}}}),
        ("cohere.chat", {"text": "hello"}),
    ],
)
def test_a_body_of_another_shape_is_one_error(name: str, body: dict[str, Any]):
    reply = read(body, name)
    assert (reply.calls, codes(reply)) == ((), ["unexpected_body"])


def test_a_custom_tool_may_stand_inside_another_tool_of_the_request():
    call = {"type": "custom_tool_call", "call_id": "c", "name": "draw", "input": "a cat"}
    tools = [{"type": "namespace", "name": "art", "tools": [{"type": "custom", "name": "draw"}]}]
    assert good(read({"object": "response", "output": [call], "tools": tools})) == [
        ("draw", {"input": "a cat"})
    ]
    assert good(read({"object": "response", "output": [call], "tools": []})) == [("draw", {"input": "a cat"})]


def test_a_runaway_of_items_is_cut_short():
    item = {"type": "function_call", "call_id": "c", "name": "go", "arguments": "{}"}
    reply = read({"object": "response", "output": [item] * 20_000, "tools": [{"type": "custom"}] * 2_000})
    assert (len(reply.calls), len(good(reply))) == (1_024, 128)
    part = {"executableCode": {"code": "1"}}
    ran = read({"candidates": [{"content": {"parts": [part] * 20_000}}]}).provider_calls
    assert len(ran) == 1_024
