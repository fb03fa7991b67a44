"""A reply of four times the size costs four times as much, however it is made; a hostile megabyte is read to its end.

Not time is measured but how far the patterns and readers look (`scanning`); the times are for benchmarks/intake.py.
"""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable

import pytest
from cases import Family, families
from hostile_replies import BEGINNINGS, beginnings, repeated, shapes
from intake_invariants import sound
from scanning import Count, counting

from orchestrator.intake import prose, read
from orchestrator.intake.incoming import StreamReader

FAMILIES = families()
SMALL = 10_000
TIMES = 4
SLACK = 20_000
"""Characters that may be looked at once for all, whatever the size."""


def cost(text: str) -> Count:
    with counting() as count:
        read(text)
    return count


def assert_linear(make: Callable[[int], str]) -> None:
    small, large = cost(make(SMALL)), cost(make(TIMES * SMALL))
    limit = 1.25 * TIMES * small.characters + SLACK
    assert large.characters <= limit, (
        f"{make(100)[:100]!r}: {small.by.most_common(4)}, {large.by.most_common(4)}"
    )


@pytest.mark.parametrize("beginning", BEGINNINGS, ids=ascii)
def test_beginnings_without_end_cost_what_they_are_long(beginning: str):
    assert_linear(lambda size: repeated(beginning, size))


@pytest.mark.parametrize("shape", [pytest.param(make, id=what) for what, make in shapes()])
def test_hostile_shapes_cost_what_they_are_long(shape: Callable[[int], str]):
    assert_linear(shape)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda each: each.name)
def test_every_part_of_a_sample_over_and_over_costs_what_it_is_long(family: Family):
    sample = family.sample if isinstance(family.sample, str) else json.dumps(family.sample)
    known = beginnings(sample)
    for beginning in known[:: max(1, len(known) // 12)]:
        assert_linear(lambda size, beginning=beginning: repeated(beginning, size))


@pytest.mark.parametrize(
    "beginning", ["<", "[", '{"', "{'a': '", "```", "<tool_call>", "`[ACTION:", "Action:"]
)
def test_a_hostile_megabyte_is_read_and_takes_little_memory(beginning: str):
    text = repeated(beginning, 1_000_000)
    tracemalloc.start()
    try:
        sound(read(text))
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("shape", [pytest.param(make, id=what) for what, make in shapes()])
def test_a_megabyte_of_each_shape_is_read_to_its_end(shape: Callable[[int], str]):
    sound(read(shape(1_000_000)))


@pytest.mark.parametrize(
    "beginning", ["<", '{"a": 1}', "```json\n{", "<function=a>", "`[ACTION:", "<think>", "word "]
)
def test_a_hostile_text_in_small_pieces_is_read_to_its_end(beginning: str):
    text, reader = repeated(beginning, 100_000), StreamReader()
    for at in range(0, len(text), 64):
        reader.feed(text[at : at + 64])
    sound(reader.close()[1])


def test_the_count_sees_what_is_read_again_and_again():
    assert cost("x" * 100_000).characters < 1_000_000
    with counting() as count:
        for start in range(0, 100_000, 1_000):
            prose.THOUGHT_TAG.search("x" * 100_000, start)
    assert count.characters > 4_000_000
