from __future__ import annotations

from typing import Any

import pytest

from orchestrator.outputs import NoJson, json_in, list_in, object_in


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"a": {"b": [1]}}', {"a": {"b": [1]}}),
        ('Here it is:\n```json\n{"a": {"b": 1}}\n```\nDone.', {"a": {"b": 1}}),
        ('```json{"a": 1}```', {"a": 1}),
        ('I think {"a": "it\'s {fine}"} will do.', {"a": "it's {fine}"}),
        ("{'a': 'it\\'s', 'b': True,}", {"a": "it's", "b": True}),
        ('{this} is no object, {"a": 1} is', {"a": 1}),
        ('{"a": 1, "a": 2}', None),
        ('{"a": NaN}', None),
        ('{"a": 1', None),
        ('{"a": 1} or {"a": 2}', None),
        ('[{"a": 1}]', {"a": 1}),
        ('[{"a": 1}, {"a": 2}]', None),
        ("none", None),
    ],
)
def test_an_object_is_read_whole_or_not_at_all(text: str, wanted: Any):
    assert object_in(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('["a", "b"]', ["a", "b"]),
        ("['it\\'s', \"she's\"]", ["it's", "she's"]),
        ('The facts:\n```json\n["don\'t", "\\"quoted\\""]\n```', ["don't", '"quoted"']),
        ('See [this]: ["a", ["b"]]', ["a", ["b"]]),
        ('{"a": [1]}', None),
        ("[1, 2", None),
        ("", None),
    ],
)
def test_a_list_keeps_its_quotes(text: str, wanted: Any):
    assert list_in(text) == wanted


@pytest.mark.parametrize("unit", ["{", "[", '{"a":', "[{'", "```json\n{", "[a]"])
def test_a_large_text_is_no_burden(unit: str):
    text = unit * (1_000_000 // len(unit))
    assert object_in(text) is None
    assert list_in(text) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('<think>Perhaps {"a": 1}?</think>I do not know.', None),
        ('<think>Perhaps {"a": 1}?</think>{"a": 2}', {"a": 2}),
        ('{"a": 2}<think>Or {"a": 1}?</think>', {"a": 2}),
        ('{"a": "<think>x</think>"}', {"a": "<think>x</think>"}),
        ("{'a': '<think>x</think>'}", {"a": "<think>x</think>"}),
    ],
)
def test_what_stands_in_thoughts_is_no_answer(text: str, wanted: Any):
    assert object_in(text) == wanted


def test_who_wants_to_know_hears_why():
    assert json_in("Here: {'a': 1}").mended == ("text around it", "single quotes")
    with pytest.raises(NoJson, match="different JSON values"):
        json_in('{"a": 1} or {"a": 2}')
    with pytest.raises(NoJson, match="longer than"):
        json_in(" " * 2_000_000 + "{}")
