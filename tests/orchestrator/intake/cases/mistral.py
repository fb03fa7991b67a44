"""Mistral's token."""

from __future__ import annotations

from cases import Case, Family

BAKE = '{"name": "bake", "arguments": {"loaves": 3}}'
COOL = '{"name": "cool", "arguments": {}}'
BAKED, COOLED = ("bake", {"loaves": 3}), ("cool", {})

FAMILY = Family(
    name="mistral",
    title="Mistral",
    about="The token `[TOOL_CALLS]` stands before a list of calls, or before each name with its arguments. There is "
    "no end mark, so a list or object must be closed.",
    sample=f"To the oven.[TOOL_CALLS][{BAKE}]",
    order=100,
    cases=(
        Case("a list", f"To the oven.[TOOL_CALLS][{BAKE}, {COOL}]", (BAKED, COOLED), "To the oven."),
        Case("one object", f"[TOOL_CALLS]{BAKE}", (BAKED,), ""),
        Case("a name and arguments", '[TOOL_CALLS]bake[ARGS]{"loaves": 3}</s>', (BAKED,), ""),
        Case("a call id", '[TOOL_CALLS]bake[CALL_ID]k7[ARGS]{"loaves": 3}', ((*BAKED, "k7"),), ""),
        Case("several names", '[TOOL_CALLS]bake{"loaves": 3}[TOOL_CALLS]cool{}', (BAKED, COOLED), ""),
        Case("an empty list", "Nothing to do.[TOOL_CALLS][]", (), "Nothing to do."),
        Case("a text behind it", f"[TOOL_CALLS][{BAKE}]\nIt takes an hour.", (BAKED,), "It takes an hour."),
        Case("the token in a sentence", "It writes the [TOOL_CALLS] token.", found="text"),
        Case(
            "single quotes",
            "[TOOL_CALLS][{'name': 'cool', 'arguments': {}}]",
            (COOLED,),
            "",
            repaired=("single quotes",),
        ),
        Case(
            "a bracket too many",
            f"[TOOL_CALLS][{BAKE}]]",
            (BAKED,),
            "",
            repaired=("surplus closing bracket",),
        ),
        Case(
            "a bad call beside a good one",
            "[TOOL_CALLS]bake[ARGS]{three}[TOOL_CALLS]cool[ARGS]{}",
            (COOLED,),
            "",
            ("malformed_call",),
        ),
        Case(
            "a list cut off in a call",
            f"[TOOL_CALLS][{COOL}, {BAKE[:30]}",
            (),
            "",
            ("truncated_call",) * 2,
        ),
        Case("a list cut off behind a call", f"[TOOL_CALLS][{COOL}, {BAKE}", (), "", ("truncated_call",) * 2),
        Case("arguments cut off", 'Now.[TOOL_CALLS]bake[ARGS]{"loaves": 3', (), "Now.", ("truncated_call",)),
        Case("the reply cut off behind the token", "Now.[TOOL_CALLS]", (), "Now.", ("truncated_call",)),
    ),
)
