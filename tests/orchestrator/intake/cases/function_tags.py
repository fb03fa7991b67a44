"""Function tags: Llama's with JSON, and Qwen3-Coder's with parameters."""

from __future__ import annotations

from cases import Case, Family

GO = '<function=play>{"song": "Nocturne"}</function>'
PLAY = ("play", {"song": "Nocturne"})
STOP = ("stop", {})
TAG = ("wrong tag",)
END = ("missing end tag",)

WRITE = """<tool_call>
<function=write>
<parameter=path>
notes.txt
</parameter>
<parameter=text>
a < b & c
  <b>two</b>
</parameter>
<parameter=lines>
2
</parameter>
</function>
</tool_call>"""
WRITTEN = ("write", {"path": "notes.txt", "text": "a < b & c\n  <b>two</b>", "lines": 2})

LLAMA = Family(
    name="llama.function_tag",
    title="Llama's function tags",
    about="The action's name in the tag and its arguments as JSON between the tags. Models break the tags in many "
    "ways; what can be meant in one way only runs and says what was mended.",
    sample=f"Here we go: {GO}",
    order=50,
    cases=(
        Case("a tag inside a text", f"Here we go: {GO} Enjoy.", (PLAY,), "Here we go: Enjoy."),
        Case("two calls", f"{GO}\n<function=stop>{{}}</function>", (PLAY, STOP), ""),
        Case(
            "a text that is a number",
            '<function=skip>{"times": "3"}</function>',
            (("skip", {"times": "3"}),),
            "",
        ),
        Case("null for arguments", "<function=stop>null</function>", (STOP,), ""),
        Case("arguments encoded twice", r'<function=play>"{\"song\": \"Nocturne\"}"</function>', (PLAY,), ""),
        Case("the tag in a sentence", "Calls look like <function=name> here.", found="text"),
        Case("brackets for the bracket", GO.replace("play>", "play[]"), (PLAY,), "", repaired=TAG),
        Case(
            "an attribute for the name",
            '<function name="play">{"song": "Nocturne"}</function>',
            (PLAY,),
            "",
            repaired=TAG,
        ),
        Case("no bracket behind the name", GO.replace("play>", "play"), (PLAY,), "", repaired=TAG),
        Case("a space for the bracket", GO.replace("play>", "play "), (PLAY,), "", repaired=TAG),
        Case("an equals sign for the bracket", GO.replace("play>", "play="), (PLAY,), "", repaired=TAG),
        Case(
            "parentheses around the JSON",
            '<function=play({"song": "Nocturne"})</function>',
            (PLAY,),
            "",
            repaired=(*TAG, "surplus closing bracket"),
        ),
        Case(
            "a bracket too many", GO.replace("</", "></"), (PLAY,), "", repaired=("surplus closing bracket",)
        ),
        Case(
            "an opening tag for the end tag", GO.replace("</function", "<function"), (PLAY,), "", repaired=END
        ),
        Case("no end tag at the end of the text", GO.removesuffix("</function>"), (PLAY,), "", repaired=END),
        Case("a token for the end tag", GO.replace("</function>", "<|eom_id|>"), (PLAY,), "", repaired=END),
        Case(
            "Python's words",
            '<function=mute>{"on": True}</function>',
            (("mute", {"on": True}),),
            repaired=("Python literals",),
        ),
        Case(
            "a list for an object",
            '<function=play>[{"song": "Nocturne"}]</function>',
            (),
            "",
            ("malformed_call",),
        ),
        Case("a list and words", "<function=play>[1] or so</function>", (), "", ("malformed_call",)),
        Case("no JSON", "<function=play>Nocturne</function>", (), "", ("malformed_call",)),
        Case("words beside the JSON", GO.replace("</", " loudly</"), (), "", ("malformed_call",)),
        Case("the reply cut off", '<function=play>{"song": "Noct', (), "", ("truncated_call",)),
    ),
)

QWEN = Family(
    name="qwen3",
    title="Qwen3-Coder's XML",
    about="Each parameter has a tag of its own, whose value may go over several lines and is never escaped. Values "
    "have no types: one is JSON if it parses to its end, else the text. The tag around is often missing.",
    sample=WRITE,
    order=51,
    cases=(
        Case("values on lines of their own", f"I note it.\n{WRITE}", (WRITTEN,), "I note it."),
        Case(
            "no tag around",
            WRITE.removeprefix("<tool_call>\n").removesuffix("\n</tool_call>"),
            (WRITTEN,),
            "",
        ),
        Case(
            "two calls",
            f"{WRITE}\n<tool_call><function=save>\n</function></tool_call>",
            (WRITTEN, ("save", {})),
            "",
        ),
        Case(
            "a list and an object",
            "<function=f>\n<parameter=a>[1, 2]</parameter>\n<parameter=b>\n"
            '{"c": "</parameter>"}\n</parameter>\n</function>',
            (("f", {"a": [1, 2], "b": {"c": "</parameter>"}}),),
        ),
        Case(
            "an empty value",
            "<function=f>\n<parameter=a>\n</parameter>\n</function>",
            (("f", {"a": ""}),),
            "",
        ),
        Case(
            "JSON for parameters",
            '<tool_call><function=f>{"a": 1}</function></tool_call>',
            (("f", {"a": 1}),),
            "",
        ),
        Case(
            "no end tag of the function",
            "<tool_call><function=f><parameter=a>1</parameter></tool_call>",
            (("f", {"a": 1}),),
            "",
            repaired=END,
        ),
        Case(
            "a parameter that stands twice",
            "<function=f><parameter=a>1</parameter><parameter=a>2</parameter></function>",
            (),
            "",
            ("malformed_call",),
        ),
        Case(
            "no end tag of a parameter",
            "<function=f><parameter=a>1<parameter=b>2</parameter></function>",
            (),
            "",
            ("truncated_call",),
        ),
        Case(
            "a call in a value",
            f"<function=write><parameter=text>as in {GO} or so</parameter></function>",
            (("write", {"text": f"as in {GO} or so"}),),
            "",
        ),
        Case(
            "a call with parameters in a value",
            f"<function=write><parameter=text>as in {WRITE} or so</parameter></function>\n{GO}",
            (PLAY,),
            "",
            ("malformed_call",),
            found="qwen3",
        ),
        Case(
            "end tags and a call with parameters in a value",
            f"<function=write><parameter=text>a</function>{WRITE}</parameter></function>",
            (),
            "",
            ("malformed_call",),
        ),
        Case(
            "a call in a value that is cut off",
            f"<function=write><parameter=text>as in {GO} or so",
            (),
            "",
            ("truncated_call",),
        ),
        Case(
            "a call behind a value without its end tag",
            f"<function=write><parameter=text>a</function>\n{WRITE}",
            (),
            "",
            ("truncated_call",),
        ),
        Case("the reply cut off in a value", WRITE[:80], (), "", ("truncated_call",)),
        Case(
            "the reply cut off behind a parameter",
            WRITE[: WRITE.rfind("</function>")],
            (),
            "",
            ("truncated_call",),
        ),
        Case(
            "the reply cut off behind the name",
            "Sure.\n<tool_call>\n<function=write>\n",
            (),
            "Sure.",
            ("truncated_call",),
        ),
    ),
)

FAMILIES = (LLAMA, QWEN)
