"""Server-sent events are the same however the bytes were cut, and one that is not whole is none."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.clients import sse
from orchestrator.clients.sse import Message, Reader, TooLong

STREAM = (
    ": hello\n\n"
    'id: 1-0\nevent: changes\ndata: {"a":\ndata: 1}\n\n'
    "retry: 3000\n\n"
    "event: named\r\nid: 2-0\r\ndata:ü€𐍈\r\n\r\n"
    "event: end\rid\rdata\r\r"
    "id: 9-9\ndata: cut"
).encode()
MESSAGES = [
    Message("changes", '{"a":\n1}', "1-0"),
    Message("named", "ü€𐍈", "2-0"),
    Message("end", "", ""),
]


def test_messages_are_read_as_the_standard_says():
    reader = Reader()
    assert reader.feed(STREAM) == MESSAGES
    assert reader.id == ""  # the id of the message that was cut off does not count


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_the_same_comes_out_however_it_was_cut(cuts):
    places = [0, *sorted(cuts), len(STREAM)]
    reader = Reader()
    found = [message for start, end in pairwise(places) for message in reader.feed(STREAM[start:end])]
    assert found == MESSAGES


@given(st.binary(max_size=300), st.integers(0, 300))
def test_no_bytes_break_it(data, cut):
    reader = Reader()
    for piece in (data[:cut], data[cut:]):
        for message in reader.feed(piece):
            assert message.data or message.event


def test_a_byte_order_mark_is_left_out_also_where_it_is_cut():
    reader = Reader()
    data = b"\xef\xbb\xbfdata: x\n\n"
    assert [each.data for piece in (data[:2], data[2:]) for each in reader.feed(piece)] == ["x"]


def test_a_message_that_ended_with_half_a_line_end_is_told_with_the_next_byte():
    reader = Reader()
    assert reader.feed(b"data: x\r\r") == []
    assert [each.data for each in reader.feed(b"d")] == ["x"]


def test_an_id_with_a_null_in_it_is_none():
    assert [each.id for each in Reader().feed(b"id: 1-0\nid: a\0b\ndata: x\n\n")] == ["1-0"]


@pytest.mark.parametrize("piece", [b"data: " + b"x" * 2_000, b"data: x\n" * 2_000])
def test_a_message_without_an_end_does_not_fill_the_memory(piece, monkeypatch):
    monkeypatch.setattr(sse, "LONGEST", 10_000)
    reader = Reader()

    def feed() -> None:
        for _ in range(100):
            reader.feed(piece)

    with pytest.raises(TooLong):
        feed()
