"""What is mended is mended in one way only and told; all else is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_replies import chat, codes, good, tool_call

from actions.strict_json import Repeated, Unreadable
from orchestrator.intake import read
from orchestrator.intake.repair import MAX_TEXT, read_value, repair

MENDED = [
    ("{'a': 'it\\'s \"so\"'}", {"a": 'it\'s "so"'}, ["single quotes"]),
    ("{a: 1, $b-c: 2}", {"a": 1, "$b-c": 2}, ["keys without quotes"]),
    ('{"a": [1, 2,],}', {"a": [1, 2]}, ["trailing comma"]),
    ('{"a": True, "b": None, "c": False}', {"a": True, "b": None, "c": False}, ["Python literals"]),
    ('{"a": 1, // one\n"b": 2 /* two */ # three\n}', {"a": 1, "b": 2}, ["comments"]),
    ('{"a": "one\ntwo\tthree"}', {"a": "one\ntwo\tthree"}, ["line breaks or tabs in a text"]),
    (r'{"get\_it": "my\_own\_it\'s"}', {"get_it": "my_own_it's"}, ["wrong escapes"]),
    ('```json\n{"a": 1}\n```', {"a": 1}, ["code fence"]),
    ('{"a": {"b": 1}}}]', {"a": {"b": 1}}, ["surplus closing bracket"]),
    ("{'a': [True,],}", {"a": [True]}, ["single quotes", "Python literals", "trailing comma"]),
    ("{'u': 'http://x/y#z', 'v': \"// no\"}", {"u": "http://x/y#z", "v": "// no"}, ["single quotes"]),
]


@pytest.mark.parametrize(("text", "value", "what"), MENDED)
def test_known_defects_are_mended_and_told(text: str, value: Any, what: list[str]):
    assert repair(text) == (value, tuple(what))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "7",
        '"text"',
        "{",
        '{"a": 1',
        '{"a": "b',
        "{'a': 'b}",
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": undefined}',
        '{"a": .5}',
        '{"a": +1}',
        '{"a": 1_000}',
        '{"a": 0x10}',
        '{"a": 012}',
        '{"a": 1.}',
        '{"a": 12abc}',
        '{"a": 1 + 1}',
        '{"a": (1, 2)}',
        '{"a": {1, 2}}',
        '{"a": b}',
        '{"a": "b" "c"}',
        "{'a': 'it's'}",
        '{"a": "she said "no" twice"}',
        '{"a": "\\q"}',
        r'{"a": "C:\_x"}',
        r'{"a": "a\*b"}',
        r'{"a": "a\#b"}',
        r'{"a": "\_a"}',
        '{"a" 1}',
        '{"a": 1 "b": 2}',
        '{"a": 1,, "b": 2}',
        "{,}",
        '{"a": 1]',
        '[{"a": 1}}]',
        '{"a": 1}, "b": 2}',
        '{"a": 1} {"b": 2}',
        "{“a”: 1}",
        '{"a": 1} and more',
        '{"a": /* open',
        "[" * 65 + "]" * 65,
        "{'a':" * 65 + "1" + "}" * 65,
    ],
)
def test_what_can_be_read_in_no_way_or_in_two_is_refused(text: str):
    with pytest.raises(Unreadable):
        repair(text)


@pytest.mark.parametrize("text", ['{"a": 1', '{"a": {"b": [1, 2]}', '{"a": "b"', "[1, {}", "{'a': True"])
def test_one_last_bracket_may_be_missing_where_the_end_is_certain(text: str):
    with pytest.raises(Unreadable) as told:
        repair(text)
    assert told.value.truncated
    value, what = repair(text, ended=True)
    assert "missing last bracket" in what
    assert value


@pytest.mark.parametrize("text", ['{"a": [1', '{"a": ', '{"a": "b', '{"a"', "{", '{"a": 1,', '{"a": {"b": 1'])
def test_more_than_one_is_a_value_that_is_cut_off(text: str):
    with pytest.raises(Unreadable) as told:
        repair(text, ended=True)
    assert told.value.truncated


def test_a_number_that_no_float_holds_is_no_argument():
    reply = read(chat(tool_call("GO", "{'a': 1e999}"), tool_call("GO", "{'a': 1}")))
    assert (good(reply), codes(reply)) == ([("GO", {"a": 1})], ["malformed_call"])


def test_keys_that_stand_twice_are_marked_and_refused():
    value, _ = repair("{'a': 1, a: 2}")
    assert isinstance(value, Repeated)
    assert good(read(chat(tool_call("GO", "{'a': 1, 'a': 1}")))) == []


def test_a_call_carries_what_was_mended():
    (one,) = read(chat(tool_call("GO", "{'a': True,}"))).calls
    assert one.repaired == ("single quotes", "Python literals", "trailing comma")
    (plain,) = read(chat(tool_call("GO", '{"a": true}'))).calls
    assert plain.repaired == ()


def test_only_so_much_is_repaired():
    inside = "x" * MAX_TEXT
    with pytest.raises(Unreadable, match="longer than"):
        repair(f"{{'a': '{inside}'}}")
    assert read(chat(tool_call("GO", json.dumps({"a": inside})))).calls[0].arguments == {"a": inside}


def test_a_value_is_read_at_its_place():
    text = "so {'a': 1} on"
    assert read_value(text, 3) == ({"a": 1}, 11, ("single quotes",))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=10,
    ).filter(lambda value: isinstance(value, dict | list))
)
def test_whatever_python_prints_is_read_back_or_refused(value: Any):
    try:
        found, _ = repair(repr(value))
    except Unreadable:
        assert "\\" in repr(value)  # Python's escapes are not all JSON's
    else:
        assert repr(found) == repr(value)


@given(text=st.text(alphabet="{}[]\"'\\:,#/*\n 1truea_", max_size=60), ended=st.sampled_from([False, True]))
def test_nothing_else_than_unreadable_is_raised(text: str, ended: bool):  # noqa: FBT001 - Hypothesis gives it
    with suppress(Unreadable):
        repair(text, ended=ended)
