"""Phi's functools."""

from __future__ import annotations

from cases import Case, Family

KNIT = '{"name": "knit", "arguments": {"rows": 4}}'
SEW = '{"name": "sew", "arguments": {}}'
KNITTED, SEWN = ("knit", {"rows": 4}), ("sew", {})

FAMILY = Family(
    name="functools",
    title="Phi's functools",
    about="The word `functools` and a list of calls right behind it.",
    sample=f"functools[{KNIT}]",
    order=120,
    cases=(
        Case("two calls", f"functools[{KNIT}, {SEW}]", (KNITTED, SEWN), ""),
        Case("a text around", f"Needles out. functools [{KNIT}] Done.", (KNITTED,), "Needles out.  Done."),
        Case("an empty list", "functools[]", (), ""),
        Case("Python's module", "import functools\nfunctools[0]; functools.reduce(f, [{}])", found="text"),
        Case(
            "single quotes",
            "functools[{'name': 'sew', 'arguments': {}}]",
            (SEWN,),
            "",
            repaired=("single quotes",),
        ),
        Case("a bad call beside a good one", f"functools[{{knit}}, {SEW}]", (SEWN,), "", ("malformed_call",)),
        Case("a list cut off in a call", f"functools[{KNIT}, {SEW[:-9]}", (), "", ("truncated_call",) * 2),
        Case("a list without its bracket", f"functools[{KNIT}", (), "", ("truncated_call",)),
    ),
)
