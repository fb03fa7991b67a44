"""DeepSeek's tokens and its XML."""

from __future__ import annotations

from cases import Case, Family

BEGIN, END = "<\uff5ctool\u2581calls\u2581begin\uff5c>", "<\uff5ctool\u2581calls\u2581end\uff5c>"
CALL, SEP, DONE = (
    "<\uff5ctool\u2581call\u2581begin\uff5c>",
    "<\uff5ctool\u2581sep\uff5c>",
    "<\uff5ctool\u2581call\u2581end\uff5c>",
)
DRAW = f'{CALL}function{SEP}draw\n```json\n{{"shape": "star"}}\n```{DONE}'
WIPE = f"{CALL}wipe{SEP}{{}}{DONE}"
DREW, WIPED = ("draw", {"shape": "star"}), ("wipe", {})
GO = f"{BEGIN}{DRAW}{END}"
XML = """<|DSML|function_calls>
<|DSML|invoke name="draw">
<|DSML|parameter name="shape" string="true">7 & <8></|DSML|parameter>
<|DSML|parameter name="size" string="false">[1, 2]</|DSML|parameter>
</|DSML|invoke>
</|DSML|function_calls>""".replace("|", "\uff5c")

FAMILY = Family(
    name="deepseek",
    title="DeepSeek",
    about="R1 and V3 write the name and a fence with JSON between tokens, V3.1 the name and bare JSON, V3.2 XML whose "
    "tags are marked DSML. The tokens also leak in ASCII.",
    sample=f"Let me draw. {GO}",
    order=70,
    cases=(
        Case(
            "V3's fence", f"Let me draw. {GO}<\uff5cend\u2581of\u2581sentence\uff5c>", (DREW,), "Let me draw."
        ),
        Case("V3.1's bare JSON", f"{BEGIN}{WIPE}{END}", (WIPED,), ""),
        Case("two calls", f"{BEGIN}{DRAW}\n{WIPE}{END}", (DREW, WIPED), ""),
        Case("no tokens around", WIPE, (WIPED,), ""),
        Case("ASCII for the tokens", GO.replace("\uff5c", "|").replace("\u2581", "_"), (DREW,), ""),
        Case("nothing for arguments", f"{CALL}wipe{SEP}{DONE}", (WIPED,), ""),
        Case("DSML", XML, (("draw", {"shape": "7 & <8>", "size": [1, 2]}),), ""),
        Case(
            "DSML that says a number is a text",
            XML.replace("7 & <8>", "7"),
            (("draw", {"shape": "7", "size": [1, 2]}),),
            "",
        ),
        Case(
            "Step-3's element",
            f'{BEGIN}{CALL}function{SEP}<steptml:invoke name="draw"><steptml:parameter name="shape">star'
            f"</steptml:parameter></steptml:invoke>{DONE}{END}",
            (DREW,),
            "",
        ),
        Case(
            "no end at the end of the text",
            f"{BEGIN}{DRAW.removesuffix(DONE)}",
            (DREW,),
            "",
            repaired=("missing end tag",),
        ),
        Case("no begin of the call", f"{BEGIN}{DRAW.removeprefix(CALL)}{END}", (DREW,), ""),
        Case(
            "Python's words",
            f'{CALL}ink{SEP}{{"dry": True}}{DONE}',
            (("ink", {"dry": True}),),
            "",
            repaired=("Python literals",),
        ),
        Case(
            "a bad call beside a good one",
            f"{BEGIN}{CALL}ink{SEP}dry{DONE}{WIPE}{END}",
            (WIPED,),
            "",
            ("malformed_call",),
        ),
        Case("JSON that is cut off", GO[:-50], (), "", ("truncated_call",)),
        Case("the reply cut off where the calls begin", f"So. {BEGIN}", (), "So.", ("truncated_call",)),
        Case(
            "DSML with a value that is not what it says",
            XML.replace("[1, 2]", "[1, "),
            (),
            "",
            ("malformed_call",),
        ),
        Case("DSML that is cut off", XML[:130], (), "", ("truncated_call",)),
    ),
)
