"""OpenAI chat in chunks, and its imitators."""

from __future__ import annotations

from intake_streams import calls, chunk, entry, sse

from cases import Case, Family

DONE = "[DONE]"
HEAD, TAIL = entry(0, "call_a", "dial", '{"num'), entry(0, None, None, 'ber": 5}')
DIAL = ("dial", {"number": 5}, "call_a")
CALL = [chunk(role="assistant", content=None), calls(HEAD), calls(TAIL), chunk("tool_calls"), DONE]
SECOND = calls(entry(1, "call_b", "hang_up", "{}"))
USAGE = {"object": "chat.completion.chunk", "choices": [], "usage": {"total_tokens": 9}}
ERROR = {"error": {"message": "overloaded", "type": "server_error", "code": 503}}

FAMILY = Family(
    name="openai.chat.stream",
    title="OpenAI chat, streamed",
    about=(
        "Chunks whose deltas add to a text and to calls. A call is complete where the next one begins, at the finish "
        "reason, or at [DONE]; without any of these only if its arguments are an object with something in it."
    ),
    sample=sse(CALL),
    kind="stream",
    order=10,
    cases=(
        Case("a call in fragments", CALL, (DIAL,), ""),
        Case(
            "a text, and the usage at the end",
            [chunk(content="Good "), chunk(content="day."), chunk("stop"), USAGE],
            text="Good day.",
        ),
        Case(
            "two calls and a text",
            [chunk(content="Wait."), calls(HEAD), calls(TAIL), SECOND, chunk("tool_calls")],
            (DIAL, ("hang_up", {}, "call_b")),
            "Wait.",
        ),
        Case("its raw text with CRLF and comments", ": hello\r\n\r\n" + sse(CALL, "\r\n\r\n"), (DIAL,)),
        Case("no blank lines, no space after `data:`", sse(CALL, "\n").replace("data: ", "data:"), (DIAL,)),
        Case("no [DONE]", CALL[:-1], (DIAL,)),
        Case("no finish reason", [*CALL[:3], DONE], (DIAL,)),
        Case("no end, whole arguments", CALL[:3], (DIAL,)),
        Case("no end, no arguments", [calls(entry(0, "call_a", "dial", "{}"))], errors=("truncated_call",)),
        Case("cut inside the arguments", [*CALL[:2], chunk("length"), DONE], errors=("truncated_call",)),
        Case(
            "cut before the arguments",
            [calls(entry(0, "call_a", "dial", "")), chunk("length")],
            errors=("truncated_call",),
        ),
        Case(
            "an imitator's word for the limit",
            [calls(entry(0, "call_a", "dial", "")), chunk("model_length")],
            errors=("truncated_call",),
        ),
        Case("its raw text cut inside an event", sse(CALL)[:-90], errors=("not_json", "truncated_call")),
        Case(
            "arguments that are empty or null",
            [calls(entry(0, "a", "x", "")), calls(entry(1, "b", "y")), chunk("tool_calls")],
            (("x", {}, "a"), ("y", {}, "b")),
        ),
        Case(
            "a whole call in one chunk, the finish reason too",
            [calls(entry(0, "call_a", "dial", '{"number": 5}'), finish="tool_calls")],
            (DIAL,),
        ),
        Case(
            "no index",
            [
                calls(entry(None, "call_a", "dial", '{"number"')),
                calls(entry(None, "", "", ": 5}")),
                calls(entry(None, "b", "x", "{}")),
                chunk("stop"),
            ],
            (DIAL, ("x", {}, "b")),
        ),
        Case(
            "one index for all calls",
            [calls(HEAD), calls(TAIL), calls(entry(0, "b", "x", "{}")), chunk("stop")],
            (DIAL, ("x", {}, "b")),
        ),
        Case(
            "the name in every delta, ids that are empty",
            [calls(HEAD), calls(entry(0, "", "dial", 'ber": 5}')), chunk("stop")],
            (DIAL,),
        ),
        Case(
            "`{}` before the arguments",
            [calls(entry(0, "call_a", "dial", "{}")), calls(HEAD), calls(TAIL), chunk("stop")],
            (DIAL,),
        ),
        Case(
            "arguments as an object",
            [calls(entry(0, "call_a", "dial", {"number": 5})), chunk("stop")],
            (DIAL,),
        ),
        Case(
            "all of it once more at the end",
            [*CALL[:3], calls(entry(0, "call_a", "dial", '{"number": 5}')), *CALL[3:]],
            (DIAL,),
        ),
        Case(
            "zeros",
            [
                chunk(
                    content="Hi",
                    tool_calls=[entry(0, "", "", "")],
                    function_call={"name": "", "arguments": ""},
                ),
                chunk("stop"),
            ],
            text="Hi",
        ),
        Case(
            "the older function_call",
            [
                chunk(function_call={"name": "dial", "arguments": '{"num'}),
                chunk(function_call={"arguments": 'ber": 5}'}),
                chunk("function_call"),
            ],
            (("dial", {"number": 5}),),
        ),
        Case(
            "a custom tool",
            [
                chunk(
                    tool_calls=[
                        {
                            "index": 0,
                            "id": "a",
                            "type": "custom",
                            "custom": {"name": "sql", "input": "SELECT "},
                        }
                    ]
                ),
                chunk(tool_calls=[{"index": 0, "custom": {"input": "1"}}]),
                chunk("tool_calls"),
            ],
            (("sql", {"input": "SELECT 1"}, "a"),),
        ),
        Case(
            "thoughts, and parts for a text",
            [
                chunk(reasoning_content="Hm."),
                chunk(content=[{"type": "thinking", "thinking": []}, {"type": "text", "text": "Yes."}]),
                chunk("stop"),
            ],
            text="Yes.",
        ),
        Case(
            "tools that the provider ran",
            [
                chunk(executed_tools=[{"index": 0, "type": "search"}]),
                chunk(executed_tools=[{"index": 0, "type": "search", "output": "…"}]),
                chunk(content="Found."),
                chunk("stop"),
            ],
            text="Found.",
            provider_calls=("search",),
        ),
        Case(
            "an error inside",
            [*CALL[:3], calls(entry(1, "b", "x", '{"a')), ERROR],
            (DIAL,),
            errors=("provider_error", "truncated_call"),
        ),
        Case(
            "an error beside the last words",
            [chunk(content="Half an ans"), {**chunk("error"), **ERROR}],
            text="Half an ans",
            errors=("provider_error",),
        ),
        Case("nothing but an error", sse([ERROR]), errors=("provider_error",), found="text"),
        Case(
            "calls in its text",
            [chunk(content="[ACTION:GO]"), chunk(content="{}[/ACTION]"), chunk("stop")],
            (("GO", {}),),
            "",
            found="coach.tags",
        ),
    ),
)
