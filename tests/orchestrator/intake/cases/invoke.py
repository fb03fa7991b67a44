"""Invoke tags."""

from __future__ import annotations

from cases import Case, Family

BOOK = '<invoke name="book"><parameter name="seats">2</parameter><parameter name="row">F</parameter></invoke>'
BOOKED = ("book", {"seats": 2, "row": "F"})
GO = f"<function_calls>\n{BOOK}\n</function_calls>"

FAMILY = Family(
    name="invoke",
    title="Invoke tags",
    about="What Claude and MiniMax write when they write calls into a text. Any wrapper and any prefix may be around. "
    "Values may hold raw `<` and `&`; the entities of XML are decoded, and no DOCTYPE is read.",
    sample=f"Two seats, then.\n{GO}",
    order=60,
    cases=(
        Case("a wrapper around", f"Two seats, then.\n{GO}", (BOOKED,), "Two seats, then."),
        Case("no wrapper", f"{BOOK} Done.", (BOOKED,), "Done."),
        Case(
            "two calls and a prefix",
            f"<x:tool_call>{BOOK}<invoke name='pay'></invoke></x:tool_call>",
            (BOOKED, ("pay", {})),
            "",
        ),
        Case(
            "prefixed tags",
            BOOK.replace("</", "</ns:").replace("<i", "<ns:i").replace("<p", "<ns:p"),
            (BOOKED,),
            "",
        ),
        Case("no arguments", '<invoke name="pay"/>', (("pay", {}),), ""),
        Case(
            "raw signs and entities",
            '<invoke name="say"><parameter name="x">1 < 2 && &lt;b&gt;</parameter></invoke>',
            (("say", {"x": "1 < 2 && <b>"}),),
            "",
        ),
        Case(
            "an entity that a DOCTYPE made",
            '<!DOCTYPE a [<!ENTITY b "c">]><invoke name="say"><parameter name="x">&b;</parameter></invoke>',
            (("say", {"x": "&b;"}),),
        ),
        Case("JSON for parameters", '<invoke name="book">{"seats": 2, "row": "F"}</invoke>', (BOOKED,), ""),
        Case("no end tag of the wrapper", GO.removesuffix("</function_calls>"), (BOOKED,), ""),
        Case("the tag in a sentence", 'The tag <invoke name="x"> begins a call.', found="text"),
        Case("no end tag of a parameter", BOOK.replace("2</parameter>", "2"), (), "", ("truncated_call",)),
        Case("no end tag", f"Yes. {BOOK.removesuffix('</invoke>')}", (), "Yes.", ("truncated_call",)),
        Case(
            "a call in a value",
            "<invoke name='say'><parameter name='x'>a <invoke name='pay'></invoke></parameter></invoke>",
            (("say", {"x": "a <invoke name='pay'></invoke>"}),),
            "",
        ),
        Case(
            "a call with parameters in a value",
            f"<invoke name='say'><parameter name='x'>a {BOOK}</parameter></invoke>{BOOK}",
            (BOOKED,),
            "",
            ("malformed_call",),
        ),
        Case(
            "a call in a value that is cut off",
            "<invoke name='say'><parameter name='x'>a <invoke name='pay'></invoke> b",
            (),
            "",
            ("truncated_call",),
        ),
        Case("the reply cut off in a value", BOOK[:50], (), "", ("truncated_call",)),
        Case("the reply cut off in the wrapper", "Yes. <function_calls>\n", (), "Yes.", ("truncated_call",)),
        Case(
            "words between the parameters",
            BOOK.replace('<parameter name="row', 'and <parameter name="row'),
            (),
            "",
            ("malformed_call",),
        ),
    ),
)
