"""Cursors: what a page names is taken back; whatever else somebody sends is refused, and never a failure."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.errors import InvalidCursor
from orchestrator import cursors

GOOD = cursors.encode("dead", 5, "run_a")


def test_a_cursor_is_taken_back():
    assert cursors.decode("dead", GOOD, int, str) == (5, "run_a")
    assert cursors.decode("all", cursors.encode("all")) == ()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "0",
        "=",
        GOOD + "=",
        GOOD[:-1],
        GOOD + "A",
        GOOD.swapcase(),
        "x" * 2_000,
        "\u2603",
        "\x00",
        cursors.encode("other", 5, "run_a"),
        cursors.encode("dead", "5", "run_a"),
        cursors.encode("dead", 5),
        cursors.encode("dead", -5, "run_a"),
        cursors.encode("dead", 2**70, "run_a"),
        base64.urlsafe_b64encode(b'12345678["dead",5,"run_a"]').decode().rstrip("="),
        base64.urlsafe_b64encode(b"12345678{}").decode().rstrip("="),
        base64.urlsafe_b64encode(b"12345678[[]]").decode().rstrip("="),
    ],
)
def test_what_no_page_has_named_is_refused(cursor):
    with pytest.raises(InvalidCursor):
        cursors.decode("dead", cursor, int, str)


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_no_text_is_a_failure(cursor):
    with pytest.raises(InvalidCursor):
        cursors.decode("dead", cursor, int, str)


@given(st.lists(st.integers(0, 2**62) | st.text(max_size=20).filter(str.isprintable), max_size=4))
def test_any_place_comes_back(values):
    assert cursors.decode("k", cursors.encode("k", *values), *map(type, values)) == tuple(values)
