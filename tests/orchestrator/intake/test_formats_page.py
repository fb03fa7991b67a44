"""docs/formats.md says what the table of replies says. UMBEL_TEST_WRITE_FORMATS=1 writes it anew."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from cases import Case, Family, families
from formats_page import INTRODUCTION, anchor, page

from orchestrator.intake import MAX_BODY, calls, read, repair

FILE = Path(__file__).parents[3] / "docs" / "formats.md"
FAMILIES = families()
WORDS = {
    value
    for name, value in vars(repair).items()
    if name.isupper() and isinstance(value, str) and re.fullmatch("[A-Za-z ]+", value)
}
REPAIRED = {what for each in FAMILIES for case in each.cases for what in case.repaired}
ERRORS = {code for each in FAMILIES for case in each.cases for code in case.errors}
OF_NO_ROW: dict[str, tuple[str | bytes, str | None]] = {
    "too_many_calls": ("[ACTION:GO][/ACTION]" * 17, None),  # in pieces the first copies come out
    "unknown_format": ("[ACTION:GO][/ACTION]", "coach.tag"),
    "too_large": (" " * (MAX_BODY + 1), None),
    "invalid_utf8": (b"\xff", None),
}
"""Errors of which no row can be read in every way that rows are read in."""
HEAD = {"role": "assistant", "content": [{"name": "GO", "input": {}}]}


def listed(heading: str) -> list[str]:
    """What the first column of a table in the introduction lists."""
    told = INTRODUCTION.read_text(encoding="utf-8")
    table = re.search(rf"^\| `?{heading}`? \|.*\n\|[-|]+\n((?:\|.*\n)+)", told, re.MULTILINE)
    assert table
    cells = [line.split(" | ")[0].removeprefix("| ") for line in table[1].splitlines()]
    return [each.strip("`") for cell in cells for each in (cell.split(", ") if "`" in cell else [cell])]


def test_the_committed_page_is_what_the_table_says():
    told = page(FAMILIES)
    if os.environ.get("UMBEL_TEST_WRITE_FORMATS"):
        FILE.write_text(told, encoding="utf-8")
    assert FILE.read_text(encoding="utf-8") == told, "UMBEL_TEST_WRITE_FORMATS=1 writes it anew"


def test_every_link_on_the_page_leads_somewhere():
    told = page(FAMILIES)
    headings = [anchor(each) for each in re.findall(r"^#+ (.+)$", told, re.MULTILINE)]
    assert len(headings) == len(set(headings))
    assert set(re.findall(r"\]\(#([^)]+)\)", told)) <= set(headings)


def test_the_introduction_names_all_that_is_repaired_and_every_error_of_the_table():
    assert WORDS | {calls.NO_END} | REPAIRED == set(listed("repaired"))
    assert set(listed("code")) == ERRORS | set(OF_NO_ROW)


def test_all_that_is_named_there_stands_in_a_row_or_is_shown_here():
    assert [word for word in listed("repaired") if word not in REPAIRED] == []
    for code, (raw, format) in OF_NO_ROW.items():  # noqa: A001 - the parameter's name
        assert {each.code for each in read(raw, format).errors} == {code}


@pytest.mark.parametrize(
    ("case", "reply", "read"),
    [
        (Case("w", "[A|B]\n`x`"), r"``` [A\|B]⏎`x` ```".replace("```", "``"), "no call"),
        (Case("w", "a", (("GO", {"a": "|"}, "c1"),), "Hi"), "`a`", r'`GO {"a": "\|"}` with id `c1`<br>text: `Hi`'),
        (Case("w", "\x00", errors=("e", "e"), found="x"), r"`\x00`", "error: `e`, 2 times<br>found to be `x`"),
        (Case("w", "", (("GO", {}),) * 5, repaired=("k", "k"), format="y"), '`""`<br>asked for as `y`',
         "`GO {}`<br>`GO {}`<br>`GO {}`<br>and 2 more<br>repaired: k"),
        (Case("w", HEAD, provider_calls=("s",)), "the sample", "run by the provider: `s`"),
        (Case("w", {"role": "user", "content": [{"name": "GO"}, 1]}),
         '`role: "user"`<br>`content[0].input left out`<br>`content[1]: 1`', "no call"),
        (Case("w", "x" * 500), f"`{'x' * 140} … {'x' * 80}`", "no call"),
    ],
)  # fmt: skip
def test_a_case_is_a_line_of_its_familys_table(case: Case, reply: str, read: str):
    family = Family("coach.tags", "T", "About <b> and `<c>`.", HEAD, (case,))
    told = page([family])
    assert told.splitlines()[-1] == f"| w | {reply} | {read} |"
    assert "About &lt;b> and `<c>`." in told


AS_TEXT = """`data: {"type": "start"}␍⏎␍⏎data: {"type": "delta", "text": "a"}␍⏎␍⏎dat … \
␍⏎␍⏎data: {"type": "end", "why": "stop"}`"""
EVENTS = [
    {"type": "start"},
    {"type": "delta", "text": "a"},
    {"type": "delta", "text": "b"},
    {"type": "end", "why": "stop"},
]


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        (EVENTS, "the sample"),
        ([*EVENTS[:3], {"type": "end", "why": "length"}], '`[3].why: "length"`'),
        (EVENTS[:3], "of the sample [3] left out"),
        (EVENTS[:2], "of the sample [2] and [3] left out"),
        ([{"type": "end", "why": "length"}], 'nothing but 1 event<br>`[0].why: "length"`'),
        ([*EVENTS, "[DONE]"], '`[4]: "[DONE]"`'),
        ([*EVENTS[:3], {"type": "error", "error": {}}],
         '`[3].type: "error"`<br>`[3].error: {}`<br>of the sample [3] left out'),
        ([{"type": "delta", "text": str(n)} for n in range(10)],
         "<br>".join(["nothing but 10 events", *(f'`[{n}].text: "{n}"`' for n in range(7)), "and 3 more"])),
        ("data: " + "\r\n\r\ndata: ".join(map(json.dumps, EVENTS)),
         f"the sample's events<br>as text: {AS_TEXT}"),
        ("what", "`what`"),
    ],
)  # fmt: skip
def test_a_stream_is_told_by_the_events_that_are_not_the_samples(reply: Any, shown: str):
    family = Family("coach.tags", "T", "About.", EVENTS, (Case("w", reply, errors=("e",)),), kind="stream")
    (row,) = [line for line in page([family]).splitlines() if line.startswith("| w |")]
    assert row == f"| w | {shown} | error: `e` |"
