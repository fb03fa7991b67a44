"""Strict JSON is read whole or not at all, and what is wrong with it is said in our words."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest

from actions.strict_json import Unreadable, clean, decode, decode_first, flaw


@pytest.mark.parametrize(
    ("text", "why", "truncated"),
    [
        ('{"a": x}', "a value is wanted at character 6", False),
        ('{"a":', "a value is wanted at character 5", True),
        ("{a: 1}", "a key in double quotes is wanted at character 1", False),
        ('{"a": 1,', "a key in double quotes is wanted at character 8", True),
        ('{"a" 1}', "a ':' is wanted at character 5", False),
        ('{"a": 1 "b": 2}', "a ',' or a closing bracket is wanted at character 8", False),
        ("[1 2]", "a ',' or a closing bracket is wanted at character 3", False),
        ('{"a": "x', "a text in quotes is not closed from character 6", True),
        ('["a\nb"]', "a line break or tab in a text needs its backslash at character 3", False),
        (r'["\x"]', "a text in quotes is escaped wrongly at character 2", False),
        (r'["\u12"]', "a text in quotes is escaped wrongly at character", False),
        ("[" * 100_000, "it is nested more than 64 levels deep", False),
        ("[" + "1" * 5_000 + "]", "a number in it has thousands of digits", False),
        ("[1] 2", "there is more text after the JSON value, from character 3", False),
    ],
)
def test_what_cannot_be_read_is_said_in_our_words(text: str, why: str, truncated: Any):
    with pytest.raises(Unreadable) as caught:
        decode(text)
    assert str(caught.value).startswith(why)
    assert caught.value.truncated is truncated


def test_no_word_of_the_standard_library_is_handed_on():
    whole = '{"a": ["\\u00e9", true, -1.5e3, null], "b": {}}'
    broken = [whole[:at] for at in range(len(whole))]
    broken += [whole[:at] + sign + whole[at + 1 :] for at in range(len(whole)) for sign in '{}[],:"\\x\n']
    for text in broken:
        with suppress(Unreadable):
            decode_first(text)
            continue
        with pytest.raises(Unreadable) as ours:
            decode_first(text)
        with pytest.raises(json.JSONDecodeError) as theirs:
            json.JSONDecoder().raw_decode(text)
        assert theirs.value.msg not in str(ours.value)
        assert not str(ours.value).startswith("it is no JSON")  # each of their messages has one of ours


def test_only_plain_json_has_no_flaw():
    assert flaw({"a": [None, True, 1, 1.5, "x", {}, []]}) is None
    for value in (
        float("nan"),
        float("-inf"),
        "\ud800",
        {1: 2},
        {"\udc00": 1},
        (1,),
        b"x",
        {"a": [{"b": {1}}]},
    ):
        assert flaw(value)


def test_half_pairs_are_replaced_and_whole_ones_joined():
    assert clean("a\ud800b") == "a�b"
    assert clean("\ud83c\udf89") == "🎉"
