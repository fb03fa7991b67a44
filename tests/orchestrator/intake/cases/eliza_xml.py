"""Eliza's XML."""

from __future__ import annotations

from cases import Case, Family


def response(inner: str) -> str:
    return f"<response>\n<thought>Be kind.</thought>\n{inner}\n<text>Fish &amp; chips!</text>\n</response>"


FAMILY = Family(
    name="eliza.xml",
    title="Eliza's XML",
    about="A response with a thought, the names of actions, their arguments and the text for people. The names are "
    "calls, REPLY and IGNORE too; the thought is not shown.",
    sample=response("<actions>REPLY</actions>"),
    order=13,
    cases=(
        Case(
            "names",
            response("<actions>REPLY,ORDER</actions>"),
            (("REPLY", {}), ("ORDER", {})),
            "Fish & chips!",
        ),
        Case(
            "arguments as elements, by name",
            response(
                "<actions>REPLY,ORDER</actions><params><ORDER><n>2</n><to>A &lt;b&gt;</to></ORDER></params>"
            ),
            (("REPLY", {}), ("ORDER", {"n": 2, "to": "A <b>"})),
        ),
        Case(
            "arguments as JSON",
            response('<actions>ORDER</actions><params>{"n": 2}</params>'),
            (("ORDER", {"n": 2}),),
        ),
        Case(
            "actions with their own arguments",
            response("<actions><action><name>ORDER</name><params><n>2</n></params></action></actions>"),
            (("ORDER", {"n": 2}),),
        ),
        Case("no actions", response("<actions></actions>"), (), "Fish & chips!"),
        Case(
            "no beginning of the element around",
            "<actions>REPLY</actions>\n<text>Yes!</text></response>",
            (("REPLY", {}),),
            "Yes!",
        ),
        Case("no element around", "<actions>REPLY</actions>\n<text>Yes!</text>", found="text"),
        Case(
            "no end tag",
            "<response><actions>ORDER</actions><params><n>2</n></params>",
            errors=("truncated_call",),
        ),
        Case(
            "a text that is cut off", "<response><actions>REPLY</actions><text>Fi", errors=("truncated_call",)
        ),
        Case(
            "arguments that nobody owns",
            response("<actions>A,B</actions><params><n>2</n></params>"),
            errors=("malformed_call", "malformed_call"),
        ),
        Case(
            "arguments that stand twice",
            response("<actions>A</actions><params><n>2</n><n>3</n></params>"),
            errors=("malformed_call",),
        ),
        Case(
            "the reply cut off before the arguments",
            "<response><actions>ORDER</actions><text>At once.</text>",
            errors=("truncated_call",),
        ),
        Case(
            "a tag with attributes",
            response('<actions>ORDER</actions><params id="1"><n>2</n></params>'),
            errors=("malformed_call",),
        ),
        Case(
            "actions in a tag with attributes",
            response('<actions kind="x">ORDER</actions>'),
            errors=("malformed_call",),
        ),
        Case(
            "words between the elements",
            response("<actions>ORDER</actions> with <params><n>2</n></params>"),
            errors=("malformed_call",),
        ),
        Case(
            "an end tag inside the text",
            "<response><actions>ORDER</actions><text>It ends with </response>.</text>"
            "<params><n>2</n></params></response>",
            (("ORDER", {"n": 2}),),
            "It ends with </response>.",
        ),
        Case(
            "end tags inside a CDATA section",
            "<response><actions>ORDER</actions><text><![CDATA[</text></response>]]></text>"
            "<params><n>2</n></params></response>",
            (("ORDER", {"n": 2}),),
            "</text></response>",
        ),
        Case(
            "no end tag of the text",
            "<response><actions>REPLY</actions><text>Yes!</response>",
            (),
            "Yes!",
            ("malformed_call",),
        ),
        Case(
            "arguments in two places",
            response("<actions>A</actions><params><n>2</n></params><params><m>3</m></params>"),
            errors=("malformed_call",),
        ),
        Case(
            "actions in two places",
            response("<actions>A</actions><actions>B</actions>"),
            errors=("malformed_call", "malformed_call"),
        ),
        Case(
            "arguments for a name that stands twice",
            response("<actions>A,A</actions><params><A><n>2</n></A></params>"),
            errors=("malformed_call", "malformed_call"),
        ),
        Case(
            "arguments of one action that stand twice",
            response("<actions>A</actions><params><A><n>2</n></A><A><n>3</n></A></params>"),
            errors=("malformed_call",),
        ),
        Case(
            "arguments of one of several actions that stand twice",
            response("<actions>A,B</actions><params><A><n>2</n></A><A><n>3</n></A></params>"),
            errors=("malformed_call", "malformed_call"),
        ),
        Case(
            "a name in brackets",
            response("<actions>A,[B]</actions>"),
            (("A", {}),),
            errors=("malformed_call",),
        ),
        Case(
            "words between actions",
            response("<actions><action>A</action> and <action>B</action></actions>"),
            errors=("malformed_call",),
        ),
        Case(
            "words inside an action",
            response("<actions><action><name>A</name> with <params><n>2</n></params></action></actions>"),
            errors=("malformed_call",),
        ),
        Case(
            "arguments for one of several actions",
            response(
                "<actions><action>A</action><action>B</action></actions><params><B><n>2</n></B></params>"
            ),
            (("A", {}), ("B", {"n": 2})),
        ),
        Case(
            "a response that is cut off before another",
            "<response><actions>A</actions><response><actions>B</actions></response>",
            (("B", {}),),
            errors=("truncated_call",),
        ),
        Case(
            "a response in the text of another",
            "<response><actions>A</actions><text>Hi\n<response><actions>B</actions><text>Yes</text></response>",
            errors=("malformed_call",),
        ),
        Case("other XML", "<response><status>fine</status></response>", found="text"),
    ),
)
