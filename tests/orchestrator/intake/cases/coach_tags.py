"""Coach tags."""

from __future__ import annotations

from cases import Case, Family

GO = '[ACTION:GO]{"where": "home"}[/ACTION]'
HOME = ("GO", {"where": "home"})

FAMILY = Family(
    name="coach.tags",
    title="Coach tags",
    about="A tag with the action's name, its arguments as JSON between the tags, anywhere in a text.",
    sample=f"I will take you there. {GO}",
    order=10,
    cases=(
        Case("a tag inside a sentence", f"I will take you there. {GO}", (HOME,), "I will take you there."),
        Case("nothing between the tags", "[ACTION:GO][/ACTION]", (("GO", {}),), ""),
        Case("two calls", f"{GO} and {GO.replace('home', 'work')}", (HOME, ("GO", {"where": "work"})), "and"),
        Case(
            "single quotes and a trailing comma",
            "[ACTION:GO]{'where': 'home',}[/ACTION]",
            (HOME,),
            repaired=("single quotes", "trailing comma"),
        ),
        Case(
            "bare keys, and a line break in a text",
            '[ACTION:GO]{where: "home\nat last"}[/ACTION]',
            (("GO", {"where": "home\nat last"}),),
            repaired=("keys without quotes", "line breaks or tabs in a text"),
        ),
        Case("no end tag", '[ACTION:GO]{"where": "home"}', errors=("truncated_call",)),
        Case("arguments that are cut off", '[ACTION:GO]{"where": "ho', errors=("truncated_call",)),
        Case("a key that stands twice", '[ACTION:GO]{"a": 1, "a": 2}[/ACTION]', errors=("malformed_call",)),
    ),
)
