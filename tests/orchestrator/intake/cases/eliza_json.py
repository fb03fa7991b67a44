"""Eliza's JSON."""

from __future__ import annotations

from cases import Case, Family

BUY = '{"user": "Trader", "text": "Buying.", "action": "BUY_ORDER", "parameters": {"ticker": "ACME"}}'
BOUGHT = ("BUY_ORDER", {"ticker": "ACME"})

FAMILY = Family(
    name="eliza.json",
    title="Eliza's JSON",
    about="An object with the text for people and `action` (or `actions`), as the whole reply, in a fence or in prose. "
    "Beside an action without arguments or text only keys that are known may stand: other objects are data.",
    sample=BUY,
    order=12,
    cases=(
        Case("the object as the whole reply", BUY, (BOUGHT,), "Buying."),
        Case("the object in a fence", f"Sure.\n```json\n{BUY}\n```", (BOUGHT,), "Buying."),
        Case("the object inside a sentence", f"Here: {BUY} and so on", (BOUGHT,), "Buying."),
        Case(
            "several names",
            '{"text": "Both.", "actions": ["WAVE", "SMILE"]}',
            (("WAVE", {}), ("SMILE", {})),
            "Both.",
        ),
        Case("no action", '{"user": "Trader", "text": "Hello.", "action": null}', (), "Hello."),
        Case(
            "a text as action_input",
            '{"action": "LOOK_UP", "action_input": "rain"}',
            (("LOOK_UP", {"input": "rain"}),),
        ),
        Case(
            "the final answer of an agent",
            '{"action": "Final Answer", "action_input": "It rains."}',
            (),
            "It rains.",
        ),
        Case(
            "keys prefixed with action_",
            '{"action": "GO", "action_params": {"to": "x"}}',
            (("GO", {"to": "x"}),),
        ),
        Case(
            "an object that is cut off",
            'Well: {"action": "GO", "params": {"to": ',
            errors=("truncated_call",),
        ),
        Case(
            "arguments beside several names",
            '{"actions": ["A", "B"], "params": {"x": 1}}',
            errors=("malformed_call", "malformed_call"),
        ),
        Case("a key that stands twice", '{"action": "A", "action": "B"}', errors=("malformed_call",)),
        Case("a line of a log", '{"level": "info", "action": "login", "user": "bob"}', found="text"),
        Case("a rule", '{"actions": ["read"], "effect": "allow"}', found="text"),
        Case(
            "an action beside a plan",
            '{"plan": "first", "actions": [{"name": "GO", "params": {"to": "x"}}]}',
            (("GO", {"to": "x"}),),
        ),
        Case(
            "what another one said",
            '{"role": "user", "content": {"text": "Go!", "action": "GO"}}',
            found="text",
        ),
        Case("an object in backticks", 'Write `{"action": "GO"}` for it.', found="text"),
    ),
)
