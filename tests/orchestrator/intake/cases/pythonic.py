"""Pythonic calls."""

from __future__ import annotations

from cases import Case, Family

BOTH = '[play(title=\'Clair de lune\', volume=3), lamp.set(on=False, colours=["red", {"k": None}])]'
PLAY = ("play", {"title": "Clair de lune", "volume": 3})
SET = ("lamp.set", {"on": False, "colours": ["red", {"k": None}]})

FAMILY = Family(
    name="pythonic",
    title="Pythonic calls",
    about="A list of calls in brackets on a line of its own, or bare calls as the whole reply or fence. Values are "
    "literals and each argument has its name; nothing is ever evaluated. A tuple is read as a list.",
    sample=BOTH,
    order=22,
    cases=(
        Case("a list", BOTH, (PLAY, SET), ""),
        Case(
            "prose before and after",
            f"With pleasure:\n\n{BOTH}\n\nEnjoy!",
            (PLAY, SET),
            "With pleasure:\n\nEnjoy!",
        ),
        Case(
            "bare calls, one on each line",
            "stop()\nlamp.dim(to=.5);",
            (("stop", {}), ("lamp.dim", {"to": 0.5})),
            "",
        ),
        Case("a fence", f"```python\n{BOTH}\n```\nEnjoy!", (PLAY, SET), "Enjoy!"),
        Case(
            "Gemma's tool_code",
            "```tool_code\nprint(stop(room='hall'))\n```",
            (("stop", {"room": "hall"}),),
            "",
        ),
        Case("Llama's tokens", "<|python_start|>[stop()]<|python_end|>", (("stop", {}),), ""),
        Case(
            "keywords of Python as names",
            "[move(from='a', class='b')]",
            (("move", {"from": "a", "class": "b"}),),
        ),
        Case(
            "names escaped for Markdown",
            "[lamp\\_set(is\\_on=True)]",
            (("lamp_set", {"is_on": True}),),
            repaired=("wrong escapes",),
        ),
        Case("JSON's words", "[set(on=true)]", (("set", {"on": True}),), repaired=("JSON literals",)),
        Case("a tuple", "[go(to=(1, 2))]", (("go", {"to": [1, 2]}),), repaired=("tuples",)),
        Case("a variable as a value", "[go(to=home), stop()]", (("stop", {}),), errors=("malformed_call",)),
        Case("a sum as a value", "[go(to=1 + 2)]", errors=("malformed_call",)),
        Case("a call as a value", "[go(to=place('x'))]", errors=("malformed_call",)),
        Case("an argument without a name", "[go('home')]", errors=("malformed_call",)),
        Case("an argument that stands twice", "[go(to='a', to='b')]", errors=("malformed_call",)),
        Case("a quote that is not escaped", "[go(to='Ann's'), stop()]", errors=("malformed_call",)),
        Case(
            "a quote that is not escaped, and lines after it",
            "note(text='Ann's list\nstop()\n')\nstop()",
            errors=("malformed_call",),
        ),
        Case("a list that is cut off", "[stop(), go(to='ho", errors=("truncated_call", "truncated_call")),
        Case(
            "calls of which the last is cut off",
            "stop()\ngo(to='ho",
            (("stop", {}),),
            errors=("truncated_call",),
        ),
        Case("a formula", "O(n)", found="text"),
        Case("a citation", "Smith(2020)", found="text"),
        Case("a name that no prose has, with a variable", "lamp_set(on)", errors=("malformed_call",)),
        Case("a text without a name", "go('home')", errors=("malformed_call",)),
        Case("a link", "[go(to='x')](https://example.org)", found="text"),
        Case("mathematics", "f(x) = 2 and P(X=1) = 0.5", found="text"),
        Case("a code sample", "Try this:\n```python\nplay(title='x')\n```", found="text"),
    ),
)
