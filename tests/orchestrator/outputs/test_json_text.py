from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.outputs import NoJson, read_json

READ: list[tuple[str, str, Any, tuple[str, ...]]] = [
    ("plain", '{"a": [1, null, true]}', {"a": [1, None, True]}, ()),
    ("an apostrophe stays", '{"a": "it\'s Ada\'s"}', {"a": "it's Ada's"}, ()),
    ("a fence", '```json\n{"a": 1}\n```', {"a": 1}, ("code fence",)),
    ("a fence without a word", '```\n{"a": 1}\n```', {"a": 1}, ("code fence",)),
    ("a fence with prose around", 'Sure:\n```json\n{"a": 1}\n```\nBye {x}', {"a": 1}, ("code fence",)),
    ("a fence that is not closed", '```json\n{"a": 1}', {"a": 1}, ("code fence",)),
    ("a fence inside a text", '```json\n{"a": "```json {}"}\n```', {"a": "```json {}"}, ("code fence",)),
    ("prose around", 'The answer is {"a": 1}, I think.', {"a": 1}, ("text around it",)),
    ("braces in prose", 'Fill {name} and { so on }: {"a": 1}', {"a": 1}, ("text around it",)),
    ("a citation", 'As in [1], it is {"a": 1}', {"a": 1}, ("text around it",)),
    ("the same twice", '{"a": 1}\nonce more: {"a": 1}', {"a": 1}, ("text around it",)),
    ("a trailing comma", '{"a": [1, 2,],}', {"a": [1, 2]}, ("trailing comma",)),
    ("Python's words", '{"a": True, "b": None}', {"a": True, "b": None}, ("Python literals",)),
    ("single quotes", "{'a': 'say \"x\"'}", {"a": 'say "x"'}, ("single quotes",)),
    ("bare keys", '{a: 1, b_c: "x"}', {"a": 1, "b_c": "x"}, ("keys without quotes",)),
    ("comments", '{"a": 1 // one\n}', {"a": 1}, ("comments",)),
    ("a surplus bracket", '{"a": 1}}', {"a": 1}, ("surplus closing bracket",)),
    ("surplus brackets", '{"a": 1}]}\n', {"a": 1}, ("surplus closing bracket",)),
    ("one bracket missing", '{"a": {"b": "x"}', {"a": {"b": "x"}}, ("missing last bracket",)),
    ("brackets missing", '{"a": {"b": [1, {"c": "x"', {"a": {"b": [1, {"c": "x"}]}}, ("missing last brackets",)),
    ("missing behind a word", '{"a": [true, null', {"a": [True, None]}, ("missing last brackets",)),
    ("missing in a fence", '```json\n{"a": ["b"]\n```\nBye', {"a": ["b"]}, ("code fence", "missing last bracket")),
    ("missing and mended", "{'a': ['b'", {"a": ["b"]}, ("single quotes", "missing last brackets")),
    ("a list of one", '[{"a": 1}]', {"a": 1}, ("a list around it",)),
    ("JSON in a JSON text", '"{\\"a\\": 1}"', {"a": 1}, ("JSON inside a text",)),
]  # fmt: skip

REFUSED = [
    "", "nothing", "42", "null", '"text"', "[1, 2]", '[{"a": 1}, {"a": 2}]', "{name}",
    '{"a": 12', '{"a": -', '{"a": 1,', '{"a"', '{"a":', '{"a": "cut', '{"a": tru', '{"a": [1, 2', '{"a": 1.5e',
    '{"a": 1, "a": 2}', '{"a": NaN}', '{"a": Infinity}', '{"a": 1e999}', '{"a": 2 + 3}', '{"a": hello}',
    '{"a": 1} {"a": 2}', '```json\n{"a": 1}\n```\n```json\n{"a": 2}\n```', '{"a": {"b": 1}}, "c": 2}',
    '{"a": "he said "no""}', "{'a': 'it's'}", '{"a": {"b": 1}, oops} and {"b": 1}', '{"a": "\\ud800"}',
    '{"a": {"b": 1}\n\nI hope this helps!', '{"a": [1}', '{"a": ' * 100, "[" * 1000,
]  # fmt: skip


@pytest.mark.parametrize(("text", "value", "mended"), [row[1:] for row in READ], ids=[row[0] for row in READ])
def test_an_object_is_found_and_what_was_mended_is_told(text, value, mended):
    found = read_json(text, "object")

    assert found.value == value
    assert found.mended == mended


@pytest.mark.parametrize("text", REFUSED)
def test_nothing_is_guessed(text):
    with pytest.raises(NoJson):
        read_json(text, "object")


@pytest.mark.parametrize(
    ("text", "wanted", "value"),
    [
        ("42", "any", 42), ("null", "any", None), ('"x"', "any", "x"), ("[1]", "list", [1]),
        ("See: [1, 2]", "list", [1, 2]),
        ('{"a": [1]} and ["x"]', "list", ["x"]), ('"[1]"', "list", [1]), ('x {"a": 1} y', "any", {"a": 1}),
    ],
)  # fmt: skip
def test_other_values_may_be_wanted(text, wanted, value):
    assert read_json(text, wanted).value == value


def test_no_part_of_a_broken_value_stands_for_it():
    with pytest.raises(NoJson):
        read_json('{"order": {"to": "Ada"}, "amount": 1 2}', "object")


@pytest.mark.parametrize(
    "piece",
    [
        '{"', "{", "[", '["', '{"a":', "{a:", "[1,", '{"a":1} ', '```json\n{"a" ', '```{"a":1}\n', "{'", "}", '\\"{',
        "/*{a:", "{a:/*",
    ],
)  # fmt: skip
def test_a_megabyte_of_openings_is_read_in_no_time(piece):
    text = (piece * (1_000_000 // len(piece)))[:1_000_000]
    with suppress(NoJson):
        assert read_json(text, "object").value == {"a": 1}


def test_a_text_without_end_is_refused():
    with pytest.raises(NoJson, match="longer than"):
        read_json(" " * 2_000_000 + "{}")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=4), st.integers(1, 200))
def test_of_a_text_that_is_cut_anywhere_nothing_but_brackets_is_added(value, cut):
    whole = json.dumps(value)
    text = whole[:-cut] if cut < len(whole) else whole[:1]
    try:
        found = read_json(text, "object")
    except NoJson:
        return
    closed = json.dumps(found.value)
    assert whole.startswith(closed.rstrip("]}"))
