from __future__ import annotations

import logging

import pytest

from actions.definition import action
from actions.errors import DeclarationError
from actions.states import Edge, StateMachine

STATES = {"START": ("ASK", "SAVE_IT"), "WORK": ("ASK",), "DONE": ()}
MACHINE = StateMachine(
    "m",
    "START",
    STATES,
    [
        Edge("START", "WORK", when="ready", priority=1),
        Edge("START", "DONE", when="over", priority=9),
        Edge("START", "DONE", when="ready"),
        Edge("WORK", "START"),
        Edge("WORK", "DONE", when="breaks"),
        Edge("DONE", "START", automatic=True, priority=-1),
        Edge("DONE", "WORK", when="ready", automatic=False),
    ],
    {
        "ready": lambda context: bool(context.get("ready")),
        "over": lambda context: bool(context.get("over")),
        "breaks": lambda context: context["missing"],
    },
)


@pytest.mark.parametrize(
    ("state", "name", "allowed"),
    [
        ("START", "ASK", True), ("START", "ask", True), ("START", "save it", True), ("WORK", "SAVE_IT", False),
        ("DONE", "ASK", False), ("NOWHERE", "ASK", False), (None, "ASK", False), ("START", "AS", False),
    ],
)  # fmt: skip
def test_a_state_allows_what_it_lists_and_an_unknown_one_nothing(state, name, allowed):
    assert MACHINE.allows(state, name) is allowed
    assert MACHINE.allows(state, action(name.replace(" ", "_"))(lambda: None)) is allowed


@pytest.mark.parametrize(
    ("state", "allowed"), [("START", True), ("DONE", True), ("NOWHERE", False), (None, False)]
)
def test_what_is_allowed_everywhere_is_allowed_in_each_state_there_is(state, allowed):
    assert MACHINE.allows(state, action("STOP", everywhere=True)(lambda: None)) is allowed


def test_allowed_names_are_normalised():
    assert MACHINE.allowed("START") == {"ask", "saveit"}
    assert MACHINE.allowed("NOWHERE") == frozenset()


@pytest.mark.parametrize(
    ("state", "context", "target"),
    [
        ("START", {}, None),
        ("START", {"ready": True}, "WORK"),
        ("START", {"over": True}, "DONE"),
        ("START", {"ready": True, "over": True}, "DONE"),
        ("WORK", {"ready": True, "over": True}, None),  # its way back is open, but has to be asked for
        ("DONE", {"ready": True}, "START"),
        ("NOWHERE", {"ready": True}, None),
    ],
)
def test_the_open_edge_of_highest_priority_is_taken_by_itself(state, context, target):
    assert MACHINE.next(state, context) == target


@pytest.mark.parametrize(
    ("state", "target", "context", "reason"),
    [
        ("START", "WORK", {"ready": 1}, None),
        ("START", "work", {"ready": 1}, None),
        ("START", "DONE", {"ready": 1}, None),
        ("WORK", "START", {}, None),
        ("DONE", "WORK", {"ready": 1}, None),
        ("START", "WORK", {}, "START leads to WORK only when ready, and that does not hold yet"),
        ("START", "DONE", {}, "START leads to DONE only when over or ready, and that does not hold yet"),
        ("WORK", "WORK", {}, "WORK does not lead to WORK; it leads to START, DONE"),
        ("START", "NOWHERE", {}, "there is no state 'NOWHERE'; states are START, WORK, DONE"),
        ("START", "", {}, "there is no state ''; states are START, WORK, DONE"),
        ("GONE", "WORK", {}, "the conversation is in the state 'GONE', which m does not have"),
        (None, "WORK", {}, "the conversation is in the state None, which m does not have"),
        ("WORK", "DONE", {}, "WORK leads to DONE only when breaks, and that does not hold yet"),
    ],
)
def test_a_state_that_is_asked_for_needs_an_open_edge(state, target, context, reason):
    refusal = MACHINE.may(state, target, context)

    assert (refusal.reason if refusal else None) == reason


def test_a_long_target_is_not_repeated_whole():
    refusal = MACHINE.may("START", "X" * 10_000, {})

    assert refusal is not None
    assert len(refusal.reason) < 200


@pytest.mark.parametrize(
    ("asked", "state"),
    [
        ("START", "START"),
        ("start", "START"),
        ("Start", "START"),
        ("DONE ", "DONE"),
        ("STA", None),
        ("", None),
        ("STARTS", None),
    ],
)
def test_a_state_is_found_whatever_its_spelling(asked, state):
    assert MACHINE.find(asked) == state


def test_a_state_is_found_with_spaces_and_hyphens():
    machine = StateMachine("m", "A_B", {"A_B": ()})

    assert machine.find("a b") == machine.find("A-B") == machine.find("A_B") == "A_B"


def test_a_condition_that_breaks_does_not_hold_and_is_logged(caplog):
    with caplog.at_level(logging.ERROR):
        assert MACHINE.next("WORK", {}) is None

    assert "the condition breaks failed" in caplog.text
    assert "KeyError" in caplog.text


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"initial": "NOWHERE"}, "initial state 'NOWHERE'"),
        ({"states": {}}, "initial state"),
        ({"states": {"START": "ASK"}}, "several names"),
        ({"states": {"START": (), "start": ()}}, "differ only in case"),
        ({"transitions": [Edge("START", "NOWHERE")]}, "names the state 'NOWHERE', which is not declared"),
        ({"transitions": [Edge("NOWHERE", "START")]}, "names the state 'NOWHERE'"),
        ({"transitions": [Edge("START", "WORK", when="never")]}, "condition 'never' is not registered"),
        ({"transitions": [Edge("START", "WORK"), Edge("START", "WORK", priority=2)]}, "declared twice"),
    ],
)
def test_a_machine_that_cannot_work_is_refused_when_declared(declared, told):
    with pytest.raises(DeclarationError, match=told):
        StateMachine(**({"name": "m", "initial": "START", "states": STATES} | declared))


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(DeclarationError) as caught:
        StateMachine("m", "X", {"A": ()}, [Edge("A", "Y", when="z")])

    assert all(each in str(caught.value) for each in ("'X'", "'Y'", "'z'"))
