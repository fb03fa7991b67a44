"""Harmony's messages."""

from __future__ import annotations

from cases import Case, Family

THOUGHT = '<|channel|>analysis<|message|>Perhaps {"name": "fly", "arguments": {}}?<|end|>'
START = "<|start|>assistant"
FLY = '<|channel|>commentary to=functions.fly <|constrain|>json<|message|>{"to": "Oslo"}<|call|>'
FLEW = ("fly", {"to": "Oslo"})
LAND = "<|channel|>commentary to=functions.land <|constrain|>json<|message|>{}<|call|>"

FAMILY = Family(
    name="harmony",
    title="Harmony",
    about="The messages of gpt-oss. One to `functions.NAME` is a call; the analysis channel is neither read nor shown; "
    "the rest is text. A call of the browser, python or container tool is the server's to run.",
    sample=f"{THOUGHT}{START}{FLY}",
    order=110,
    cases=(
        Case("a thought and a call", f"{THOUGHT}{START}{FLY}", (FLEW,), ""),
        Case(
            "a preamble and two calls",
            f"<|channel|>commentary<|message|>Off we go.<|end|>{START}{FLY}{START}{LAND}",
            (FLEW, ("land", {})),
            "Off we go.",
        ),
        Case(
            "the recipient before the channel",
            f'{START} to=functions.fly<|channel|>commentary json<|message|>{{"to": "Oslo"}}<|call|>',
            (FLEW,),
            "",
        ),
        Case(
            "a final answer",
            f"{THOUGHT}{START}<|channel|>final<|message|>No flights.<|return|>",
            (),
            "No flights.",
        ),
        Case("nothing for arguments", LAND.replace("{}", ""), (("land", {}),), ""),
        Case(
            "a tool of the server",
            '<|channel|>analysis to=browser.search code<|message|>{"query": "Oslo"}<|call|>',
            (),
            "",
            provider_calls=("browser.search",),
        ),
        Case(
            "a result that the model made up",
            f"{START}{FLY}<|start|>functions.fly to=assistant<|channel|>commentary"
            f'<|message|>{{"ok": true}}<|end|>{START}<|channel|>final<|message|>Done.',
            (FLEW,),
            "Done.",
        ),
        Case(
            "no end at the end of the text",
            FLY.removesuffix("<|call|>"),
            (FLEW,),
            "",
            repaired=("missing end tag",),
        ),
        Case("another end", FLY.replace("<|call|>", "<|end|>"), (FLEW,), "", repaired=("missing end tag",)),
        Case(
            "Python's words",
            LAND.replace("{}", '{"now": True}'),
            (("land", {"now": True}),),
            "",
            repaired=("Python literals",),
        ),
        Case("JSON that is cut off", FLY[:75], (), "", ("truncated_call",)),
        Case("the reply cut off in the head", f"{THOUGHT}{START}{FLY[:40]}", (), "", ("truncated_call",)),
        Case("no JSON", LAND.replace("{}", "now"), (), "", ("malformed_call",)),
        Case("a thought that does not end", f"<|channel|>analysis<|message|>Hm. {FLY[11:]}"[:60], (), ""),
    ),
)
