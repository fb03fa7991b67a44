"""Bedrock Converse, Cohere and Ollama as events."""

from __future__ import annotations

import json
from typing import Any

from intake_streams import sse

from cases import Case, Family


def bedrock(index: int, start: Any, *deltas: Any, stop: bool = True) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = (
        [{"contentBlockStart": {"contentBlockIndex": index, "start": start}}] if start else []
    )
    events += [{"contentBlockDelta": {"contentBlockIndex": index, "delta": delta}} for delta in deltas]
    return [*events, {"contentBlockStop": {"contentBlockIndex": index}}] if stop else events


def tool(name: str = "sweep", id: str = "t1", **more: Any) -> dict[str, Any]:  # noqa: A002
    return {"toolUse": {"name": name, "toolUseId": id, **more}}


def grows(*texts: str) -> list[dict[str, Any]]:
    return [{"toolUse": {"input": text}} for text in texts]


def cohere(kind: str, index: int | None = 0, **message: Any) -> dict[str, Any]:
    told = {"type": kind, "index": index, "delta": {"message": message} if message else None}
    return {key: value for key, value in told.items() if value is not None}


def ollama(*, done: bool = False, **told: Any) -> dict[str, Any]:
    return {"model": "m", "message": {"role": "assistant", "content": "", **told}, "done": done}


START, STOP = {"messageStart": {"role": "assistant"}}, {"messageStop": {"stopReason": "tool_use"}}
SWEEP = ("sweep", {"room": "attic"}, "t1")
CALL = bedrock(1, tool(), *grows('{"room": ', '"attic"}'))
RAKE = {"id": "r1", "type": "function", "function": {"name": "rake", "arguments": ""}}
GROWS = cohere("tool-call-delta", tool_calls={"function": {"arguments": '{"leaves": true}'}})
RAKED = [cohere("tool-call-start", tool_calls=RAKE), GROWS, cohere("tool-call-end")]
ENDED = {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL"}}
BREW = {"function": {"name": "brew", "arguments": {"cups": 2}}}
LINES = "\n".join(
    map(
        json.dumps,
        [ollama(content="Sure"), ollama(content="."), ollama(tool_calls=[BREW]), ollama(done=True)],
    )
)

BEDROCK = Family(
    name="bedrock.converse.stream",
    title="Bedrock Converse, streamed",
    about="Decoded events: content blocks that start, grow and stop; a `toolUse` is complete when its block stops.",
    sample=[START, *CALL, STOP],
    kind="stream",
    order=60,
    cases=(
        Case(
            "a text and a call",
            [START, *bedrock(0, None, {"text": "I "}, {"text": "go."}), *CALL, STOP],
            (SWEEP,),
            "I go.",
        ),
        Case("no input", [START, *bedrock(0, tool()), STOP], (("sweep", {}, "t1"),)),
        Case(
            "a tool that the provider ran",
            [START, *bedrock(0, tool("code", "t0", type="server_tool_use"), *grows("{}")), *CALL, STOP],
            (SWEEP,),
            provider_calls=("code",),
        ),
        Case(
            "thoughts",
            [
                START,
                *bedrock(0, None, {"reasoningContent": {"text": "Hm"}}),
                *bedrock(1, None, {"text": "Yes"}),
                STOP,
            ],
            text="Yes",
        ),
        Case(
            "cut before the input",
            [START, *CALL, *bedrock(2, tool("wait", "t2")), {"messageStop": {"stopReason": "max_tokens"}}],
            (SWEEP,),
            errors=("truncated_call",),
        ),
        Case("broken off", [START, *CALL[:2]], errors=("truncated_call",)),
        Case(
            "a bad call, by its stop reason",
            [START, *CALL, {"messageStop": {"stopReason": "malformed_tool_use"}}],
            (SWEEP,),
            errors=("malformed_call",),
        ),
        Case(
            "an exception",
            [START, *CALL[:2], {"modelStreamErrorException": {"message": "try again"}}],
            errors=("provider_error", "truncated_call"),
        ),
    ),
)
COHERE = Family(
    name="cohere.chat.stream",
    title="Cohere chat, streamed",
    about="Contents and tool calls that start, grow and end. The plan for its tools is not shown.",
    sample=[*RAKED, ENDED],
    kind="stream",
    order=70,
    cases=(
        Case(
            "a plan and a call",
            [
                {"type": "message-start", "id": "m"},
                cohere("tool-plan-delta", None, tool_plan="I rake."),
                *RAKED,
                ENDED,
            ],
            (("rake", {"leaves": True}, "r1"),),
            "",
        ),
        Case(
            "a text",
            [
                cohere("content-start", content={"type": "text", "text": ""}),
                cohere("content-delta", content={"text": "All "}),
                cohere("content-delta", content={"text": "done."}),
                cohere("content-end"),
                ENDED,
            ],
            text="All done.",
        ),
        Case("its raw text", sse([*RAKED, ENDED], named=True), (("rake", {"leaves": True}, "r1"),)),
        Case(
            "thoughts",
            [
                cohere("content-start", content={"type": "thinking", "thinking": "Hm"}),
                cohere("content-delta", content={"thinking": "…"}),
                cohere("content-delta", 1, content={"text": "Yes."}),
                ENDED,
            ],
            text="Yes.",
        ),
        Case(
            "cut inside the arguments",
            [
                RAKED[0],
                cohere("tool-call-delta", tool_calls={"function": {"arguments": '{"le'}}),
                {"type": "message-end", "delta": {"finish_reason": "MAX_TOKENS"}},
            ],
            errors=("truncated_call",),
        ),
        Case(
            "an error at the end",
            [*RAKED, {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "sorry"}}],
            (("rake", {"leaves": True}, "r1"),),
            errors=("provider_error",),
        ),
    ),
)
OLLAMA = Family(
    name="ollama.chat.stream",
    title="Ollama's own lines",
    about="One JSON object a line: the next words, or whole calls.",
    sample=LINES,
    kind="stream",
    order=80,
    cases=(
        Case("words and a call", LINES, (("brew", {"cups": 2}),), "Sure."),
        Case(
            "two calls in a line",
            [ollama(tool_calls=[BREW, BREW]), ollama(done=True)],
            (("brew", {"cups": 2}), ("brew", {"cups": 2})),
        ),
        Case(
            "generated words",
            [{"model": "m", "response": "Yes", "done": False}, {"model": "m", "response": ".", "done": True}],
            text="Yes.",
        ),
        Case("thoughts", [ollama(thinking="Hm"), ollama(content="Yes."), ollama(done=True)], text="Yes."),
        Case("a line that is cut", LINES[:-40], (("brew", {"cups": 2}),), errors=("not_json",)),
    ),
)
FAMILIES = [BEDROCK, COHERE, OLLAMA]
