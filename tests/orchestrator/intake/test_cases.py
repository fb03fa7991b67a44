"""Every row of the table of replies comes out as it says."""

from __future__ import annotations

import json

import pytest
from cases import Case, Family, families
from intake_replies import codes

from actions.messages import Reply
from orchestrator.intake import read
from orchestrator.intake.names import KNOWN

FAMILIES = families()
ROWS = [pytest.param(each, case, id=f"{each.name}-{case.what}") for each in FAMILIES for case in each.cases]


def told(reply: Reply, *, ids: bool) -> list[tuple[object, ...]]:
    ran = [one for one in reply.calls if not one.malformed]
    return [(one.name, one.arguments, one.id) if ids else (one.name, one.arguments) for one in ran]


@pytest.mark.parametrize(("family", "case"), ROWS)
def test_a_reply_comes_out_as_the_table_says(family: Family, case: Case):
    reply = read(case.reply, case.format)
    with_ids = any(len(call) == 3 for call in case.calls)
    assert told(reply, ids=with_ids) == list(case.calls)
    assert codes(reply) == list(case.errors)
    assert [what for one in reply.calls for what in one.repaired] == list(case.repaired)
    assert list(reply.provider_calls) == list(case.provider_calls)
    if case.text is not None:
        assert reply.text == case.text
    assert reply.format == (case.found or family.name)


@pytest.mark.parametrize(("family", "case"), ROWS)
def test_a_named_format_reads_the_same(family: Family, case: Case):
    if case.found is None:
        named, detected = read(case.reply, family.name), read(case.reply, case.format)
        assert told(named, ids=True) == told(detected, ids=True)


@pytest.mark.parametrize(("family", "case"), ROWS)
def test_json_text_and_bytes_of_it_read_the_same(family: Family, case: Case):
    if not isinstance(case.reply, str):
        text = json.dumps(case.reply)
        assert read(text, case.format) == read(case.reply, case.format) == read(text.encode(), case.format)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda each: each.name)
def test_its_name_is_known_and_its_sample_holds_a_call(family: Family):
    assert family.name in KNOWN
    assert read(family.sample).calls
    assert not read(family.sample).errors


def test_every_format_has_a_family():
    raw = {name for name in KNOWN if name.endswith(".sse_raw")}
    assert {each.name for each in FAMILIES} == set(KNOWN) - raw - {"text", "args_string"}
