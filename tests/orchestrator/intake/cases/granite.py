"""Granite's tags, and Phi-4-mini's, which are the same with an end."""

from __future__ import annotations

from cases import Case, Family

OPEN = '{"name": "open_door", "arguments": {"door": 2}}'
RING = '{"name": "ring", "arguments": {}}'
BOTH = (("open_door", {"door": 2}), ("ring", {}))

FAMILY = Family(
    name="granite",
    title="Granite",
    about="IBM Granite writes `<function_call>` before each object, or `<|tool_call|>` before a list, without end "
    "tags. Others write the same tags with an end; where a text has one, a call without it says so.",
    sample=f"<function_call> {OPEN}",
    order=30,
    cases=(
        Case("an object behind the tag", f"<function_call> {OPEN}", BOTH[:1], ""),
        Case("several in a row", f"<function_call> {OPEN} <function_call> {RING}", BOTH, ""),
        Case("a list behind the token", f"<|tool_call|>[{OPEN}, {RING}]", BOTH, ""),
        Case("a text behind the list", f"<|tool_call|>[{OPEN}] Please wait.", BOTH[:1], "Please wait."),
        Case(
            "end tags and prose",
            f"Well:\n<function_call>\n{OPEN}\n</function_call>\nand\n<function_call>{RING}</function_call>",
            BOTH,
            "Well:\n\nand",
        ),
        Case("an end token", f"<|tool_call|>[{RING}]<|/tool_call|>", BOTH[1:], ""),
        Case(
            "an end tag that only one has",
            f"<function_call>{OPEN}</function_call><function_call>{RING}",
            BOTH,
            "",
            repaired=("missing end tag",),
        ),
        Case(
            "single quotes",
            "<function_call> {'name': 'ring', 'arguments': {}}",
            BOTH[1:],
            repaired=("single quotes",),
        ),
        Case(
            "a bracket missing before the end tag",
            f"<function_call>{OPEN[:-1]}</function_call>",
            BOTH[:1],
            "",
            repaired=("missing last bracket",),
        ),
        Case("JSON that is cut off", f"<function_call> {OPEN[:-1]}", (), "", ("truncated_call",)),
        Case("a list that is cut off", f"<|tool_call|>[{OPEN}, {RING[:-9]}", (), "", ("truncated_call",) * 2),
        Case("a list without its bracket", f"<|tool_call|>[{OPEN}", (), "", ("truncated_call",)),
    ),
)
