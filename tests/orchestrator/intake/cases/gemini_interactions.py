"""Gemini Interactions."""

from __future__ import annotations

from typing import Any

from cases import Case, Family


def interaction(*steps: Any, status: str = "completed", key: str = "steps") -> dict[str, Any]:
    return {
        "id": "v1_test",
        "object": "interaction",
        "status": status,
        "model": "some-model",
        key: list(steps),
    }


def said(*texts: str) -> dict[str, Any]:
    return {"type": "model_output", "content": [{"type": "text", "text": text} for text in texts]}


THOUGHT = {"type": "thought", "signature": "c2ln", "summary": [{"type": "text", "text": "Hm."}]}
SOW = {"type": "function_call", "id": "s1", "name": "sow", "arguments": {"seeds": 9}}
SOWN = ("sow", {"seeds": 9}, "s1")

FAMILY = Family(
    name="gemini.interactions",
    title="Gemini Interactions",
    about=(
        "A list of steps. `function_call` is a call; every other step ending in `_call` ran at the provider and is"
        " named by its type. Thoughts, and what the user had put in, are not shown."
    ),
    sample=interaction(THOUGHT, said("Sowing."), SOW, status="requires_action"),
    kind="provider",
    order=50,
    cases=(
        Case("a call after a text", interaction(THOUGHT, said("Sow", "ing."), SOW), (SOWN,), "Sowing."),
        Case(
            "two calls", interaction(SOW, {**SOW, "id": "s2", "arguments": None}), (SOWN, ("sow", {}, "s2"))
        ),
        Case(
            "no call",
            interaction({"type": "user_input", "content": []}, THOUGHT, said("Hello.")),
            text="Hello.",
        ),
        Case(
            "tools that the provider ran",
            interaction(
                {"type": "google_search_call", "id": "g"},
                {"type": "google_search_result"},
                said("Rain."),
                SOW,
            ),
            (SOWN,),
            "Rain.",
            provider_calls=("google_search_call",),
        ),
        Case(
            "a call whose result stands beside it",
            interaction(SOW, {"type": "function_result", "call_id": "s1", "result": "ok"}, said("Sown.")),
            text="Sown.",
            provider_calls=("function_call",),
        ),
        Case(
            "the older list of outputs",
            interaction(THOUGHT, {"type": "text", "text": "Sowing."}, SOW, key="outputs"),
            (SOWN,),
            "Sowing.",
        ),
        Case(
            "cut at the limit",
            interaction(SOW, SOW, status="incomplete"),
            (SOWN,),
            errors=("truncated_call",),
        ),
        Case(
            "arguments that are no object",
            interaction({**SOW, "arguments": [9]}, SOW),
            (SOWN,),
            errors=("malformed_call",),
        ),
        Case(
            "an interaction that failed",
            interaction(SOW, SOW, status="failed"),
            (SOWN,),
            errors=("provider_error", "truncated_call"),
        ),
    ),
)
