from __future__ import annotations

from typing import Any

import pytest
from intake_replies import chat, codes, good, message

from orchestrator.intake import read


def test_tags_are_calls_and_leave_the_visible_text():
    reply = read(
        "Welcome!\n\n"
        '[ACTION:SAVE_USER_INFO]{"key": "goals", "value": "sleep more"}[/ACTION]\n'
        "[ACTION:MARK_INTRODUCTION_COMPLETE]{}[/ACTION]\n\n\n"
        "Shall we begin?"
    )
    assert good(reply) == [
        ("SAVE_USER_INFO", {"key": "goals", "value": "sleep more"}),
        ("MARK_INTRODUCTION_COMPLETE", {}),
    ]
    assert reply.text == "Welcome!\n\nShall we begin?"
    assert (reply.format, reply.continues, reply.errors) == ("coach.tags", False, ())


@pytest.mark.parametrize("name", ["save", "Save_2", "SAVE USER INFO", "ns.save-it", "Größe"])
def test_names_are_taken_as_written(name: str):
    assert good(read(f"[ACTION:{name}]{{}}[/ACTION]")) == [(name, {})]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", {}),
        ("  \n ", {}),
        ("{}", {}),
        ('{"n": 0, "on": false, "text": ""}', {"n": 0, "on": False, "text": ""}),
        ('{\n  "a": [1, {"b": null}]\n}', {"a": [1, {"b": None}]}),
        ('{"end": "use [/ACTION] to close"}', {"end": "use [/ACTION] to close"}),
        ('{"nested": "[ACTION:X]{}[/ACTION]"}', {"nested": "[ACTION:X]{}[/ACTION]"}),
        # Read tolerantly, each in one way only:
        ("{'key': 'goals'}", {"key": "goals"}),
        ("{key: 'goals', other_key: 2}", {"key": "goals", "other_key": 2}),
        ('{"a": 1, "b": [1, 2,],}', {"a": 1, "b": [1, 2]}),
        (
            "{'a': True, 'b': False, 'c': None, d: true, e: null}",
            {"a": True, "b": False, "c": None, "d": True, "e": None},
        ),
        (
            "{'url': 'https://example.org/a?b=c', 'note': 'ratio: 3:4, word: yes'}",
            {"url": "https://example.org/a?b=c", "note": "ratio: 3:4, word: yes"},
        ),
        ("{'end': 'a [/ACTION] inside'}", {"end": "a [/ACTION] inside"}),
        ('{\'say\': \'she said "hi"\', "it": "it\'s"}', {"say": 'she said "hi"', "it": "it's"}),
        ("{'esc': 'it\\'s \\\\ \\n \\u00e9'}", {"esc": "it's \\ \n é"}),
        ('{"lines": "one\ntwo"}', {"lines": "one\ntwo"}),
        ("{a: -1.5e2, b: 0}", {"a": -150.0, "b": 0}),
        ("{'braces': '}}{{', 'b': ']'}", {"braces": "}}{{", "b": "]"}),
        ("{// a comment\n'a': 1, # another\n/* } */ }", {"a": 1}),
    ],
)
def test_bodies_that_can_be_read_in_one_way(body: str, expected: dict[str, Any]):
    reply = read(f"before [ACTION:GO]{body}[/ACTION] after")
    assert (good(reply), reply.errors) == ([("GO", expected)], ())
    assert reply.text == "before  after"


@pytest.mark.parametrize(
    "body",
    [
        "{a b: 1}",
        "{'it': 'it's'}",
        "{key: goals}",
        "{'a': 1 'b': 2}",
        '{"a": 1,, "b": 2}',
        '{"a": 1, "a": 2}',
        "{'a': 1, 'a': 2}",
        "{a: 1, 'a': 2}",
        '{"a": NaN}',
        "{a: NaN}",
        '{"a": 1e999}',
        "{a: 1e999}",
        "{a: 01}",
        "{a: 1+1}",
        "{a: os.system('x')}",
        "{'a': f'x'}",
        "{'a': 'x' 'y'}",
        "{'a': '\\q'}",
        "{" + "'a': {" * 70 + "}" * 71,
        "[1, 2]",
        '"text"',
        "7",
        "hello",
        "{} {}",
        '{"a": 1} and more',
        "{“a”: 1}",
    ],
)
def test_bodies_that_would_be_a_guess_are_malformed_and_keep_their_name(body: str):
    reply = read(f"x [ACTION:BAD]{body}[/ACTION] y [ACTION:GOOD]{{}}[/ACTION] z")
    assert (good(reply), codes(reply)) == ([("GOOD", {})], ["malformed_call"])
    assert reply.calls[0].name == "BAD"
    assert reply.text == "x  y  z"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('[ACTION:A]{"a": 1}', ["A"]),
        ('[ACTION:A]{"a": 1} and on it goes', ["A"]),
        ('[ACTION:A]{"a": "half', ["A"]),
        ('[ACTION:A]{"a": "half[/ACTION]', ["A"]),
        ("[ACTION:A]{'a': 'half[/ACTION]", ["A"]),
        ("[ACTION:A]", ["A"]),
        ("[ACTION:A] is what I would do", ["A"]),
        ("[ACTION:A", ["A"]),
        ("[ACTION:", [""]),
        ('[ACTION:A]{"a": 1}[/ACTIO', ["A"]),
        ('[ACTION:A]{"a": 1}[ACTION:B]{"b": ', ["A", "B"]),
    ],
)
def test_a_tag_that_is_not_closed_never_runs_and_is_an_error(text: str, names: list[str]):
    reply = read(text)
    assert (good(reply), codes(reply)) == ([], ["truncated_call"] * len(names))
    assert [one.name for one in reply.calls] == names
    assert "[ACTION" not in reply.text


def test_an_unclosed_tag_leaves_the_next_one_alone():
    reply = read('[ACTION:A]{"a": 1}\n[ACTION:B]{"b": 2}[/ACTION] done')
    assert (good(reply), codes(reply), reply.text) == ([("B", {"b": 2})], ["truncated_call"], "done")


def test_what_is_no_tag_stays_in_the_text():
    text = "[ACTION] and [/ACTION] and [action:x] and [ACTION:a\nb] and [OTHER:x]{}[/OTHER]"
    reply = read(text)
    assert (reply.calls, reply.errors, reply.text, reply.format) == ((), (), text, "text")


def test_a_nameless_tag_is_malformed():
    assert codes(read("[ACTION:  ]{}[/ACTION]")) == ["malformed_call"]


@pytest.mark.parametrize(
    "body",
    [
        lambda text: chat(content=text, finish="stop"),
        lambda text: message({"type": "text", "text": text}, stop="end_turn"),
        lambda text: {"role": "assistant", "content": text},
    ],
)
def test_tags_arrive_inside_a_providers_body(body: Any):
    reply = read(body("Hi [ACTION:GO]{}[/ACTION]"))
    assert (reply.format, good(reply), reply.text, reply.continues) == (
        "coach.tags",
        [("GO", {})],
        "Hi",
        False,
    )


def test_beside_real_tool_calls_the_text_is_only_text():
    call = {"id": "c", "function": {"name": "real", "arguments": "{}"}}
    reply = read(chat(call, content="[ACTION:GO]{}[/ACTION]"))
    assert good(reply) == [("real", {})]


def test_thoughts_are_neither_read_nor_shown():
    reply = read("<think>maybe [ACTION:A]{}[/ACTION]</think>Yes. [ACTION:B]{}[/ACTION]")
    assert (good(reply), reply.text) == ([("B", {})], "Yes.")
    assert good(read("maybe [ACTION:A]{}[/ACTION]</think>[ACTION:B]{}[/ACTION]")) == [("B", {})]
    assert read("ok <think>[ACTION:A]{}[/ACTION]").calls == ()


def test_a_code_sample_is_shown_and_not_read():
    text = "Write:\n```python\nprint('[ACTION:A]{}[/ACTION]')\n```"
    assert (read(text).calls, read(text).text) == ((), text)


def test_a_fence_around_tags_leaves_with_them():
    reply = read("Saved.\n```\n[ACTION:A]{}[/ACTION]\n```\nNext?")
    assert (good(reply), reply.text) == ([("A", {})], "Saved.\n\nNext?")
