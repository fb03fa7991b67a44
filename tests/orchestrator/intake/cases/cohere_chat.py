"""Cohere chat."""

from __future__ import annotations

from typing import Any

from intake_replies import tool_call

from cases import Case, Family


def answer(finish: str = "TOOL_CALL", **message: Any) -> dict[str, Any]:
    return {"id": "test", "finish_reason": finish, "message": {"role": "assistant", **message}, "usage": {}}


MIX = tool_call("mix", '{"colours": ["red"]}', "mix_1")
MIXED = ("mix", {"colours": ["red"]}, "mix_1")

FAMILY = Family(
    name="cohere.chat",
    title="Cohere chat",
    about="Version 2: one message with calls like OpenAI's. The plan for the tools and the thoughts are not shown.",
    sample=answer(tool_plan="I will mix.", tool_calls=[MIX]),
    kind="provider",
    order=70,
    cases=(
        Case("a call, and the plan for it", answer(tool_plan="I will mix.", tool_calls=[MIX]), (MIXED,), ""),
        Case(
            "two calls", answer(tool_calls=[MIX, tool_call("go", "{}", "go_1")]), (MIXED, ("go", {}, "go_1"))
        ),
        Case(
            "thoughts and texts",
            answer(
                "COMPLETE",
                content=[{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hello."}],
            ),
            text="Hello.",
        ),
        Case("no arguments", answer(tool_calls=[tool_call("go", None)]), (("go", {}, "call_1"),)),
        Case(
            "cut inside the arguments",
            answer("MAX_TOKENS", tool_calls=[MIX, tool_call("go", '{"a": "b')]),
            (MIXED,),
            errors=("truncated_call",),
        ),
        Case(
            "cut before the arguments",
            answer("MAX_TOKENS", tool_calls=[tool_call("go", "")]),
            errors=("truncated_call",),
        ),
        Case(
            "arguments that are no object",
            answer(tool_calls=[tool_call("go", "[]"), MIX]),
            (MIXED,),
            errors=("malformed_call",),
        ),
        Case("no answer in time", answer("TIMEOUT"), errors=("provider_error",)),
        Case(
            "an error in place of a reply",
            {"id": "0f0e0d0c-0b0a-4908-8706-050403020100", "message": "invalid api token"},
            errors=("provider_error",),
            found="text",
        ),
    ),
)
