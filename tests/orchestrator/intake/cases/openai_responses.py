"""OpenAI Responses."""

from __future__ import annotations

from typing import Any

from cases import Case, Family


def response(*items: Any, status: str = "completed", **more: Any) -> dict[str, Any]:
    return {
        "id": "resp_test",
        "object": "response",
        "status": status,
        "error": None,
        "output": list(items),
        **more,
    }


def said(*texts: str) -> dict[str, Any]:
    parts = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": parts}


def asked(name: str, arguments: Any, id: str = "call_1", **more: Any) -> dict[str, Any]:  # noqa: A002
    return {
        "id": "fc_1",
        "type": "function_call",
        "call_id": id,
        "name": name,
        "arguments": arguments,
        **more,
    }


def custom(name: str, text: str) -> dict[str, Any]:
    return {"id": "ctc_1", "type": "custom_tool_call", "call_id": "call_c", "name": name, "input": text}


BOOK = asked("book", '{"seats": 2}')
BOOKED = ("book", {"seats": 2}, "call_1")
SEARCH = {"id": "ws_1", "type": "web_search_call", "status": "completed"}

FAMILY = Family(
    name="openai.responses",
    title="OpenAI Responses",
    about=(
        "A list of output items. `function_call` and `custom_tool_call` are calls; every other item ending in `_call`,"
        " and `mcp_approval_request`, is the provider's own and named by its type. Reasoning is not shown."
    ),
    sample=response({"id": "rs_1", "type": "reasoning", "summary": []}, said("Booking."), BOOK),
    kind="provider",
    order=20,
    cases=(
        Case("a call after a text", response(said("Book", "ing."), BOOK), (BOOKED,), "Booking."),
        Case("two calls", response(BOOK, asked("go", "", "call_2")), (BOOKED, ("go", {}, "call_2"))),
        Case("only an item's own id", response({**BOOK, "call_id": None}), (("book", {"seats": 2}, "fc_1"),)),
        Case("a custom tool", response(custom("draw", "a cat")), (("draw", {"input": "a cat"}, "call_c"),)),
        Case(
            "tools that the provider runs, and one of ours",
            response(
                SEARCH, {"type": "mcp_list_tools"}, {"type": "mcp_approval_request", "name": "pay"}, BOOK
            ),
            (BOOKED,),
            provider_calls=("web_search_call", "mcp_approval_request"),
        ),
        Case(
            "a custom call of a tool that was not asked for",
            response(custom("x_search", "{}"), said("Found."), tools=[{"type": "x_search"}]),
            text="Found.",
            provider_calls=("custom_tool_call",),
        ),
        Case(
            "a call whose result stands beside it",
            response(
                BOOK, {"type": "function_call_output", "call_id": "call_1", "output": "ok"}, said("Done.")
            ),
            text="Done.",
            provider_calls=("function_call",),
        ),
        Case(
            "two messages",
            response(said("One."), SEARCH, said("Two.")),
            (),
            "One.\n\nTwo.",
            (),
            (),
            ("web_search_call",),
        ),
        Case(
            "a refusal",
            response({"type": "message", "content": [{"type": "refusal", "refusal": "I cannot."}]}),
            text="I cannot.",
        ),
        Case("an item by itself", BOOK, (BOOKED,)),
        Case("a message by itself", said("Hello."), text="Hello."),
        Case(
            "cut inside the arguments",
            response(BOOK, asked("go", '{"n": 1', status="incomplete"), status="incomplete"),
            (BOOKED,),
            errors=("truncated_call",),
        ),
        Case(
            "cut before the arguments",
            response(asked("go", ""), status="incomplete"),
            errors=("truncated_call",),
        ),
        Case(
            "a call that is not complete",
            response(asked("go", "", status="incomplete")),
            errors=("truncated_call",),
        ),
        Case("cut, but whole", response(BOOK, status="incomplete"), (BOOKED,)),
        Case(
            "a custom input that was cut",
            response(custom("draw", "a"), status="incomplete"),
            errors=("truncated_call",),
        ),
        Case(
            "arguments that are no object",
            response(asked("go", "[1]"), BOOK),
            (BOOKED,),
            errors=("malformed_call",),
        ),
        Case(
            "a response that was cancelled",
            response(BOOK, asked("go", "", status="incomplete"), status="cancelled"),
            (BOOKED,),
            errors=("provider_error", "truncated_call"),
        ),
        Case(
            "a response that failed",
            response(status="failed", error={"code": "server_error", "message": "Sorry"}),
            errors=("provider_error",),
            found="text",
        ),
    ),
)
