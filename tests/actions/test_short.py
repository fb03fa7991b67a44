"""Texts of others, made short and harmless for messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.short import cut, seen, within


@given(st.text(max_size=60), st.integers(4, 80))
def test_a_text_keeps_within_its_bytes_and_is_its_own_beginning(text: str, most: int):
    told = within(text, most)
    assert len(told.encode(errors="replace")) <= most
    whole = text.encode(errors="replace").decode()
    assert told in (text, whole) or whole.startswith(told.removesuffix("…"))


def test_a_short_text_stays_as_it_is():
    assert within("é" * 1_000) == "é" * 1_000
    assert within("é" * 1_001).endswith("é…")
    assert (cut("abcd", 4), cut("abcde", 4)) == ("abcd", "abc…")


@pytest.mark.parametrize("sign", ["\x1b", "\x00", "\r", "\x9b", "\u202e", "\u2066", "\u2028"])
def test_what_steers_a_terminal_is_not_shown(sign: str):
    assert seen(f"a{sign}b") == "a\ufffdb"


def test_line_breaks_tabs_and_letters_stay():
    assert seen("a\n\tb é 漢 \U0001f600") == "a\n\tb é 漢 \U0001f600"
