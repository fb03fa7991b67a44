"""OpenAI chat completions and their imitators."""

from __future__ import annotations

from typing import Any

from intake_replies import chat, tool_call

from cases import Case, Family

PAY = tool_call("pay", '{"to": "Ada", "euros": 4}', "call_p")
PAID = ("pay", {"to": "Ada", "euros": 4}, "call_p")
ZERO = {"name": "", "arguments": ""}
OLLAMA: dict[str, Any] = {
    "model": "some-model",
    "message": {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"function": {"name": "go", "arguments": {"n": 2}}}],
    },
    "done": True,
    "done_reason": "stop",
}

FAMILY = Family(
    name="openai.chat",
    title="OpenAI chat completions",
    about=(
        "The first choice's message of OpenAI, Azure, Mistral (also named `mistral.chat`), Groq, OpenRouter, DeepSeek,"
        " xAI and many servers of open models; Ollama's own body too. The finish reason is not believed: what counts is"
        " whether the arguments are whole."
    ),
    sample=chat(PAY, content="I will pay her."),
    kind="provider",
    order=10,
    cases=(
        Case("a call beside a text", chat(PAY, content="I will pay her."), (PAID,), "I will pay her."),
        Case("two calls with one id", chat(PAY, PAY), (PAID, PAID)),
        Case(
            "arguments that are empty, null or missing",
            chat(*(tool_call("go", given) for given in ("", "null", None)), {"function": {"name": "go"}}),
            (("go", {}),) * 4,
        ),
        Case("a bare message", {"role": "assistant", "content": None, "tool_calls": [PAY]}, (PAID,)),
        Case("the older function_call", chat(function_call=PAY["function"]), (PAID[:2],)),
        Case(
            "zeros for what is not there",
            chat({**PAY, "custom": ZERO}, function_call=ZERO, content=""),
            (PAID,),
        ),
        Case("Ollama's own body, with an object as the arguments", OLLAMA, (("go", {"n": 2}),)),
        Case(
            "a custom tool, whose input is a free text",
            chat({"id": "c", "type": "custom", "custom": {"name": "draw", "input": "a cat"}}),
            (("draw", {"input": "a cat"}, "c"),),
        ),
        Case(
            "content in parts, with thoughts",
            chat(
                content=[{"type": "thinking", "thinking": []}, {"type": "text", "text": "Four."}],
                finish="stop",
            ),
            text="Four.",
        ),
        Case(
            "a tool that the provider ran",
            chat(content="It rains.", executed_tools=[{"type": "search"}], finish="stop"),
            text="It rains.",
            provider_calls=("search",),
        ),
        Case("a refusal", chat(refusal="I cannot do that.", finish="stop"), text="I cannot do that."),
        Case("a wrong finish reason", chat(PAY, finish="stop"), (PAID,)),
        Case("cut at the limit, but whole", chat(PAY, finish="length"), (PAID,)),
        Case(
            "cut inside the arguments",
            chat(PAY, tool_call("go", '{"n": 1')),
            (PAID,),
            errors=("truncated_call",),
        ),
        Case(
            "cut before the arguments", chat(tool_call("go", ""), finish="length"), errors=("truncated_call",)
        ),
        Case(
            "a trailing comma and a Python word",
            chat(tool_call("go", '{"fast": True,}')),
            (("go", {"fast": True}),),
            repaired=("Python literals", "trailing comma"),
        ),
        Case(
            "arguments encoded twice",
            chat(tool_call("go", '"{\\"n\\": 1}"')),
            (("go", {"n": 1}),),
        ),
        Case(
            "a key that stands twice",
            chat(tool_call("go", '{"n": 1, "n": 2}'), PAY),
            (PAID,),
            errors=("malformed_call",),
        ),
        Case(
            "an answer that a filter held back",
            {"choices": [{"index": 0, "finish_reason": "content_filter", "content_filter_results": {}}]},
            errors=("provider_error",),
        ),
        Case(
            "an error in place of a reply",
            {
                "error": {
                    "code": "tool_use_failed",
                    "message": "no such tool",
                    "failed_generation": '{"name": "go"}',
                }
            },
            errors=("provider_error",),
            found="text",
        ),
        Case(
            "an error inside a choice",
            {"choices": [{"message": {"content": ""}, "error": {"code": 502, "message": "Overloaded"}}]},
            errors=("provider_error",),
        ),
        Case(
            "an error beside half an answer",
            chat(PAY, tool_call("go", None), content="Half an ans", finish="error")
            | {"error": {"code": 502, "message": "Overloaded"}},
            (PAID,),
            "Half an ans",
            errors=("provider_error", "truncated_call"),
        ),
        Case(
            "an imitator's word for the limit",
            chat(PAY, tool_call("go", None), finish="max_output_tokens"),
            (PAID,),
            errors=("truncated_call",),
        ),
        Case(
            "a text with a call that is cut off",
            chat(content="Thought: Hm.\nAction: pay\nAction Input: Ada, 4 eu", finish="length"),
            text="Thought: Hm.",
            errors=("truncated_call",),
            found="react",
        ),
    ),
)
