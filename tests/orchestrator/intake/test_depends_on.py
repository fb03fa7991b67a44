"""What a call says to depend on is read where it is clear, and makes the call malformed where it is not."""

from __future__ import annotations

from typing import Any

import pytest
from intake_replies import chat

from orchestrator.intake import read


def entry(depends_on: Any, *, inside: bool = False) -> dict[str, Any]:
    function: dict[str, Any] = {"name": "go", "arguments": '{"depends_on": "mine"}'}
    beside: dict[str, Any] = {"id": "c", "type": "function", "function": function}
    (function if inside else beside)["depends_on"] = depends_on
    return beside


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize(
    ("given", "names"),
    [("a", ("a",)), (["a", "b", "a"], ("a", "b")), (None, ()), ([], ()), ("", ())],
)
def test_an_openai_call_may_name_others_beside_its_name(given: Any, names: tuple[str, ...], inside: Any):
    (call,) = read(chat(entry(given, inside=inside))).calls
    assert call.depends_on == names
    assert call.arguments == {"depends_on": "mine"}
    assert call.error is None


@pytest.mark.parametrize("given", [7, {"a": 1}, ["a", 7], [""], ["x"] * 33, "y" * 300, True])
def test_what_cannot_be_read_as_names_makes_the_call_malformed(given: Any):
    (call,) = read(chat(entry(given))).calls
    assert call.error is not None
    assert call.error.code == "malformed_call"
    assert (call.id, call.arguments) == ("c", None)


def test_generic_json_may_name_others_too():
    reply = read('{"actions": [{"action": "one"}, {"action": "two", "depends_on": ["one"]}]}')
    assert [(call.name, call.depends_on) for call in reply.calls] == [("one", ()), ("two", ("one",))]
    reply = read('{"action": "two", "action_depends_on": "one", "action_input": {"a": 1}}')
    assert [(call.depends_on, call.arguments) for call in reply.calls] == [(("one",), {"a": 1})]


def test_no_reply_can_bring_references_along():
    reply = read(chat({**entry("a"), "uses": {"x": "a"}, "step": "s"}))
    assert (reply.calls[0].uses, reply.calls[0].step) == ({}, "")
