"""Kimi's tokens."""

from __future__ import annotations

from cases import Case, Family

BEGIN, END = "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"
SAIL = '<|tool_call_begin|>functions.sail:0<|tool_call_argument_begin|>{"to": "<Cork>"}<|tool_call_end|>'
DOCK = "<|tool_call_begin|>functions.dock:1<|tool_call_argument_begin|>{}<|tool_call_end|>"
CUT = SAIL.replace('"}', "")
SAILED, DOCKED = ("sail", {"to": "<Cork>"}, "functions.sail:0"), ("dock", {}, "functions.dock:1")

FAMILY = Family(
    name="kimi",
    title="Kimi K2",
    about="Each call stands between tokens, with an id of the form `functions.NAME:0` that holds the name. Sections "
    "around the calls may be missing.",
    sample=f"Anchors up. {BEGIN}{SAIL}{END}",
    order=90,
    cases=(
        Case("a section", f"Anchors up. {BEGIN}{SAIL}{END}", (SAILED,), "Anchors up."),
        Case("two calls", f"{BEGIN}{SAIL}{DOCK}{END}", (SAILED, DOCKED), ""),
        Case("no section", f"{SAIL}\n{DOCK}", (SAILED, DOCKED), ""),
        Case(
            "a section in the singular, and blanks",
            f"{BEGIN} {SAIL} {END}".replace("calls", "call"),
            (SAILED,),
            "",
        ),
        Case("an id that is a name", DOCK.replace("functions.dock:1", "dock"), (("dock", {}, "dock"),), ""),
        Case("nothing for arguments", DOCK.replace("{}", ""), (DOCKED,), ""),
        Case("a section without calls", f"Never mind. {BEGIN}{END}", (), "Never mind."),
        Case(
            "no end at the end of the text",
            f"{BEGIN}{SAIL.removesuffix('<|tool_call_end|>')}",
            (SAILED,),
            "",
            repaired=("missing end tag",),
        ),
        Case(
            "no end before the next call",
            f"{BEGIN}{SAIL.removesuffix('<|tool_call_end|>')}{DOCK}{END}",
            (SAILED, DOCKED),
            "",
            repaired=("missing end tag",),
        ),
        Case("single quotes", SAIL.replace('"', "'"), (SAILED,), "", repaired=("single quotes",)),
        Case(
            "a bad call beside a good one",
            f"{BEGIN}{CUT}{DOCK}{END}",
            (DOCKED,),
            "",
            ("truncated_call",),
        ),
        Case("no JSON", SAIL.replace('{"to": "<Cork>"}', "Cork"), (), "", ("malformed_call",)),
        Case("the reply cut off in the JSON", f"{BEGIN}{SAIL[:70]}", (), "", ("truncated_call",)),
        Case("the reply cut off in the id", f"Aye. {BEGIN}{SAIL[:28]}", (), "Aye.", ("truncated_call",)),
    ),
)
