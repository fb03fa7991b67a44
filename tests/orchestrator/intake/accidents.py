"""What happens to replies on their way: strategies that make broken ones out of the table's, for Hypothesis."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from intake_invariants import corpus, fragments


def is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False


TEXTS = [text for _, text in corpus()]
JSON_TEXTS = [text for text in TEXTS if is_json(text)]
JUNK = [None, 0, 1.5, True, "", "x", "{}", [], {}, [[]], [None], {"a": 1}, {"type": []}, ["x"], {"name": [1]}]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A reply of the table, or two, after some accidents: cut, doubled, swapped, with other pieces in it."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        first, second = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
        head, middle, tail = text[:first], text[first:second], text[second:]
        accident = draw(
            st.sampled_from(["cut", "left out", "doubled", "swapped", "put in", "another", "flipped"])
        )
        if accident == "cut":
            text = head
        elif accident == "left out":
            text = head + tail
        elif accident == "doubled":
            text = head + middle + middle + tail
        elif accident == "swapped":
            text = head + tail + middle
        elif accident == "put in":
            text = head + draw(st.sampled_from(fragments())) + middle + tail
        elif accident == "another":
            text = head + draw(st.sampled_from(TEXTS)) + tail
        else:
            text = head + draw(st.characters()) + text[first + 1 :]
    return text


@st.composite
def broken_bodies(draw: st.DrawFn) -> Any:
    """A body or a list of events of the table in which some places hold something else, or nothing."""
    value = json.loads(draw(st.sampled_from(JSON_TEXTS)))
    for _ in range(draw(st.integers(1, 5))):
        held = value
        while held:
            key = draw(st.sampled_from(sorted(held) if isinstance(held, dict) else range(len(held))))
            if not isinstance(held[key], dict | list) or draw(st.integers(0, 3)) == 0:
                held[key] = json.loads(json.dumps(draw(st.sampled_from(JUNK))))
                if draw(st.booleans()):
                    del held[key]
                break
            held = held[key]
    return value
