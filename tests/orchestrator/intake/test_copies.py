"""A model that goes round in circles does nothing; one that asks for the same a few times is believed."""

from __future__ import annotations

import pytest
from intake_replies import chat, codes, good, tool_call

from orchestrator.intake import read, read_text
from orchestrator.intake.calls import NO_END, call
from orchestrator.intake.copies import MAX_COPIES, refuse_copies

TAG = '[ACTION:GO]{"a": 1}[/ACTION]'
OTHER = TAG.replace("1", "2")


def test_a_few_equal_calls_are_meant():
    assert good(read_text(TAG * MAX_COPIES)) == [("GO", {"a": 1})] * MAX_COPIES


@pytest.mark.parametrize("end", ["", '[ACTION:GO]{"a"'])
def test_none_of_too_many_runs_and_their_neighbours_do(end: str):
    reply = read_text(TAG * (MAX_COPIES + 1) + OTHER + end)
    assert good(reply) == [("GO", {"a": 2})]
    assert codes(reply) == ["too_many_calls"] * (MAX_COPIES + 1) + ["truncated_call"] * bool(end)
    assert f"{MAX_COPIES + 1} times" in reply.errors[0].message


def test_key_order_makes_no_difference():
    turned = '[ACTION:GO]{"b": 2, "a": 1}[/ACTION]'
    text = (turned + '[ACTION:GO]{"a": 1, "b": 2}[/ACTION]') * MAX_COPIES
    assert good(read_text(text)) == []


def test_calls_in_a_providers_place_are_not_counted():
    many = [tool_call("GO", '{"a": 1}', id=f"c{at}") for at in range(MAX_COPIES + 5)]
    assert len(good(read(chat(*many)))) == MAX_COPIES + 5


def test_a_repetition_in_a_block_without_an_end_does_not_run_twice():
    first, again = call("GO", {"a": 1}), call("GO", {"a": 1}, repaired=(NO_END,))
    found = refuse_copies([first, again])
    assert [one.error and one.error.code for one in found] == [None, "truncated_call"]
    other = call("GO", {"a": 2}, repaired=(NO_END,))
    assert refuse_copies([first, other]) == [first, other]
    assert refuse_copies([again]) == [again]
    assert refuse_copies([first, first]) == [first, first]
