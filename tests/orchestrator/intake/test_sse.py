"""The text of a stream falls into its events, however it was cut and however it was written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_streams import sse

from orchestrator.intake.sse import Array, Events, Lines, may_be, reader_for

EVENTS: list[Any] = [{"a": 1, "b": 'x\\"]}\n{['}, {"c": [{}, "[", '"']}, {"d": "é…"}]
WAYS = {
    "LF": sse(EVENTS),
    "CRLF": sse(EVENTS, "\r\n\r\n"),
    "CR": sse(EVENTS, "\r\r"),
    "no blank lines": sse(EVENTS, "\n"),
    "no last line end": sse(EVENTS).rstrip(),
    "comments and fields": f": hi\n\nretry: 3\nid: 7\nevent: x\n{sse(EVENTS)}: bye\n",
    "no space": sse(EVENTS).replace("data: ", "data:"),
    "many lines": "".join(f"data: {line}\n" for line in json.dumps(EVENTS[0], indent=1).split("\n"))
    + "\n"
    + sse(EVENTS[1:]),
    "many lines, CRLF": "".join(f"data: {line}\r\n" for line in json.dumps(EVENTS[0], indent=1).split("\n"))
    + "\r\n"
    + sse(EVENTS[1:]),
    "JSON lines": "\n".join(map(json.dumps, EVENTS)),
    "an array": json.dumps(EVENTS),
    "an array with line breaks": json.dumps(EVENTS, indent=2),
    "a byte order mark": "\ufeff" + sse(EVENTS),
}


def read(text: str, sizes: list[int]) -> list[Any]:
    reader = reader_for(text)
    assert reader is not None
    found: list[Any] = []
    for size in sizes:
        found += reader.feed(text[:size])
        text = text[size:]
    return [*found, *reader.feed(text), *reader.close()]


@pytest.mark.parametrize("way", WAYS)
@given(sizes=st.lists(st.integers(0, 20), max_size=60))
def test_every_way_of_writing_and_cutting_gives_the_same_events(way: str, sizes: list[int]):
    assert read(WAYS[way], sizes) == EVENTS


@pytest.mark.parametrize("way", WAYS)
def test_one_character_at_a_time(way: str):
    assert read(WAYS[way], [1] * len(WAYS[way])) == EVENTS


def test_an_event_comes_out_with_the_end_of_its_line():
    reader = Lines()
    assert reader.feed('data: {"a": 1}') == []
    assert reader.feed("\n") == [{"a": 1}]


def test_an_entry_of_an_array_comes_out_with_its_last_bracket():
    reader = Array()
    assert reader.feed('[{"a": 1') == []
    assert reader.feed("},") == [{"a": 1}]


def test_what_ends_a_stream_comes_out_as_it_is():
    assert read("data: [DONE]\n\n", []) == ["[DONE]"]


def test_what_is_cut_off_comes_out_as_its_text():
    assert read('data: {"a": 1}\n\ndata: {"b', []) == [{"a": 1}, '{"b']
    assert read('[{"a": 1}, {"b', []) == [{"a": 1}, '{"b']


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("event: error\ndata: overloaded\n\n", {"message": "overloaded"}),
        ('event: error\ndata: {"message": "no"}\n\n', {"message": "no"}),
    ],
)
def test_an_error_event_says_so(text: str, error: Any):
    assert read(text, []) == [{"error": error}]


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        ("data: {", Lines),
        (":", Lines),
        ('{"a"', Lines),
        ('[ {"a"', Array),
        ('["{', Array),
        ("[ACTION:GO]", None),
        ("Data", None),
    ],
)
def test_what_a_text_is_shows_in_its_beginning(head: str, kind: type[Events] | None):
    assert (type(reader_for(head)) if reader_for(head) else None) is kind


@pytest.mark.parametrize(
    ("head", "open"), [("", True), ("da", True), (" \n", True), ("[", True), ("[A", False), ("dat!", False)]
)
def test_a_short_beginning_may_become_a_stream(head: str, open: bool):  # noqa: A002, FBT001
    assert reader_for(head) is None
    assert may_be(head) is open


@pytest.mark.parametrize("text", ["id: 5\nand so on\n", '{\n "a": 1\n}\n', '[{"a": 1}] and more'])
def test_what_no_stream_has_is_seen(text: str):
    reader = reader_for(text)
    assert reader is not None
    reader.feed(text)
    assert not reader.sound
