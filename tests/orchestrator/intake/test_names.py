"""Names of formats: each is found however it is written, and an unknown one is an error, never a default."""

from __future__ import annotations

import pytest
from intake_replies import chat, codes, good, tool_call

from orchestrator.intake import KNOWN, read
from orchestrator.intake.dialects import DIALECTS
from orchestrator.intake.draft import Unusable
from orchestrator.intake.formats import BODIES
from orchestrator.intake.names import TEXT, chosen, wanted
from orchestrator.intake.streams import STREAMS

TAG = '[ACTION:GO]{"a": 1}[/ACTION]'


@pytest.mark.parametrize("name", KNOWN)
def test_every_known_name_is_found_in_any_case(name: str):
    assert wanted(name) == wanted(name.upper()) == wanted(f" {name} ")


def test_a_name_allows_what_it_says_and_no_more():
    assert wanted(None).dialects == tuple(DIALECTS.values())
    assert wanted("coach.tags").dialects == (DIALECTS["coach.tags"],)
    assert wanted("coach.tags.whatever").dialects == (DIALECTS["coach.tags"],)
    assert wanted(TEXT).dialects == wanted("plain.no_call").dialects == ()
    assert wanted("openai.chat").body is BODIES["openai.chat"]
    assert wanted("openai.chat").wire
    for name, stream in STREAMS.items():
        assert wanted(name).stream is wanted(f"{name.removesuffix('.stream')}.sse_raw").stream is stream


def test_dialects_are_put_in_the_order_of_the_table():
    first, *_, last = DIALECTS.values()
    assert chosen([last.name, first.name, last.name]) == (first, last)
    assert chosen([]) == ()


@pytest.mark.parametrize("name", ["klingon", "", "coach", "openai", "openai.chat.sse", 7, ["openai.chat"]])
def test_an_unknown_name_is_an_error(name: object):
    with pytest.raises(Unusable, match="No format is named"):
        wanted(name)
    assert codes(read(chat(content=TAG), name)) == ["unknown_format"]  # type: ignore[arg-type]


def test_an_unknown_dialect_is_an_error():
    with pytest.raises(Unusable, match="No dialect is named"):
        chosen(["coach.tags", "klingon"])
    assert codes(read(TAG, dialects=["klingon"])) == ["unknown_format"]


def test_only_the_dialects_of_a_conversation_are_read():
    assert good(read(TAG, dialects=["coach.tags"])) == [("GO", {"a": 1})]
    for dialects in ([], ["coach.xml"]):
        reply = read(TAG, dialects=dialects)
        assert (good(reply), reply.text) == ([], TAG)
    assert good(read(chat(tool_call("GO", "{}")), dialects=[])) == [("GO", {})]
    assert good(read(chat(content=TAG), dialects=[])) == []


def test_a_text_may_be_nothing_but_arguments():
    (one,) = read('{"a": "x"}', "args_string").calls
    assert (one.name, one.arguments, one.repaired) == ("tool", {"a": "x"}, ())
    (one,) = read("{'a': 'x'}", "ARGS_STRING").calls
    assert (one.arguments, one.repaired) == ({"a": "x"}, ("single quotes",))
    assert codes(read('{"a": "x', "args_string")) == ["truncated_call"]
    assert codes(read("{'a': ['b':{}]}", "args_string")) == ["malformed_call"]
    assert good(read("", "args_string")) == [("tool", {})]
