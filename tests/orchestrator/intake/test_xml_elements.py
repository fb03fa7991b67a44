"""Values without types and their tags."""

from __future__ import annotations

import pytest
from intake_replies import codes, good

from orchestrator.intake import read_text
from orchestrator.intake.parts.xml_elements import MAX_ARGUMENTS, attribute, decoded, untyped


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("3", 3),
        (" -1.5 ", -1.5),
        ("true", True),
        ("null", None),
        ('"3"', "3"),
        ("[1, {}]", [1, {}]),
        ("True", "True"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("3 apples", "3 apples"),
        ("007", "007"),
        ("{broken", "{broken"),
        ("", ""),
        ("\n two\nlines \n", " two\nlines "),
        ("\r\ntwo\r\n", "two"),
        ("\n\nblank\n\n", "\nblank\n"),
    ],
)
def test_a_value_is_json_to_its_end_or_the_text(written: str, value: object):
    assert untyped(written) == value
    assert type(untyped(written)) is type(value)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("&lt;a&gt; &amp;amp; &quot;&apos;", "<a> &amp; \"'"),
        ("&#65;&#x42;", "AB"),
        ("&nbsp; &b; & &;", "&nbsp; &b; & &;"),
        ("&#0;&#xD800;&#9999999;", "&#0;&#xD800;&#9999999;"),
    ],
)
def test_only_entities_of_xml_are_decoded(written: str, text: str):
    assert decoded(written) == text


def test_an_attribute_that_stands_twice_is_none():
    assert attribute(' name="a" x="b"', "name") == "a"
    assert attribute(" name='a' name='b'", "name") is None
    assert attribute(' x="b"', "name") is None


def test_a_value_that_breaks_off_as_json_is_no_text_where_it_is_said_to_be_json():
    tag = '<|DSML|invoke name="a"><|DSML|parameter name="x" string="{}">[1,</|DSML|parameter></|DSML|invoke>'
    assert good(read_text(tag.format("true"))) == [("a", {"x": "[1,"})]
    assert codes(read_text(tag.format("false"))) == ["malformed_call"]


def test_a_call_with_endless_arguments_is_refused():
    argument = "<parameter=k{}>1</parameter>"
    held = "".join(argument.format(number) for number in range(MAX_ARGUMENTS))
    assert codes(read_text(f"<function=f>{held}</function>")) == ["malformed_call"]
    assert codes(read_text(f"<function=f>{held.partition('</parameter>')[2]}</function>")) == []


def test_a_call_in_a_value_that_is_no_json_though_it_is_said_to_be_is_not_read():
    inner = '<|DSML|invoke name="pay"></|DSML|invoke>'
    value = f'<|DSML|parameter name="x" string="false">a {inner}</|DSML|parameter>'
    reply = read_text(f'<|DSML|invoke name="a">{value}</|DSML|invoke>{inner}')
    assert ([one.name for one in reply.calls], good(reply)) == (["a", "pay"], [("pay", {})])
