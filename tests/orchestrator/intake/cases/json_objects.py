"""JSON calls."""

from __future__ import annotations

from cases import Case, Family

FIND = '{"name": "find_book", "arguments": {"title": "Emma", "year": 1815}}'
FOUND = ("find_book", {"title": "Emma", "year": 1815})
LEND = '{"name": "lend", "parameters": {"to": "Ann"}}'
LENT = ("lend", {"to": "Ann"})
WIRE = '{"id": "c7", "type": "function", "function": {"name": "lend", "arguments": "{\\"to\\": \\"Ann\\"}"}}'
SCHEMA = '{"type": "object", "properties": {"title": {"type": "string"}}}'

FAMILY = Family(
    name="json",
    title="JSON calls",
    about="Objects with a name and arguments, as the whole reply, in fences, or on lines of their own; lists and "
    "wrappers of them. The name may stand under name, function, action, tool or recipient, the arguments under "
    "arguments, args, parameters, params or input. An object inside a sentence asks for nothing.",
    sample=FIND,
    order=20,
    cases=(
        Case("the object as the whole reply", FIND, (FOUND,), ""),
        Case("several, parted by semicolons", f"{FIND}; {LEND}", (FOUND, LENT), ""),
        Case("a list", f"[{FIND}, {LEND}]", (FOUND, LENT), ""),
        Case("a fence with prose around", f"Let me see.\n```json\n{FIND}\n```\nOne moment.", (FOUND,)),
        Case(
            "lines of their own in prose", f"First:\n{FIND}\n{LEND}\nDone.", (FOUND, LENT), "First:\n\nDone."
        ),
        Case("OpenAI's tool_calls as text", f'{{"tool_calls": [{FIND}, {WIRE}]}}', (FOUND, LENT), ""),
        Case("no tool_calls", '{"tool_calls": []}', (), ""),
        Case("calls in texts", '["lend(to=\'Ann\')", "rest()"]', (LENT, ("rest", {})), ""),
        Case(
            "LionAGI's action requests",
            '{"action_required": true, "action_requests": [{"function": "rest", "arguments": {}}]}',
            (("rest", {}),),
        ),
        Case("template tokens around", f"<|im_start|>\n{FIND}\n<|im_end|>", (FOUND,), ""),
        Case(
            "single quotes, Python's words and a comment",
            "```json\n{'name': 'rest', 'arguments': {'now': True, # please\n}}\n```",
            (("rest", {"now": True}),),
            repaired=("single quotes", "Python literals", "comments", "trailing comma"),
        ),
        Case("a surplus bracket", FIND + "}", (FOUND,), "", repaired=("surplus closing bracket",)),
        Case(
            "a missing last bracket before the end of a fence",
            f"```json\n{FIND[:-1]}\n```",
            (FOUND,),
            repaired=("missing last bracket",),
        ),
        Case("a missing last bracket", FIND[:-1], errors=("truncated_call",)),
        Case("a list that is cut off", f"[{FIND}, {LEND[:-9]}", errors=("truncated_call", "truncated_call")),
        Case(
            "objects of which the last is cut off",
            f"{FIND}\n{LEND[:-9]}",
            (FOUND,),
            errors=("truncated_call",),
        ),
        Case(
            "one bad entry in a list",
            f'[{FIND}, {{"name": "lend", "parameters": {{"to": Ann}}}}, {LEND}]',
            (FOUND, LENT),
            errors=("malformed_call",),
        ),
        Case(
            "brackets that do not match",
            '{"tool_calls": [{"name": "lend", "arguments": {"to": {"name": "Ann"}}]}]}',
            errors=("malformed_call",),
        ),
        Case(
            "a number that no float holds",
            '{"name": "f", "arguments": {"x": 1e999}}',
            errors=("malformed_call",),
        ),
        Case(
            "brackets inside each other without end",
            '{"name": "f", "arguments": ' + '{"a": ' * 300 + "1" + "}" * 301,
            errors=("too_deep",),
            found="text",
        ),
        Case("two names", '{"name": "a", "tool": "b", "arguments": {}}', errors=("malformed_call",)),
        Case("an object inside a sentence", f"You could write {FIND} there.", found="text"),
        Case("a description of a tool", f'{{"name": "find_book", "parameters": {SCHEMA}}}', found="text"),
        Case("a schema", f"```json\n{SCHEMA}\n```", found="text"),
        Case(
            "a description without parameters",
            '{"type": "function", "function": {"name": "rest", "parameters": {}}}',
            found="text",
        ),
        Case(
            "a description with a type alone",
            '{"name": "rest", "description": "Rests.", "parameters": {"type": "object"}}',
            found="text",
        ),
        Case(
            "an argument called type",
            '{"name": "draw", "parameters": {"type": "object"}}',
            (("draw", {"type": "object"}),),
        ),
        Case(
            "a call that the provider runs",
            '{"type": "mcp_call", "name": "lend", "arguments": "{}"}',
            found="text",
        ),
        Case(
            "the result of a call",
            '{"type": "function_call_output", "name": "lend", "arguments": {}}',
            found="text",
        ),
        Case("what a tool said", '{"role": "tool", "name": "lend", "arguments": {}}', found="text"),
        Case(
            "what a tool said, with calls",
            f'{{"role": "tool", "tool_calls": [{FIND}]}}',
            found="text",
        ),
        Case(
            "one entry that is no call",
            f'{{"tool_calls": [{{"type": "mcp_call", "name": "lend", "arguments": {{}}}}, {FIND}]}}',
            (FOUND,),
            errors=("malformed_call",),
        ),
        Case("data that has a name", '{"name": "Ann", "input": "hello"}', found="text"),
    ),
)
