"""JSON, Python, ReAct and XML that models write: cut anywhere nothing runs that was not whole, and large junk ends."""

from __future__ import annotations

from typing import Any

import pytest
from intake_replies import codes, good

from orchestrator.intake import read, read_text

F, G = (
    '{"name": "f", "arguments": {"a": "x, y", "b": 12}}',
    '{"name": "g", "arguments": {"c": [34, {"d": "e"}]}}',
)
CALLS = [("f", {"a": "x, y", "b": 12}), ("g", {"c": [34, {"d": "e"}]})]
PYTHON = "f(a='x, y', b=12)", "g(c=[34, {'d': 'e'}])"


@pytest.mark.parametrize(
    "whole",
    [
        f"[{F}, {G}]",
        f"{F}; {G}",
        f"```json\n{F}\n{G}\n```",
        f"Well:\n[{F},\n {G}]\nDone.",
        f'{{"tool_calls": [{F}, {G}]}}',
        f"[{', '.join(PYTHON)}]",
        "\n".join(PYTHON),
        f"```tool_code\n{PYTHON[0]}\n{PYTHON[1]}\n```",
        f"Well:\n```python\n[{', '.join(PYTHON)}]\n```",
        "[\"f(a='x, y', b=12)\", \"g(c=[34, {'d': 'e'}])\"]",
        'Action: f\nAction Input: {"a": "x, y", "b": 12}\nAction: g\nAction Input: {"c": [34, {"d": "e"}]}',
    ],
)
def test_what_is_cut_anywhere_runs_only_whole_calls(whole: str):
    assert good(read_text(whole)) == CALLS
    for end in range(len(whole)):
        ran = good(read_text(whole[:end]))
        assert ran == CALLS[: len(ran)], whole[:end]
        assert "[{" not in whole[:end] or len(ran) != 1, whole[:end]


def test_xml_that_is_cut_anywhere_runs_only_when_nothing_is_missing():
    whole = "<response><actions>A,B</actions><params><A><x>12</x></A></params><text>Hi</text></response>"
    assert good(read_text(whole)) == [("A", {"x": 12}), ("B", {})]
    for end in range(whole.index("</text>") + len("</text>")):
        assert good(read_text(whole[:end])) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("'it\\'s'", "it's"),
        ('"it\'s"', "it's"),
        ("'''a\n'b' '''", "a\n'b' "),
        ("r'\\d'", "\\d"),
        ("'\\d\\u00e9\\x41\\101\\n'", "\\déAA\n"),
        ("'\\ud83d\\ude00'", "😀"),
        ("'a' # why\n", "a"),
        ("-5", -5),
        ("1_000", 1000),
        ("0x1F", 31),
        ("1e3", 1000.0),
        ("((1))", 1),
        ("{'a': {'b': ()}}", {"a": {"b": []}}),
    ],
)
def test_python_literals(value: str, expected: Any):
    assert good(read_text(f"[f(a={value})]")) == [("f", {"a": expected})]


@pytest.mark.parametrize(
    "value",
    ["x", "g()", "1 + 1", "-x", "not True", "f'x'", "b'x'", "{'a'}", "{1: 2}", "'a' 'b'", "1e999", "nan", "3j", "007",
     "...", "lambda: 1", "[i for i in y]", "x[0]", "x.y", "'\\x4'", "'\\ud83d'", "float('inf')", "1__0", "", "*y",
     "[" * 70 + "]" * 70, "9" * 5_000, "{'a': 1, 'a': 2}"],
)  # fmt: skip
def test_what_is_no_literal_is_malformed_and_its_neighbour_runs(value: str):
    reply = read_text(f"[f(a={value}), g(b=2)]")
    assert codes(reply)[0] == "malformed_call"
    muddled = value == "'a' 'b'" or value.startswith("[[")
    assert good(reply) == ([] if muddled else [("g", {"b": 2})])


@pytest.mark.parametrize(
    "text",
    [
        "[foo(bar)](https://example.org) and [1], [2] (see f(x=1)).",
        "Call it like this: `[f(a=1)]`.",
        "We write f(a=1) for it.\nThen g(b=2).",
        "```python\nimport os\nprint('hi')\n```",
        "```python\nprint('Hello, world!')\n```",
        "P(X=1) = 0.5",
        '{"name": "f", "arguments": {}} is an example.',
        '{"name": "f", "arguments": {}}, {"x": 1}',
        'The object {"name": "f", "arguments": {}} is an example.',
        '{"name": "f", "description": "does f", "parameters": {}}',
        '[{"name": "f", "parameters": {"a": {"type": "string", "description": "an a"}}}]',
        '{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}',
        '{"data": {"name": "f", "arguments": {}}}',
        '["one", "two(x)"]',
        "Thoughts? Action: none yet. Observation: it rains.",
        "Action: Review the draft\nDue: Monday",
        "# Action: plan\nObservation: people waited.",
        "Final Answer: 42\nAction: f\nAction Input: x",
    ],
)
def test_prose_asks_for_nothing_and_is_no_error(text: str):
    reply = read_text(text)
    assert (reply.calls, reply.errors, reply.text) == ((), (), text)


@pytest.mark.parametrize(
    "unit",
    ["[f(", "[f(a=", "[f(a='", "[f(a=1)\n", '[f(a="\n', "[f(a=((((", "f(a='''", "```python\n[f(a=", "<|python_start|>",

     '{"', '{"a":', '{"name":"f","arguments":', F + ", ", F + ', {"x":1}, ', '```json\n{"a":', '{"k":/*}\n', '["f(',
     '[{"name":"f","arguments":{}},', '{"tool_calls": [', '\n{"name":"f","arguments":{"a":\'}}', "\n{'a'",
     "Action: ", "Action: f\nAction Input: {", "Action: f\n", "Observation: ", "Action: f[a]\n", "\nAction: f\n\n\n",
     "<response>", "<response><actions>", "<action><name>X</name>", "<response><actions>A</actions></response>",
     "<response><text>", "<response><text>a</text>", "<response><text></response>", "\n<actions></actions><params>",
     "<response><text><![CDATA[</response>"],
)  # fmt: skip
@pytest.mark.parametrize("before", ["", "x "])
def test_a_megabyte_of_openings_ends(unit: str, before: str):
    text = before + unit * (1_000_000 // len(unit))
    assert len(read(text).calls) <= 1_024


def test_a_call_is_read_once_for_both_dialects_and_nothing_is_kept_of_it():
    text = '{"name": "f", "arguments": {"a": [1]}}'
    (first,), (second,) = read_text(text).calls, read_text(text).calls
    assert first == second
    assert first.arguments is not None
    assert second.arguments is not None
    assert first.arguments["a"] is not second.arguments["a"]


def test_what_follows_an_observation_is_dropped_however_long_the_input_was():
    long = '{"q": "' + "x" * 10_000 + '"}'
    reply = read_text(f"Action: f\nAction Input: {long}\nObservation: y\nAction: g\nAction Input: z")
    assert [name for name, _ in good(reply)] == ["f"]
    assert reply.text == ""
