from __future__ import annotations

import json
import time
from typing import Any

import pytest

from actions.strict_json import Unreadable
from orchestrator.intake.strict import DEEP, OPEN, closing, cut_off, decode_at, too_deep

LONG = {
    "n": -12.5e-3,
    "words": [True, False, None],
    "text": 'é\n"\\ 🎉',
    "escapes": "🎉🎉 é\t\u2028",
    "more": {"a": [1234567890]},
}


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("shift", range(120))
def test_a_value_is_read_the_same_wherever_the_window_ends(shift: int, ascii_only: Any):
    value = {"pad": "x" * (4096 - shift), "then": LONG}
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert decode_at(f"ab{text} and more{'.' * 5000}", 2) == (value, 2 + len(text))


@pytest.mark.parametrize("shift", range(0, 60, 3))
def test_a_value_that_never_ends_is_cut_off_wherever_the_window_ends(shift: int):
    text = '{"pad": "' + "x" * (4096 - shift) + '", "then": [1, "'
    with pytest.raises(Unreadable) as caught:
        decode_at(text, 0)
    assert caught.value.truncated


def test_errors_far_into_a_text_cost_as_much_as_errors_at_its_beginning():
    text = '{"}' * 1_300_000
    start = time.thread_time()
    for at in range(0, len(text), 390):
        with pytest.raises(Unreadable):
            decode_at(text, at)
    assert time.thread_time() - start < 2


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("{}", 2),
        ('{"a": [1, {"b": 2}]} tail }', 20),
        ('{"}": "{["}', 11),
        ('{"\\"}": 1}', 10),
        ('{"a": "}', OPEN),
        ('{"a": "\\"}', OPEN),
        ('{"a": "\\', OPEN),
        ("{[", OPEN),
        ("[" * 64, OPEN),
        ("[" * 65, DEEP),
    ],
)
def test_where_a_bracket_is_closed(text: str, end: int):
    assert closing(text, 0) == end
    assert cut_off(text) is (end == OPEN)


def test_depth_is_counted_outside_of_texts():
    assert too_deep('{"a":' * 11 + "1" + "}" * 11, 10)
    assert not too_deep(json.dumps({"a": "[" * 500, "b": [[]] * 500}), 10)
