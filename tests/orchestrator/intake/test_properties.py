"""Whatever comes in: nothing is raised, and what runs was written in the reply."""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from accidents import broken_bodies, mutated
from cases import Case, families
from hypothesis import example, given
from hypothesis import strategies as st
from intake_invariants import bounded, fragments, part, sound, written
from intake_replies import chat, good, message, tool_call, tool_use

from orchestrator.intake import KNOWN, read, read_text
from orchestrator.intake.dialects import DIALECTS
from orchestrator.intake.lines import parse_line

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    ["choices", "message", "role", "content", "tool_calls", "function", "function_call", "custom", "name", "type",
     "arguments", "input", "id", "error", "object", "action", "actions", "action_name", "params", "text", "user"]
)  # fmt: skip
WORDS = st.sampled_from(
    ["assistant", "message", "tool_use", "server_tool_use", "text", "go", "{}", '{"a": 1}', "{", ""]
)
LIKELY = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers(-3, 3) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)
# Without escapes or entities, so that what was read can be looked up in what was written.
PIECES = st.sampled_from(
    ["[ACTION:", "A", "GO", "]", "[/ACTION]", "[ACTION:GO]", "{", "}", "[", "'", '"', ":", ",", "a", "b1", "12", "-0.5",
     "True", "null", "NaN", "1e999", " ", "\n", "x [/ACTION] y", "<action ", "<action name=", '"GO"', "'GO'", ">", "/>",
     "</action>", '<param name="k">', "<param name='j'>", "</param>", "```json\n", "```", '{"action": "GO"', '"args": ',
     '"actions": ["A"]', "<think>", "</think>", "```python\n", '{"a": "v"}', "{'a': 'v', }", "é", "\ud800", "</", "`"]
)  # fmt: skip
FRAGMENTS = st.lists(PIECES, max_size=40).map("".join)
OBJECTS = st.dictionaries(
    st.text(max_size=8),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=5,
)


def is_free_text(case: Case) -> bool:
    """Whether a text with nothing around it is an argument, as in ReAct: it has no end that could be missing."""
    return any(list(call[1]) == ["input"] and "Input: " in str(case.reply) for call in case.calls)


def written_out(case: Case) -> str:
    return case.reply if isinstance(case.reply, str) else json.dumps(case.reply)


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *(leaf for item in value.values() for leaf in leaves(item))]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


FORMATS = st.none() | st.sampled_from(KNOWN) | st.text(max_size=5)
SPOKEN = st.none() | st.lists(st.sampled_from(sorted(DIALECTS)), max_size=4)
GOOD = [
    pytest.param(case, id=f"{each.name}-{case.what}")
    for each in families()
    for case in each.cases
    if case.calls and not case.errors and len(written_out(case)) <= 3_000 and not is_free_text(case)
]
"""Replies whose parts can be told from the whole."""


@given(raw=st.binary(max_size=300), wanted=FORMATS)
def test_arbitrary_bytes(raw: bytes, wanted: str | None):
    sound(read(raw, wanted))
    json.loads(parse_line(raw))


@given(raw=JSON | LIKELY, wanted=FORMATS)
def test_arbitrary_json(raw: Any, wanted: str | None):
    sound(read(raw, wanted))
    sound(read(json.dumps(raw), wanted))
    json.loads(parse_line(json.dumps({"id": "x", "body": raw, "format": wanted}).encode()))
    json.loads(parse_line(json.dumps(raw).encode()))


@given(text=mutated(), wanted=FORMATS, spoken=SPOKEN)
def test_accidents_yield_only_what_was_written(text: str, wanted: str | None, spoken: list[str] | None):
    for reply in (read(text, wanted), read(text, dialects=spoken), read_text(text), read(chat(content=text))):
        bounded(written(sound(reply), text), text)
    raw = text.encode("utf-8", "surrogatepass")
    sound(read(raw, wanted))
    json.loads(parse_line(raw))


@given(body=broken_bodies(), wanted=FORMATS)
def test_broken_bodies_yield_only_what_was_written(body: Any, wanted: str | None):
    for reply in (read(body), read(body, wanted), read(json.dumps(body), wanted)):
        written(sound(reply), body)


@given(pieces=st.lists(st.sampled_from(fragments()) | PIECES, max_size=40), wanted=FORMATS, spoken=SPOKEN)
def test_arbitrary_fragments_of_all_families(pieces: list[str], wanted: str | None, spoken: list[str] | None):
    text = "".join(pieces)
    for reply in (read(text, wanted), read(text, dialects=spoken), read_text(text), read(chat(content=text))):
        bounded(written(sound(reply), text), text)


@pytest.mark.parametrize("case", GOOD)
def test_no_part_of_a_good_reply_holds_another_call(case: Case):
    text = written_out(case)
    whole = read(text, case.format)
    for end in range(len(text)):
        part(sound(read(text[:end], case.format)), whole)


@given(text=FRAGMENTS, wanted=FORMATS)
@example(text="[ACTION:GO]{'a': 'v', }[/ACTION]", wanted=None)
@example(text="<action name='GO'><param name='j'>x</param></action>", wanted="coach.xml")
def test_arbitrary_fragments_yield_only_what_was_written(text: str, wanted: str | None):
    for reply in (sound(read(text, wanted)), sound(read_text(text)), sound(read(chat(content=text), wanted))):
        for name, arguments in good(reply):
            assert name in text
            words = [leaf for leaf in leaves(arguments) if isinstance(leaf, str)]
            assert all(word in text for word in words)
            numbers = [leaf for leaf in leaves(arguments) if type(leaf) is int]
            assert all(str(number) in text for number in numbers)


@given(text=st.text(max_size=200) | FRAGMENTS)
def test_a_call_whose_end_is_missing_never_runs(text: str):
    whole = '[ACTION:CUT]{"a": "' + text.replace("\\", "").replace('"', "").replace("[", "") + '"}[/ACTION]'
    for end in range(len(whole)):
        assert "CUT" not in [name for name, _ in good(read_text(whole[:end]))]


@given(arguments=OBJECTS)
def test_good_arguments_come_out_as_they_went_in(arguments: dict[str, Any]):
    plain, spaced = json.dumps(arguments), json.dumps(arguments, ensure_ascii=False, indent=1)
    for text in (plain, spaced):
        for reply in (
            chat(tool_call("GO", text)),
            json.dumps(message(tool_use("GO", arguments))),
            {"action": "GO", "arguments": text},
            f'{{"action": "GO", "params": {text}}}',
            f"a [ACTION:GO]{text}[/ACTION] b",
            f'```json\n[{{"name": "GO", "args": {text}}}]\n```',
        ):
            found = sound(read(reply))
            assert [repr(one) for one in good(found)] == [repr(("GO", arguments))]


@given(arguments=OBJECTS)
def test_good_params_come_out_as_they_went_in(arguments: dict[str, Any]):
    told = {f"k{place}": value for place, value in enumerate(arguments.values())}
    params = [
        f"<param name={quoteattr(key)}>{escape(json.dumps(value))}</param>" for key, value in told.items()
    ]
    found = sound(read(f"<action name='GO'>{' '.join(params)}</action>"))
    assert [repr(one) for one in good(found)] == [repr(("GO", told))]


@given(arguments=OBJECTS, end=st.integers(1, 400))
def test_arguments_that_are_cut_anywhere_never_run(arguments: dict[str, Any], end: int):
    text = json.dumps(arguments)
    reply = read(chat(tool_call("GO", text[: min(end, len(text) - 1)]), tool_call("NEXT", "{}")))
    assert [name for name, _ in good(reply)] == ["NEXT"]
    assert reply.errors[0].code == "truncated_call"
