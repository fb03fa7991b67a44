"""A directive that cannot be applied is an error where it is made: in the handler, not later in the worker."""

from __future__ import annotations

import pytest

from actions.directives import AppendContext, SetContext, Transition

NAMES = {"Transition: target": lambda text: Transition(text, 1)} | {
    f"{made.__name__}: key": lambda text, made=made: made(text, 1) for made in (SetContext, AppendContext)
}


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
