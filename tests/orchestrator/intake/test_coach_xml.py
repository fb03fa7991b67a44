from __future__ import annotations

from typing import Any

import pytest
from intake_replies import codes, good

from orchestrator.intake import read


def test_elements_are_calls_and_leave_the_visible_text():
    reply = read(
        "Noted.\n"
        '<action name="SAVE_IDENTITY">\n  <param name="identity">Quiet Builder</param>\n'
        '  <param name="tags">["a", "b"]</param>\n</action>\n\n\n'
        "<action name='MARK_INTRODUCTION_COMPLETE'></action>What next?"
    )
    assert good(reply) == [
        ("SAVE_IDENTITY", {"identity": "Quiet Builder", "tags": ["a", "b"]}),
        ("MARK_INTRODUCTION_COMPLETE", {}),
    ]
    assert (reply.text, reply.format, reply.continues) == ("Noted.\n\nWhat next?", "coach.xml", False)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        ("0", 0),
        ("false", False),
        ("null", None),
        ("", ""),
        ('""', ""),
        ("-1.5", -1.5),
        ('"5"', "5"),
        ("007", "007"),
        ("True", "True"),
        ("NaN", "NaN"),
        ("[1, 2", "[1, 2"),
        ('{"a": {"b": 1}}', {"a": {"b": 1}}),
        ('{"end": "</param></action>"}', {"end": "</param></action>"}),
        ("a &lt; b &amp;&amp; c &gt; d &quot;&apos;", "a < b && c > d \"'"),
        ("&#233;&#xE9;&#x1F389;", "éé🎉"),
        ("?a=1&copy=2&nbsp;&#0;&#xD800;", "?a=1&copy=2&nbsp;&#0;&#xD800;"),
        ("{&quot;a&quot;: 1}", {"a": 1}),
        ("  spaced out \n", "spaced out"),
        ("two\nlines", "two\nlines"),
        ("a < b and [/ACTION]", "a < b and [/ACTION]"),
    ],
)
def test_values_are_json_where_they_parse_and_text_elsewhere(value: str, expected: Any):
    reply = read(f'<action name="GO"><param name="v">{value}</param></action>')
    assert (good(reply), reply.errors) == ([("GO", {"v": expected})], ())


def test_quotes_entities_and_other_attributes_in_the_tags():
    reply = read("""<action id='1' name = 'A&amp;B' ><param name='k "q"' type="x">1</param ></action >""")
    assert good(reply) == [("A&B", {'k "q"': 1})]
    assert good(read('<action name="GO"/>')) == [("GO", {})]


@pytest.mark.parametrize(
    "inner",
    [
        "stray",
        '<param name="a">1</param> stray',
        "<param>1</param>",
        '<param name="a" name="b">1</param>',
        '<param name="a"/>',
        "<other/>",
        '<param name="a">1</param><param name="a">2</param>',
        '<param name="a">{"b": 1, "b": 2}</param>',
        '<param name="a">1e999</param>',
        '<param name="a">one<param name="b">two</param>',
        '<param name="a">unclosed',
    ],
)
def test_what_would_be_a_guess_is_malformed_and_keeps_its_name(inner: str):
    reply = read(f'x <action name="BAD">{inner}</action> y <action name="GOOD"></action> z')
    assert (good(reply), codes(reply)) == ([("GOOD", {})], ["malformed_call"])
    assert (reply.calls[0].name, reply.text) == ("BAD", "x  y  z")


@pytest.mark.parametrize(
    "text",
    [
        '<action name="A">',
        '<action name="A"><param name="k">v</param>',
        '<action name="A"><param name="k">v',
        '<action name="A"> is the tag',
        '<action name="A',
        "<action na",
    ],
)
def test_an_element_that_is_not_closed_never_runs(text: str):
    reply = read(text)
    assert (good(reply), codes(reply)) == ([], ["truncated_call"])
    assert "<action" not in reply.text


def test_an_unclosed_element_leaves_the_next_one_alone():
    reply = read('<action name="A"><param name="k">1</param><action name="B"></action>')
    assert (good(reply), codes(reply)) == ([("B", {})], ["truncated_call"])


def test_an_element_inside_a_param_never_runs():
    told = 'a <action name="B"/> b'
    assert good(read(f'<action name="A"><param name="k">{told}</param></action>')) == [("A", {"k": told})]
    inner = '<action name="B"><param name="k">1</param></action>'
    for text in (
        f'<action name="A"><param name="k">a {inner} b</param></action>',
        f'<action name="A"><param name="k">a {inner}',
    ):
        reply = read(text)
        assert (good(reply), len(codes(reply))) == ([], 1)


def test_what_is_no_element_stays_in_the_text():
    text = "<actions> and <action> and <action id='1'> and a < b"
    assert (read(text).calls, read(text).errors, read(text).text) == ((), (), text)


def test_no_doctype_is_read():
    text = '<!DOCTYPE x [<!ENTITY e "boom">]><action name="A"><param name="k">&e;</param></action>'
    assert good(read(text)) == [("A", {"k": "&e;"})]


def test_one_text_may_mix_tags_and_elements_and_keeps_their_order():
    reply = read('[ACTION:A]{}[/ACTION]<action name="B"/>[ACTION:C]{}[/ACTION]')
    assert ([name for name, _ in good(reply)], reply.format, reply.text) == (
        ["A", "B", "C"],
        "coach.tags",
        "",
    )
