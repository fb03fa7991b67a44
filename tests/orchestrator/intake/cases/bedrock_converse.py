"""Bedrock Converse."""

from __future__ import annotations

from typing import Any

from cases import Case, Family


def converse(*blocks: Any, stop: str = "tool_use") -> dict[str, Any]:
    message = {"role": "assistant", "content": list(blocks)}
    return {"output": {"message": message}, "stopReason": stop, "metrics": {"latencyMs": 5}}


def use(name: str, given: Any, id: str = "tooluse_1", **more: Any) -> dict[str, Any]:  # noqa: A002
    return {"toolUse": {"toolUseId": id, "name": name, "input": given, **more}}


BAKE = use("bake", {"loaves": 2})
BAKED = ("bake", {"loaves": 2}, "tooluse_1")

FAMILY = Family(
    name="bedrock.converse",
    title="Bedrock Converse",
    about=(
        "A message of blocks. `toolUse` is a call, unless its type says that the provider ran it. Reasoning is not"
        " shown, cited texts are."
    ),
    sample=converse({"text": "Baking."}, BAKE),
    kind="provider",
    order=60,
    cases=(
        Case("a call after a text", converse({"text": "Baking."}, BAKE), (BAKED,), "Baking."),
        Case(
            "two calls",
            converse(BAKE, use("go", {}, "tooluse_2", type="tool_use")),
            (BAKED, ("go", {}, "tooluse_2")),
        ),
        Case(
            "reasoning and cited texts",
            converse(
                {"reasoningContent": {"reasoningText": {"text": "Hm."}}},
                {"citationsContent": {"content": [{"text": "It rains."}], "citations": []}},
                stop="end_turn",
            ),
            text="It rains.",
        ),
        Case(
            "a tool that the provider ran",
            converse(
                use("some_interpreter", {}, "tooluse_2", type="server_tool_use"), {"toolResult": {}}, BAKE
            ),
            (BAKED,),
            provider_calls=("some_interpreter",),
        ),
        Case(
            "a call whose result stands beside it",
            converse(
                BAKE,
                {"toolResult": {"toolUseId": "tooluse_1", "content": []}},
                {"text": "Done."},
                stop="end_turn",
            ),
            text="Done.",
            provider_calls=("bake",),
        ),
        Case(
            "a message without its envelope",
            {"role": "assistant", "content": [{"text": "Baking."}, BAKE]},
            (BAKED,),
        ),
        Case("no input", converse({"toolUse": {"toolUseId": "t", "name": "go"}}), (("go", {}, "t"),)),
        Case(
            "cut in the last call",
            converse(BAKE, use("go", {}), stop="max_tokens"),
            (BAKED,),
            errors=("truncated_call",),
        ),
        Case("cut in the text", converse({"text": "It is"}, stop="max_tokens"), text="It is"),
        Case("a call that went wrong", converse(stop="malformed_tool_use"), errors=("malformed_call",)),
        Case(
            "an input that is no object", converse(use("go", [1]), BAKE), (BAKED,), errors=("malformed_call",)
        ),
        Case(
            "an error in place of a reply",
            {"message": "The model is not ready."},
            errors=("provider_error",),
            found="text",
        ),
    ),
)
