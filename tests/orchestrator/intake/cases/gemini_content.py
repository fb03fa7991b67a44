"""Gemini generateContent."""

from __future__ import annotations

from typing import Any

from cases import Case, Family


def answer(*parts: Any, finish: str = "STOP", **candidate: Any) -> dict[str, Any]:
    content = {"role": "model", "parts": list(parts)}
    return {
        "candidates": [{"content": content, "finishReason": finish, "index": 0, **candidate}],
        "modelVersion": "some",
    }


def asked(name: str, **more: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, **more}}


RING = asked("ring", args={"times": 3})
RUNG = ("ring", {"times": 3})
CODE = {"executableCode": {"language": "PYTHON", "code": "print(1)"}}
OUTCOME = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}

FAMILY = Family(
    name="gemini.generateContent",
    title="Gemini generateContent",
    about=(
        "The parts of the first candidate. Calls mostly have no id, and the finish reason is `STOP` with calls too."
        " One that speaks of a bad call is an error beside what is there. Thoughts are not shown."
    ),
    sample=answer({"text": "Ringing."}, RING),
    kind="provider",
    order=40,
    cases=(
        Case("a call after a text", answer({"text": "Ring"}, {"text": "ing."}, RING), (RUNG,), "Ringing."),
        Case(
            "two calls, one with an id", answer(RING, asked("go", id="g1")), ((*RUNG, None), ("go", {}, "g1"))
        ),
        Case("args that are null or missing", answer(asked("go", args=None), asked("go")), (("go", {}),) * 2),
        Case(
            "thoughts",
            answer(
                {"text": "Hm.", "thought": True}, {"text": "Hello."}, {"text": "", "thoughtSignature": "c2ln"}
            ),
            text="Hello.",
        ),
        Case(
            "code that the provider ran",
            answer(CODE, OUTCOME, {"text": "It is 1."}),
            text="It is 1.",
            provider_calls=("executableCode",),
        ),
        Case(
            "the keys of Python's SDK",
            answer({"function_call": {"name": "go", "args": {"n": 1}}}),
            (("go", {"n": 1}),),
        ),
        Case("an envelope around it", {"response": answer(RING)}, (RUNG,)),
        Case(
            "no parts",
            {"candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}]},
            text="",
        ),
        Case(
            "a call of an undeclared function",
            answer(RING, finish="UNEXPECTED_TOOL_CALL", finishMessage="no such function: ring"),
            (RUNG,),
            errors=("malformed_call",),
        ),
        Case("a call that went wrong", answer(finish="MALFORMED_FUNCTION_CALL"), errors=("malformed_call",)),
        Case(
            "cut at the limit", answer(RING, RING, finish="MAX_TOKENS"), (RUNG,), errors=("truncated_call",)
        ),
        Case(
            "a call that goes on", answer(asked("go", args={}, willContinue=True)), errors=("truncated_call",)
        ),
        Case(
            "args that are no object",
            answer(asked("go", args=[1]), RING),
            (RUNG,),
            errors=("malformed_call",),
        ),
        Case("an answer that was held back", answer(finish="SAFETY"), errors=("provider_error",)),
        Case(
            "a prompt that was blocked",
            {"promptFeedback": {"blockReason": "SAFETY"}},
            errors=("provider_error",),
        ),
        Case(
            "an error in place of a reply",
            [{"error": {"code": 429, "message": "Too many requests", "status": "RESOURCE_EXHAUSTED"}}],
            errors=("provider_error",),
            found="text",
        ),
    ),
)
