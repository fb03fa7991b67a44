"""Tokens of several models."""

from __future__ import annotations

from cases import Case, Family

DIG = '{"tool_name": "dig", "parameters": {"deep": 2}}'
DUG, FILLED = ("dig", {"deep": 2}), ("fill", {})

FAMILY = Family(
    name="tokens",
    title="Other tokens",
    about="Cohere, LFM2, InternLM and Apertus put calls between tokens of their own; Apertus writes each as an object "
    "whose one key is the name.",
    sample=f"<|START_ACTION|>[{DIG}]<|END_ACTION|>",
    order=140,
    cases=(
        Case("Cohere's", f"A spade. <|START_ACTION|>[{DIG}]<|END_ACTION|>", (DUG,), "A spade."),
        Case("LFM2's", "<|tool_call_start|>[dig(deep=2), fill()]<|tool_call_end|>", (DUG, FILLED), ""),
        Case(
            "InternLM's",
            '<|action_start|><|plugin|>{"name": "dig", "parameters": {"deep": 2}}<|action_end|>',
            (DUG,),
        ),
        Case(
            "Apertus's",
            '<|tools_prefix|>[{"dig": {"deep": 2}}, {"fill": {}}]<|tools_suffix|>',
            (DUG, FILLED),
            "",
        ),
        Case("a name and arguments in Apertus's", f"<|tools_prefix|>[{DIG}]<|tools_suffix|>", (DUG,), ""),
        Case(
            "no end at the end of the text",
            f"<|START_ACTION|>[{DIG}]",
            (DUG,),
            "",
            repaired=("missing end tag",),
        ),
        Case(
            "arguments that are no object",
            '<|tools_prefix|>[{"dig": 2}]<|tools_suffix|>',
            errors=("malformed_call",),
        ),
        Case("a list that is cut off", f"<|START_ACTION|>[{DIG}", (), "", ("truncated_call",)),
        Case(
            "Apertus's, cut off",
            '<|tools_prefix|>[{"fill": {}}, {"dig": {"de',
            (),
            "",
            ("truncated_call",) * 2,
        ),
    ),
)
