"""A text that was cut off, as each wire says it: what only the cut ends does not run; what is whole by itself does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cases import families
from intake_invariants import part, sound
from intake_replies import chat, codes, good
from intake_replies import message as whole_message
from intake_streams import block, chunk, message, sse

from actions.messages import Call
from orchestrator.intake import read, read_text
from orchestrator.intake.incoming import StreamReader

HALF = "Thought: Hm.\nAction: weather\nAction Input: Oslo in M"
TEXT = {"type": "text", "text": HALF}
ERROR = {"error": {"type": "overloaded_error", "message": "Overloaded"}}


def converse(stop: str) -> dict[str, Any]:
    return {"output": {"message": {"role": "assistant", "content": [{"text": HALF}]}}, "stopReason": stop}


def response(status: str) -> dict[str, Any]:
    shown = {"type": "message", "content": [{"type": "output_text", "text": HALF}]}
    return {"object": "response", "status": status, "output": [shown]}


def gemini(finish: str | None) -> dict[str, Any]:
    content = {"role": "model", "parts": [{"text": HALF}]}
    return {"candidates": [{"content": content} | ({"finishReason": finish} if finish else {})]}


def cohere(finish: str) -> dict[str, Any]:
    held = {"role": "assistant", "content": [{"type": "text", "text": HALF}]}
    return {"finish_reason": finish, "message": held}


def interaction(status: str) -> dict[str, Any]:
    step = {"type": "model_output", "content": [{"type": "text", "text": HALF}]}
    return {"object": "interaction", "status": status, "steps": [step]}


def ollama(**told: Any) -> dict[str, Any]:
    return {"model": "m", "message": {"role": "assistant", "content": HALF}, **told}


def cohere_events(*last: Any) -> list[Any]:
    shown = {"message": {"content": {"type": "text", "text": HALF}}}
    return [{"type": "content-delta", "index": 0, "delta": shown}, *last]


def converse_events(*last: Any) -> list[Any]:
    shown = {"contentBlockIndex": 0, "delta": {"text": HALF}}
    return [{"messageStart": {"role": "assistant"}}, {"contentBlockDelta": shown}, *last]


def response_events(*last: Any) -> list[Any]:
    shown = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": HALF}
    return [{"type": "response.created", "response": {}}, shown, *last]


def interaction_events(*last: Any) -> list[Any]:
    start = {"event_type": "step.start", "index": 0, "step": {"type": "model_output"}}
    shown = {"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": HALF}}
    return [start, shown, *last]


CUT = {
    "openai.chat": [chat(content=HALF, finish=word) for word in ("length", "max_tokens", "content_filter")],
    "openai.chat, an error": [chat(content=HALF, finish="stop") | ERROR],
    "ollama.chat": [ollama(done=True, done_reason="length"), ollama(done=False)],
    "anthropic.messages": [whole_message(TEXT, stop="max_tokens"), whole_message(TEXT, stop="refusal")],
    "openai.responses": [response(word) for word in ("incomplete", "failed", "cancelled", "in_progress")],
    "gemini.generateContent": [gemini("MAX_TOKENS"), gemini("SAFETY")],
    "gemini.interactions": [interaction("incomplete"), interaction("failed")],
    "bedrock.converse": [converse("max_tokens"), converse("guardrail_intervened")],
    "cohere.chat": [cohere("MAX_TOKENS"), cohere("TIMEOUT")],
    "openai.chat.stream": [
        [chunk(content=HALF), chunk("length"), "[DONE]"],
        [chunk(content=HALF)],
        [chunk(content=HALF), ERROR],
        [{**chunk(content=HALF), **ERROR}, chunk("stop")],
        sse([chunk(content=HALF), chunk("stop")])[:-20],
    ],
    "anthropic.messages.stream": [
        message(block(0, {"type": "text", "text": ""}, HALF), stop=stop) for stop in ("max_tokens", None)
    ],
    "openai.responses.stream": [
        response_events(),
        response_events({"type": "response.incomplete", "response": {}}),
        response_events({"type": "response.failed", "response": ERROR}),
    ],
    "gemini.generateContent.stream": [
        [gemini(None)],
        [gemini(None), gemini("MAX_TOKENS") | {"candidates": [{"finishReason": "MAX_TOKENS"}]}],
        [gemini(None), {**gemini(None), **ERROR, "candidates": [{"finishReason": "STOP"}]}],
    ],
    "gemini.interactions.stream": [
        interaction_events(),
        interaction_events({"event_type": "interaction.completed", "interaction": {"status": "incomplete"}}),
    ],
    "bedrock.converse.stream": [
        converse_events(),
        converse_events({"messageStop": {"stopReason": "max_tokens"}}),
        converse_events({"modelStreamErrorException": {"message": "x"}}),
    ],
    "cohere.chat.stream": [
        cohere_events(),
        cohere_events({"type": "message-end", "delta": {"finish_reason": "MAX_TOKENS"}}),
        cohere_events({"type": "message-end", "delta": {"finish_reason": "ERROR"}}),
    ],
    "ollama.chat.stream": [
        [ollama(done=False)],
    ],
}
ROWS = [
    pytest.param(raw, id=f"{name} {place}") for name, each in CUT.items() for place, raw in enumerate(each)
]
ENDED = [
    chat(content=HALF, finish="stop"),
    {"role": "assistant", "content": HALF},
    whole_message(TEXT, stop="end_turn"),
    response("completed"),
    gemini("STOP"),
    interaction("completed"),
    converse("end_turn"),
    cohere("COMPLETE"),
    ollama(done=True, done_reason="stop"),
    [chunk(content=HALF), chunk("stop")],
    [chunk(content=HALF), "[DONE]"],
    message(block(0, {"type": "text", "text": ""}, HALF), stop="end_turn"),
    response_events({"type": "response.completed", "response": {}}),
    [gemini("STOP")],
    interaction_events({"event_type": "interaction.completed", "interaction": {"status": "completed"}}),
    converse_events({"messageStop": {"stopReason": "end_turn"}}),
    cohere_events({"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}),
    [ollama(done=False), {"model": "m", "message": {}, "done": True, "done_reason": "stop"}],
]
GOOD = [
    pytest.param(case.reply, id=f"{each.name}-{case.what}")
    for each in families()
    for case in each.cases
    if each.kind == "dialect" and isinstance(case.reply, str) and case.calls and len(case.reply) <= 3_000
]


@pytest.mark.parametrize("raw", ROWS)
def test_a_free_text_that_ends_with_a_cut_reply_does_not_run(raw: Any):
    reply = read(raw)
    assert (good(reply), [one.name for one in reply.calls]) == ([], ["weather"])
    assert codes(reply)[-1] == "truncated_call"
    assert read(raw if isinstance(raw, str) else json.dumps(raw)) == reply


@pytest.mark.parametrize("raw", ROWS)
@pytest.mark.parametrize("size", [1, 50, 100_000])
def test_nor_while_it_comes(raw: Any, size: int):
    reader, text = StreamReader(), raw if isinstance(raw, str) else json.dumps(raw)
    told = [piece for at in range(0, len(text), size) for piece in reader.feed(text[at : at + size])]
    left, reply = reader.close()
    assert [piece for piece in (*told, *left) if isinstance(piece, Call) and not piece.malformed] == []
    assert reply == read(text)


@pytest.mark.parametrize("raw", ENDED)
def test_a_free_text_of_a_reply_that_ended_runs(raw: Any):
    assert good(read(raw)) == [("weather", {"input": "Oslo in M"})]


def test_nobody_knows_whether_a_text_by_itself_was_cut():
    assert good(read_text(HALF)) == good(read(HALF)) == [("weather", {"input": "Oslo in M"})]


@pytest.mark.parametrize(
    "end", ["[a [1]", "[Emma (novel)]", "\nAction Input: null", '\nAction Input: "Oslo"']
)
def test_what_may_only_seem_to_have_ended(end: str):
    assert codes(read(chat(content=f"Thought: Hm.\nAction: look{end}", finish="length"))) == [
        "truncated_call"
    ]


@pytest.mark.parametrize(
    "text",
    [
        'Thought: Hm.\nAction: look\nAction Input: {"for": "keys"}',
        "Thought: Hm.\nAction: look\nAction Input: keys\nThought: And th",
        '<tool_call>{"name": "look", "arguments": {"for": "keys"}}',
        "[look(for_='keys')]",
        '{"name": "look", "arguments": {"for": "keys"}}',
    ],
)
def test_what_is_whole_by_itself_runs(text: str):
    assert good(read(chat(content=text, finish="length"))) == good(read_text(text)) != []


@pytest.mark.parametrize("text", GOOD)
def test_no_part_of_a_good_text_holds_another_call(text: str):
    whole = read_text(text)
    for end in range(len(text)):
        part(sound(read(chat(content=text[:end], finish="length"))), whole)


def test_an_error_beside_a_reply_is_told_and_the_reply_kept():
    for raw in (
        chat(content="Half", finish="error"),
        whole_message({"type": "text", "text": "Half"}),
        gemini(""),
    ):
        reply = read(raw | ERROR)
        assert codes(reply)[0] == "provider_error"
        assert "Overloaded" in reply.errors[0].message
        assert reply.text
