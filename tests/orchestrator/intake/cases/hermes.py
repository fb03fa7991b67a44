"""Hermes tags."""

from __future__ import annotations

from cases import Case, Family

LAMP = '{"name": "set_lamp", "arguments": {"room": "hall", "on": true}}'
FIND = '{"arguments": {"word": "tea"}, "name": "find"}'
LAMP_CALL = ("set_lamp", {"room": "hall", "on": True})
FIND_CALL = ("find", {"word": "tea"})
BOTH = (LAMP_CALL, FIND_CALL)
GO = f"<tool_call>\n{LAMP}\n</tool_call>"
END = "missing end tag"

GOOD = (
    Case("a block inside a text", f"One moment.\n{GO}\nDone.", (LAMP_CALL,), "One moment.\n\nDone."),
    Case("two blocks", f"{GO}\n<tool_call>{FIND}</tool_call>", BOTH, ""),
    Case("two objects in one block", f"<tool_call>{LAMP}\n{FIND}</tool_call>", BOTH, ""),
    Case("a list in a block", f"<tool_call>[{LAMP}, {FIND}]</tool_call>", BOTH, ""),
    Case("the tag of a list", f"<tool_calls>\n{LAMP}\n{FIND}\n</tool_calls>", BOTH, ""),
    Case(
        "a tag around the tags",
        f"<tool_calls>{GO}{GO.replace('hall', 'attic')}</tool_calls>",
        (LAMP_CALL, ("set_lamp", {"room": "attic", "on": True})),
        "",
    ),
    Case("Nemotron's capitals", f"<TOOLCALL>[{FIND}]</TOOLCALL>", (FIND_CALL,), ""),
    Case("a name and nothing else", '<tool_call>{"name": "stop"}</tool_call>', (("stop", {}),), ""),
    Case(
        "arguments encoded twice",
        r'<tool_call>{"name": "find", "arguments": "{\"word\": \"tea\"}"}</tool_call>',
        (FIND_CALL,),
    ),
    Case(
        "an end tag inside a string",
        '<tool_call>{"name": "say", "arguments": {"x": "</tool_call>"}}</tool_call>',
        (("say", {"x": "</tool_call>"}),),
        "",
    ),
    Case(
        "a block in a thought and one after it",
        f"<think>Shall I? {GO}</think>Yes. <tool_call>{FIND}</tool_call>",
        (FIND_CALL,),
        "Yes.",
    ),
    Case("a block in backticks", f"Write `<tool_call>{FIND}</tool_call>` for that.", found="text"),
    Case(
        "the tags in a sentence",
        "Put it between <tool_call> and </tool_call>, please.",
        found="text",
        text="Put it between <tool_call> and </tool_call>, please.",
    ),
    Case(
        "Python between the tags",
        "<function_calls>\nfind(word='tea')\nstop()\n</function_calls>",
        (FIND_CALL, ("stop", {})),
        "",
    ),
    Case("an empty list", "<tool_call>[]</tool_call>", (), ""),
)

DEFECTS = (
    Case("no end tag at the end of the text", f"<tool_call>{LAMP}", (LAMP_CALL,), "", repaired=(END,)),
    Case(
        "no end tag before the next block",
        f"<tool_call>{LAMP}\n<tool_call>{FIND}</tool_call>",
        BOTH,
        "",
        repaired=(END,),
    ),
    Case(
        "an opening tag for the end tag", f"<tool_call>{LAMP}<tool_call>", (LAMP_CALL,), "", repaired=(END,)
    ),
    Case("another end tag", f"<tool_call>{LAMP}</function>", (LAMP_CALL,), "", repaired=(END,)),
    Case(
        "tokens of the chat template for tags",
        f"<tool_call>{LAMP}\n<|im_start|>\n{FIND}<|im_end|>",
        BOTH,
        "",
        repaired=(END, END),
    ),
    Case("no opening tag", f"{LAMP}\n</tool_call>", (LAMP_CALL,), "", repaired=("wrong tag",)),
    Case(
        "an unclosed block that says the same again",
        f"{GO}\n<tool_call>{LAMP}",
        (LAMP_CALL,),
        "",
        ("truncated_call",),
    ),
    Case(
        "a fence inside the tags",
        f"<tool_call>\n```json\n{LAMP}\n```\n</tool_call>",
        (LAMP_CALL,),
        "",
        repaired=("code fence",),
    ),
    Case(
        "Python's quotes and words",
        "<tool_call>{'name': 'set', 'arguments': {'on': True, 'by': None}}</tool_call>",
        (("set", {"on": True, "by": None}),),
        repaired=("single quotes", "Python literals"),
    ),
    Case(
        "one bracket missing",
        f"<tool_call>{LAMP[:-1]}</tool_call>",
        (LAMP_CALL,),
        "",
        repaired=("missing last bracket",),
    ),
    Case(
        "a bracket too many",
        f"<tool_call>{LAMP}}}</tool_call>",
        (LAMP_CALL,),
        "",
        repaired=("surplus closing bracket",),
    ),
    Case("two brackets missing", f"<tool_call>{LAMP[:-2]}</tool_call>", errors=("truncated_call",)),
    Case(
        "the reply cut off in the JSON", f"On it. <tool_call>{LAMP[:-1]}", (), "On it.", ("truncated_call",)
    ),
    Case("a list cut off", f"<tool_call>[{LAMP}, {FIND[:30]}", (), "", ("truncated_call",) * 2),
    Case("the reply cut off behind the tag", "On it. <tool_call>\n", (), "On it.", ("truncated_call",)),
    Case(
        "a bad line between good ones",
        f"<tool_calls>\n{LAMP}\n{{oh no}}\n{FIND}\n</tool_calls>",
        BOTH,
        "",
        ("malformed_call",),
    ),
    Case(
        "arguments that are a word",
        '<tool_call>{"name": "find", "arguments": "tea"}</tool_call>',
        errors=("malformed_call",),
    ),
    Case("words beside the JSON", f"<tool_call>{LAMP} or so</tool_call>", (), "", ("malformed_call",)),
    Case(
        "other tags between the tags",
        "<tool_call><do>find</do> <word>tea</word></tool_call>",
        (),
        "",
        ("malformed_call",),
    ),
    Case(
        "other tags beside the JSON",
        f"<tool_call>{LAMP} <b>please</b></tool_call>",
        (),
        "",
        ("malformed_call",),
    ),
    Case("no JSON at all", "<tool_call>find the tea</tool_call>", (), "", ("malformed_call",)),
    Case(
        "a call that the provider runs",
        '<tool_call>{"type": "mcp_call", "name": "find"}</tool_call>',
        errors=("malformed_call",),
    ),
    Case("an object that is no call", '<tool_call>{"room": "hall"}</tool_call>', errors=("malformed_call",)),
    Case(
        "a key that stands twice",
        '<tool_call>{"name": "f", "arguments": {"a": 1, "a": 2}}</tool_call>',
        errors=("malformed_call",),
    ),
)

FAMILY = Family(
    name="hermes",
    title="Hermes tags",
    about="What Hermes, Qwen 2.5 and 3, xLAM, Nemotron and many others write: JSON with a name and arguments between "
    "tags. A call whose JSON is whole runs though its end tag is missing; JSON that is cut off never does.",
    sample=f"One moment.\n{GO}",
    order=20,
    cases=GOOD + DEFECTS,
)
