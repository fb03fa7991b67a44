"""OpenAI Responses as events."""

from __future__ import annotations

from typing import Any

from intake_streams import sse

from cases import Case, Family

ITEM = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "plant", "arguments": ""}
WHOLE = {**ITEM, "arguments": '{"tree": "oak"}', "status": "completed"}
PLANT = ("plant", {"tree": "oak"}, "call_1")
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
SAID = {"type": "message", "id": "msg_1", "content": [{"type": "output_text", "text": "Done."}]}


def event(kind: str, place: int = 0, **more: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "output_index": place, **more}


def ended(*output: Any, kind: str = "completed", **more: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "response": {"object": "response", "output": list(output), **more}}


ADDED = event("output_item.added", item=ITEM)
GROWS = [event("function_call_arguments.delta", delta=delta) for delta in ('{"tree"', ': "oak"}')]
ENDS = [
    event("function_call_arguments.done", arguments='{"tree": "oak"}'),
    event("output_item.done", item=WHOLE),
]
CALL = [{"type": "response.created", "response": {"output": []}}, ADDED, *GROWS, *ENDS, ended(WHOLE)]
TEXT = [
    event("output_item.added", item={"type": "message", "id": "msg_1", "content": []}),
    event("output_text.delta", content_index=0, delta="Do"),
    event("output_text.delta", content_index=0, delta="ne."),
    event("output_text.done", content_index=0, text="Done."),
    event("output_item.done", item=SAID),
]

FAMILY = Family(
    name="openai.responses.stream",
    title="OpenAI Responses, streamed",
    about=(
        "Output items that are added, grow and are done. All of it comes again when an item and the response end; "
        "it is told once."
    ),
    sample=sse(CALL),
    kind="stream",
    order=20,
    cases=(
        Case("a call", CALL, (PLANT,), ""),
        Case("a text", [*TEXT, ended(SAID)], text="Done."),
        Case("its raw text, a comment first", ": PROCESSING\n\n" + sse(CALL), (PLANT,)),
        Case(
            "two calls",
            [
                *CALL[:-1],
                event("output_item.added", 1, item={**ITEM, "id": "fc_2", "call_id": "call_2"}),
                event("function_call_arguments.done", 1, arguments="{}"),
                ended(),
            ],
            (PLANT, ("plant", {}, "call_2")),
        ),
        Case(
            "tools that the provider runs",
            [
                event("output_item.added", item=SEARCH),
                event("output_item.done", item=SEARCH),
                event("output_item.added", 1, item={"type": "mcp_list_tools"}),
                ended(SEARCH),
            ],
            provider_calls=("web_search_call",),
        ),
        Case(
            "a custom tool",
            [
                event("output_item.added", item={**ITEM, "type": "custom_tool_call", "name": "sh"}),
                event("custom_tool_call_input.delta", delta="ls"),
                event("custom_tool_call_input.done", input="ls"),
                ended(),
            ],
            (("sh", {"input": "ls"}, "call_1"),),
        ),
        Case("nothing but the end", [ended(SAID, WHOLE)], (PLANT,), "Done."),
        Case("no end event", [ADDED, *GROWS, *ENDS], (PLANT,)),
        Case(
            "cut inside the arguments",
            [
                ADDED,
                GROWS[0],
                ended({**ITEM, "arguments": '{"tree"', "status": "incomplete"}, kind="incomplete"),
            ],
            errors=("truncated_call",),
        ),
        Case("broken off", [ADDED, GROWS[0]], errors=("truncated_call",)),
        Case(
            "failed",
            [
                *CALL[:-1],
                event("output_item.added", 1, item={**ITEM, "call_id": "b"}),
                ended(kind="failed", error={"code": "server_error", "message": "sorry"}),
            ],
            (PLANT,),
            errors=("provider_error", "truncated_call"),
        ),
        Case(
            "an error event",
            [ADDED, {"type": "error", "code": "rate_limit", "message": "slow down"}],
            errors=("provider_error", "truncated_call"),
        ),
    ),
)
