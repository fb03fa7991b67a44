"""Instructions: the short forms that people write, and what is no instruction (Jido's E12)."""

from __future__ import annotations

from typing import Any

import pytest

from actions.definition import action
from actions.errors import DeclarationError
from orchestrator.instructions import Instruction, instruction, instructions
from orchestrator.submission import Submission


@action("SEARCH")
async def search(query: str = "") -> None:
    """Search."""


PLAIN = Instruction("SEARCH", {"query": "tea"})


@pytest.mark.parametrize(
    "given",
    [
        ("SEARCH", {"query": "tea"}),
        (search, {"query": "tea"}),
        {"action": "SEARCH", "arguments": {"query": "tea"}},
        {"action": search, "params": {"query": "tea"}},
        ("SEARCH", {"query": "tea"}, None, None),
        PLAIN,
    ],
)
def test_an_instruction_has_many_forms(given):
    assert instruction(given) == PLAIN


@pytest.mark.parametrize(
    "given", ["SEARCH", search, ("SEARCH",), ("SEARCH", None), {"action": "SEARCH", "params": None}]
)
def test_without_arguments_there_are_none(given):
    assert instruction(given) == Instruction("SEARCH")


def test_what_is_given_for_all_wins_over_an_instructions_own():
    own = ("SEARCH", {}, {"principal": "ada", "tenant": "t"}, {"retry": 1})
    read = instruction(own, context={"principal": "bob"}, options={"retry": 2, "delay": "1s"})
    assert read.context == {"principal": "bob", "tenant": "t"}
    assert read.options == {"retry": 2, "delay": "1s"}
    assert read.submission() == Submission("SEARCH", {}, principal="bob", tenant="t", retry=2, delay="1s")


@pytest.mark.parametrize(
    "given",
    [
        7,
        None,
        "",
        (),
        ("SEARCH", {}, {}, {}, {}),
        ("SEARCH", "tea"),
        ("SEARCH", {"query": object()}),
        {"arguments": {}},
        {"action": "SEARCH", "arguments": {}, "params": {}},
        {"action": "SEARCH", "other": 1},
        {"action": "SEARCH", "context": {"shell": "sh"}},
        ("SEARCH", {}, {}, {"nice": 1}),
        ("SEARCH", {}, 7),
        [["SEARCH"]],
    ],
)
def test_what_has_another_form_is_refused(given):
    with pytest.raises(DeclarationError):
        instructions(given)


def test_a_list_is_read_in_order_and_the_first_error_ends_it():
    assert [each.action for each in instructions(["A", ("B", {}), search])] == ["A", "B", "SEARCH"]
    assert instructions("A") == [Instruction("A")]
    assert instructions([]) == []
    with pytest.raises(DeclarationError, match=r"instruction 1: .*no instruction"):
        instructions(["A", 7, 8])


def test_only_what_is_allowed_may_be_among_them_and_all_offenders_are_named():
    assert instructions(["search", search], allowed=[search])
    with pytest.raises(DeclarationError, match=r"A, B$"):
        instructions(["A", "SEARCH", "B", "A"], allowed=["Search"])


def test_arguments_are_copied_into_their_json_form():
    mutable: dict[str, Any] = {"query": ["a"], "at": (1, 2)}
    read = instruction(("SEARCH", mutable))
    mutable["query"].append("b")
    assert read.arguments == {"query": ["a"], "at": [1, 2]}
