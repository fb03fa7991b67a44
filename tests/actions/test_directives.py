"""A directive that cannot be applied is an error where it is made: in the handler, not later in the worker."""

from __future__ import annotations

import pytest

from actions.directives import (
    AppendContext,
    Complete,
    Continue,
    FollowUp,
    Remember,
    Result,
    SetContext,
    SetParticipant,
    Transition,
)
from actions.errors import Fail, Stop

NAMES = {"Transition: target": lambda text: Transition(text, 1)} | {
    f"{made.__name__}: key": lambda text, made=made: made(text, 1) for made in (SetContext, AppendContext)
}
NAMES |= {"FollowUp: action": FollowUp, "SetParticipant: name": lambda text: SetParticipant(text, "")}


@pytest.mark.parametrize("what", NAMES)
@pytest.mark.parametrize("text", [None, 5, b"x", ["x"], True])
def test_what_names_something_is_a_str(what, text):
    with pytest.raises(TypeError, match=rf"^{what} has to be a str, not {type(text).__name__}$"):
        assert NAMES[what](text) is not None


@pytest.mark.parametrize("what", NAMES)
@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "is empty"), ("x" * 201, "201 characters"), ("a\nb", "control character"), ("\0", "control character"),
        ("a\x7f", "control character"), ("a\x85", "control character"), ("a\ud800", "surrogate"),
    ],
)  # fmt: skip
def test_a_name_that_no_record_can_hold_is_refused(what, text, wrong):
    with pytest.raises(ValueError, match=rf"^{what} .*{wrong}"):
        NAMES[what](text)


@pytest.mark.parametrize("what", NAMES)
@pytest.mark.parametrize("text", ["x", "user_info.first name", "ä€𝄞", "x" * 200])
def test_a_name_is_any_other_text(what, text):
    NAMES[what](text)


@pytest.mark.parametrize("revision", [None, "3", 3.0, True])
def test_a_revision_is_a_whole_number(revision):
    with pytest.raises(TypeError, match="revision has to be an int"):
        Transition("NEXT", revision)


def test_a_revision_is_never_negative():
    with pytest.raises(ValueError, match="0 or more"):
        Transition("NEXT", -1)


# Follow-ups, memory, participants


def test_a_follow_up_keeps_the_arguments_it_was_made_with():
    arguments = {"ticker": "ACME"}
    one = FollowUp("GET_QUOTE", arguments)
    arguments["ticker"] = "OTHER"

    assert one.arguments == {"ticker": "ACME"}
    assert FollowUp("NONE").arguments == {}


@pytest.mark.parametrize("arguments", [None, "text", [("a", 1)], {5: 1}, {"a": 1, None: 2}])
def test_arguments_of_a_follow_up_have_names(arguments):
    with pytest.raises(TypeError, match=r"^FollowUp: arguments"):
        FollowUp("GET_QUOTE", arguments)


@pytest.mark.parametrize("state", ["", "followed", "muted", None])
def test_a_participant_has_a_state_or_leaves(state):
    assert SetParticipant("ann", state).state == state


@pytest.mark.parametrize("state", ["FOLLOWED", "gone", 0, False, ["muted"]])
def test_a_participant_has_no_other_state(state):
    with pytest.raises(ValueError, match=r"^SetParticipant: state has to be one of"):
        SetParticipant("ann", state)


@pytest.mark.parametrize("given", [[Continue()], Continue(), ("continue",), None])
def test_directives_are_a_tuple_of_directives(given):
    for made in (lambda: Result(1, given), lambda: Fail("no", given), lambda: Stop("no", given)):
        with pytest.raises(TypeError, match="directives has to be a tuple of directives"):
            made()


def test_a_result_and_a_failure_carry_any_directive():
    every = (
        Transition("NEXT", 1), SetContext("a", 1), AppendContext("a", 1), Complete(), Continue(), FollowUp("NONE"),
        Remember(None), SetParticipant("ann", None),
    )  # fmt: skip

    assert (
        Result(1, every).directives == Fail("no", every).directives == Stop("no", every).directives == every
    )
