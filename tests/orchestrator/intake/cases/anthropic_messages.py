"""Anthropic messages."""

from __future__ import annotations

from intake_replies import message, tool_use

from cases import Case, Family

LOOK = {"type": "text", "text": "I will look. "}
FIND = tool_use("find", {"what": "keys"}, "toolu_f")
FOUND = ("find", {"what": "keys"}, "toolu_f")
RAN = {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "keys"}}
RESULT = {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": []}

FAMILY = Family(
    name="anthropic.messages",
    title="Anthropic messages",
    about=(
        "A list of content blocks. `tool_use` is a call; blocks whose kind only ends so (`server_tool_use`,"
        " `mcp_tool_use`) ran at the provider. Thinking is not shown."
    ),
    sample=message(LOOK, FIND),
    kind="provider",
    order=30,
    cases=(
        Case("a call after a text", message(LOOK, FIND), (FOUND,), "I will look."),
        Case("two calls", message(FIND, tool_use("go", {})), (FOUND, ("go", {}, "toolu_1"))),
        Case("no input", message({"type": "tool_use", "id": "t", "name": "go"}), (("go", {}, "t"),)),
        Case(
            "a tool that the provider ran, and one of ours",
            message(RAN, RESULT, LOOK, FIND),
            (FOUND,),
            "I will look.",
            provider_calls=("web_search",),
        ),
        Case(
            "a call whose result stands beside it",
            message(FIND, {"type": "tool_result", "tool_use_id": "toolu_f", "content": "here"}, LOOK),
            text="I will look.",
            provider_calls=("find",),
        ),
        Case(
            "thinking, and a text that citations split",
            message(
                {"type": "thinking", "thinking": "hm"},
                LOOK,
                {"type": "text", "text": "Wait."},
                stop="end_turn",
            ),
            text="I will look. Wait.",
        ),
        Case(
            "a message without its envelope",
            {"role": "assistant", "content": [LOOK, FIND]},
            (FOUND,),
            "I will look.",
        ),
        Case(
            "cut in the last call",
            message(FIND, tool_use("go", {}), stop="max_tokens"),
            (FOUND,),
            errors=("truncated_call",),
        ),
        Case(
            "an input that is no object",
            message(tool_use("go", [1]), FIND),
            (FOUND,),
            errors=("malformed_call",),
        ),
        Case("a block that is no object", message(None, FIND), (FOUND,), errors=("unexpected_body",)),
        Case(
            "an error in place of a reply",
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
            errors=("provider_error",),
            found="text",
        ),
    ),
)
