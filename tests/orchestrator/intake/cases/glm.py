"""GLM's two forms."""

from __future__ import annotations

from cases import Case, Family

BREW = (
    "<tool_call>brew\n<arg_key>tea</arg_key>\n<arg_value>green & <hot></arg_value>\n<arg_key>cups</arg_key>\n"
    "<arg_value>2</arg_value>\n</tool_call>"
)
BREWED = ("brew", {"tea": "green & <hot>", "cups": 2})

FAMILY = Family(
    name="glm",
    title="GLM",
    about="GLM-4.5 puts each key and each value in a tag; values have no types: JSON if they parse to their end, else "
    "text. GLM-4 writes the name on a line and an object behind it, as its whole "
    "reply; a name that is a word without `_`, a dot, a digit or a capital inside is none.",
    sample=BREW,
    order=80,
    cases=(
        Case("keys and values in tags", f"With pleasure.\n{BREW}", (BREWED,), "With pleasure."),
        Case(
            "two calls, one without arguments",
            f"{BREW}\n<tool_call>serve</tool_call>",
            (BREWED, ("serve", {})),
            "",
        ),
        Case("no line breaks", BREW.replace("\n", ""), (BREWED,), ""),
        Case("a name on a line", 'brew_tea\n{"cups": 2}', (("brew_tea", {"cups": 2}),), ""),
        Case(
            "several names on lines",
            'brew_tea\n{"cups": 2}\nserveTea\n{}',
            (("brew_tea", {"cups": 2}), ("serveTea", {})),
            "",
        ),
        Case(
            "tokens between the lines",
            'brew_tea\n{"cups": 2}<|assistant|>serveTea\n{}\n<|observation|>',
            (("brew_tea", {"cups": 2}), ("serveTea", {})),
            "",
        ),
        Case("a heading and JSON in a text", 'Recipe:\n{"cups": 2}', found="text"),
        Case(
            "an argument called action",
            'kettle.set\n{"action": "boil"}',
            (("kettle.set", {"action": "boil"}),),
            "",
        ),
        Case(
            "a word before a call in JSON",
            'Sure\n{"name": "brew", "arguments": {"cups": 2}}',
            (("brew", {"cups": 2}),),
            "Sure",
            found="json",
        ),
        Case("a word and JSON", 'Answer\n{"cups": 2}', found="text"),
        Case("a call and a word with JSON", 'brew_tea\n{"cups": 2}\nOutput\n{"done": true}', found="text"),
        Case("a name, JSON and a text", 'brew_tea\n{"cups": 2}\nEnjoy it.', found="text"),
        Case(
            "Python's words",
            'brew_tea\n{"hot": True}',
            (("brew_tea", {"hot": True}),),
            repaired=("Python literals",),
        ),
        Case("an object that is cut off", 'brew_tea\n{"cups": 2', (), "", ("truncated_call",)),
        Case("no end tag", BREW.removesuffix("</tool_call>"), (), "", ("truncated_call",)),
        Case("no end tag of a value", BREW.replace("2</arg_value>", "2"), (), "", ("truncated_call",)),
        Case("no end tag of a key", BREW.replace("cups</arg_key>", "cups"), (), "", ("malformed_call",)),
        Case("a key that stands twice", BREW.replace("cups", "tea"), (), "", ("malformed_call",)),
        Case(
            "a call in a value",
            '<tool_call>note<arg_key>t</arg_key><arg_value>a <tool_call>{"name": "brew", "arguments": {}}</tool_call>'
            "</arg_value></tool_call>",
            (("note", {"t": 'a <tool_call>{"name": "brew", "arguments": {}}</tool_call>'}),),
            "",
        ),
        Case(
            "a call with keys in a value",
            f"<tool_call>note<arg_key>t</arg_key><arg_value>a {BREW}</arg_value></tool_call>{BREW}",
            (BREWED,),
            "",
            ("malformed_call",),
        ),
        Case(
            "a call in a value that is cut off",
            "<tool_call>note<arg_key>t</arg_key><arg_value>a <tool_call>brew</tool_call> b",
            (),
            "",
            ("truncated_call",),
        ),
        Case("the reply cut off in a value", BREW[:70], (), "", ("truncated_call",)),
        Case("the reply cut off behind the name", "Yes. <tool_call>brew", (), "Yes.", ("truncated_call",)),
    ),
)
