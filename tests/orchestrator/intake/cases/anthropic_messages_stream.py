"""Anthropic messages as events."""

from __future__ import annotations

from intake_streams import block, message, sse, use

from cases import Case, Family

TEXT = {"type": "text", "text": ""}
PAINT = ("paint", {"wall": "north"}, "toolu_1")
CALL = block(1, use(), '{"wall": ', '"north"}')
ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}

FAMILY = Family(
    name="anthropic.messages.stream",
    title="Anthropic messages, streamed",
    about=(
        "Content blocks that start, grow and stop. A `tool_use` block is complete when it stops; without input only if "
        "the reply was not cut off there."
    ),
    sample=sse(message(block(0, TEXT, "I will."), CALL), named=True),
    kind="stream",
    order=30,
    cases=(
        Case("a text and a call", message(block(0, TEXT, "I ", "will."), CALL), (PAINT,), "I will."),
        Case("its raw text, events named", sse(message(CALL), named=True), (PAINT,)),
        Case(
            "two calls, one without input",
            message(CALL, block(2, use("wait", "toolu_2"), "")),
            (PAINT, ("wait", {}, "toolu_2")),
        ),
        Case(
            "thoughts between texts",
            message(
                block(0, TEXT, "A"),
                block(1, {"type": "thinking", "thinking": ""}),
                block(2, TEXT, "B"),
                stop="end_turn",
            ),
            text="A\n\nB",
        ),
        Case(
            "tools that the provider runs",
            message(
                block(0, use("web_search", kind="server_tool_use"), '{"q": 1}'),
                block(1, use("ask", kind="mcp_tool_use"), "{}"),
                CALL,
            ),
            (PAINT,),
            provider_calls=("web_search", "ask"),
        ),
        Case(
            "input in the start of its block",
            message(block(0, {**use(), "input": {"wall": "north"}})),
            (PAINT,),
        ),
        Case(
            "cut inside the input",
            message(block(0, use(), '{"wall": "no'), stop="max_tokens"),
            errors=("truncated_call",),
        ),
        Case(
            "cut before the input",
            message(CALL, block(2, use("wait", "b")), stop="max_tokens"),
            (PAINT,),
            errors=("truncated_call",),
        ),
        Case(
            "broken off inside a block",
            message(CALL, block(2, use("wait", "b"), '{"s', stop=False), stop=None),
            (PAINT,),
            errors=("truncated_call",),
        ),
        Case(
            "an error inside",
            [*message(CALL, block(2, use("wait", "b"), "{}", stop=False), stop=None), ERROR],
            (PAINT,),
            errors=("provider_error", "truncated_call"),
        ),
        Case(
            "a block that nothing began",
            [*message(stop=None), *block(5, use(), '{"a": 1}')[1:]],
            errors=("malformed_call",),
        ),
    ),
)
