"""Coach XML."""

from __future__ import annotations

from cases import Case, Family

GO = '<action name="GO"><param name="where">home</param><param name="steps">3</param></action>'
HOME = ("GO", {"where": "home", "steps": 3})

FAMILY = Family(
    name="coach.xml",
    title="Coach XML",
    about="An element with the action's name and a param for each argument, anywhere in a text. A value is JSON if it "
    "parses to its end, else the text. Entities are decoded; no DOCTYPE is read.",
    sample=f"I will take you there. {GO}",
    order=11,
    cases=(
        Case(
            "an element inside a sentence", f"I will take you there. {GO}", (HOME,), "I will take you there."
        ),
        Case(
            "no params",
            "<action name='GO'/> and <action name='GO'></action>",
            (("GO", {}), ("GO", {})),
            "and",
        ),
        Case(
            "entities",
            '<action name="SAY"><param name="t">a &lt; b</param></action>',
            (("SAY", {"t": "a < b"}),),
        ),
        Case("no end tag", GO.removesuffix("</action>"), errors=("truncated_call",)),
        Case(
            "a param without its end",
            '<action name="GO"><param name="w">ho</action>',
            errors=("malformed_call",),
        ),
        Case(
            "a param that stands twice",
            '<action name="A"><param name="k">1</param><param name="k">2</param></action>',
            errors=("malformed_call",),
        ),
    ),
)
