"""Gemini in chunks and as events."""

from __future__ import annotations

import json
from typing import Any

from intake_streams import sse

from cases import Case, Family


def chunk(*parts: Any, finish: str | None = None) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": finish}
    return {"candidates": [{key: value for key, value in candidate.items() if value is not None}]}


def ask(**function: Any) -> dict[str, Any]:
    return {"functionCall": function}


def part(path: str, **value: Any) -> dict[str, Any]:
    return ask(partialArgs=[{"jsonPath": path, **value}], willContinue=True)


def step(kind: str, index: int = 0, **more: Any) -> dict[str, Any]:
    return {"event_type": kind, "index": index, **more}


WHOLE = ask(name="open", args={"door": 3})
OPEN = ("open", {"door": 3})
BEGINS = chunk(ask(name="open", id="f1", willContinue=True))
DOOR = chunk(part("$.door", numberValue=3))
ENDED = {"event_type": "interaction.completed", "interaction": {"status": "requires_action"}}
ASKS = {"type": "function_call", "id": "f1", "name": "open", "arguments": {}}
STARTS = step("step.start", 1, step=ASKS)
GROWS = step("step.delta", 1, delta={"type": "arguments_delta", "arguments": '{"door": 3}'})
SAYS = [
    step("step.start", step={"type": "model_output"}),
    step("step.delta", delta={"type": "text", "text": "Yes."}),
    step("step.stop"),
]

CONTENT = Family(
    name="gemini.generateContent.stream",
    title="Gemini generateContent, streamed",
    about=(
        "Chunks with parts of the first candidate, as server-sent events or as one JSON array. A call is whole in its "
        "part, or its arguments come one by one, each with its JSON path."
    ),
    sample=sse([chunk({"text": "I will."}), chunk(WHOLE, finish="STOP")], "\r\n\r\n"),
    kind="stream",
    order=40,
    cases=(
        Case(
            "a text and a call",
            [chunk({"text": "I "}), chunk({"text": "will."}), chunk(WHOLE, finish="STOP")],
            (OPEN,),
            "I will.",
        ),
        Case("its raw text", sse([chunk(WHOLE, finish="STOP")], "\r\n\r\n"), (OPEN,)),
        Case(
            "one array, broken off",
            json.dumps([chunk(WHOLE), chunk({"text": "and"})], indent=1)[:-30],
            (OPEN,),
            errors=("not_json",),
        ),
        Case("two calls", [chunk(WHOLE, ask(name="shut"), finish="STOP")], (OPEN, ("shut", {}))),
        Case(
            "thoughts, and a tool that the provider ran",
            [
                chunk({"text": "Hm", "thought": True}),
                chunk({"executableCode": {"code": "1"}}),
                chunk({"text": "One."}, finish="STOP"),
            ],
            text="One.",
            provider_calls=("executableCode",),
        ),
        Case(
            "arguments one by one",
            [
                BEGINS,
                DOOR,
                chunk(part("$.who", stringValue="An", willContinue=True)),
                chunk(part("$.who", stringValue="na")),
                chunk(part("$.keys[0].no", boolValue=True)),
                chunk(ask()),
                chunk(finish="STOP"),
            ],
            (("open", {"door": 3, "who": "Anna", "keys": [{"no": True}]}, "f1"),),
        ),
        Case(
            "one by one, and only the finish reason ends it",
            [BEGINS, DOOR, chunk(finish="STOP")],
            ((*OPEN, "f1"),),
        ),
        Case(
            "a text in them that is cut off",
            [BEGINS, chunk(part("$.who", stringValue="An", willContinue=True)), chunk(finish="MAX_TOKENS")],
            errors=("truncated_call",),
        ),
        Case("broken off between them", [BEGINS, DOOR], errors=("truncated_call",)),
        Case("a path that is said twice", [BEGINS, DOOR, DOOR, chunk(ask())], errors=("malformed_call",)),
        Case(
            "a bad call, by its finish reason",
            [chunk({"text": "Oh."}), chunk(finish="MALFORMED_FUNCTION_CALL")],
            text="Oh.",
            errors=("malformed_call",),
        ),
        Case(
            "an error inside",
            [chunk(WHOLE), {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}],
            (OPEN,),
            errors=("provider_error",),
        ),
    ),
)
INTERACTIONS = Family(
    name="gemini.interactions.stream",
    title="Gemini Interactions, streamed",
    about="Steps that start, grow and stop; a `function_call` is complete when its step stops.",
    sample=[STARTS, GROWS, step("step.stop", 1), ENDED],
    kind="stream",
    order=50,
    cases=(
        Case(
            "a text and a call", [*SAYS, STARTS, GROWS, step("step.stop", 1), ENDED], ((*OPEN, "f1"),), "Yes."
        ),
        Case("its raw text", sse([STARTS, GROWS, step("step.stop", 1), ENDED]), ((*OPEN, "f1"),)),
        Case("no arguments", [STARTS, step("step.stop", 1), ENDED], (("open", {}, "f1"),)),
        Case(
            "the older events",
            [
                step("content.start", content={"type": "text"}),
                step("content.delta", delta={"type": "text", "text": "Hm."}),
                step("content.stop"),
                step("content.delta", 1, delta={**ASKS, "arguments": {"door": 3}}),
                step("content.stop", 1),
                {"event_type": "interaction.complete"},
            ],
            ((*OPEN, "f1"),),
            "Hm.",
        ),
        Case(
            "tools that the provider ran",
            [step("step.start", step={"type": "google_search_call"}), step("step.stop"), *SAYS, ENDED],
            text="Yes.",
            provider_calls=("google_search_call",),
        ),
        Case(
            "cut inside the arguments",
            [
                STARTS,
                step("step.delta", 1, delta={"type": "arguments_delta", "arguments": '{"do'}),
                {**ENDED, "interaction": {"status": "incomplete"}},
            ],
            errors=("truncated_call",),
        ),
        Case(
            "an error event",
            [STARTS, {"event_type": "error", "error": {"message": "no", "code": "internal"}}],
            errors=("provider_error", "truncated_call"),
        ),
    ),
)
FAMILIES = [CONTENT, INTERACTIONS]
