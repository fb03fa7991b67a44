from __future__ import annotations

from typing import Any

import pytest

from actions.builtin.coach import drafts, machine, transition_state, user_info
from actions.context import ActionContext
from actions.directives import AppendContext, Result, SetContext, Transition
from actions.errors import Fail, InvalidArguments
from actions.params import bind
from actions.registry import Registry

REGISTRY = Registry.from_modules(["actions.builtin.coach"])
ALL = [
    "SAVE_USER_INFO", "SAVE_IDENTITY", "UPDATE_IDENTITY", "ACCEPT_IDENTITY", "MARK_INTRODUCTION_COMPLETE",
    "TRANSITION_STATE",
]  # fmt: skip
DRAFTS = [{"identity": name} for name in "abc"]


def run(name: str, arguments: dict[str, Any]) -> Any:
    one = REGISTRY.resolve(name)
    return one.invoke(bind(one, arguments), ActionContext("run_a1", name))


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        ("INTRODUCTION", {"SAVE_USER_INFO", "MARK_INTRODUCTION_COMPLETE", "TRANSITION_STATE"}),
        ("IDENTITY_BRAINSTORMING", {"SAVE_IDENTITY", "SAVE_USER_INFO", "TRANSITION_STATE"}),
        (
            "IDENTITY_REFINEMENT",
            {"SAVE_IDENTITY", "UPDATE_IDENTITY", "ACCEPT_IDENTITY", "SAVE_USER_INFO", "TRANSITION_STATE"},
        ),
        ("IDENTITY_VISUALIZATION", {"SAVE_USER_INFO", "TRANSITION_STATE"}),
        ("ACTION_PLANNING", {"SAVE_USER_INFO", "TRANSITION_STATE"}),
        ("ACCOUNTABILITY", {"SAVE_USER_INFO", "TRANSITION_STATE"}),
        ("SOMEWHERE", set()),
    ],
)
def test_each_state_allows_its_actions(state, allowed):
    assert {name for name in ALL if machine.allows(state, REGISTRY.resolve(name))} == allowed
    assert machine.allows(state, REGISTRY.resolve("NONE")) is (state != "SOMEWHERE")


@pytest.mark.parametrize(
    ("state", "context", "target"),
    [
        ("INTRODUCTION", {}, None),
        ("INTRODUCTION", {"introduction_completed": False}, None),
        ("INTRODUCTION", {"introduction_completed": True}, "IDENTITY_BRAINSTORMING"),
        ("IDENTITY_BRAINSTORMING", {"identities": DRAFTS[:2]}, None),
        ("IDENTITY_BRAINSTORMING", {"identities": DRAFTS}, "IDENTITY_REFINEMENT"),
        ("IDENTITY_BRAINSTORMING", {"identities": "abc"}, None),
        ("IDENTITY_BRAINSTORMING", {"identities": [DRAFTS[0], {"identity": "A"}, DRAFTS[1]]}, None),
        ("IDENTITY_REFINEMENT", {"identities": DRAFTS}, None),
        ("IDENTITY_REFINEMENT", {"identities_refined": True}, "IDENTITY_VISUALIZATION"),
        ("IDENTITY_VISUALIZATION", {}, None),
        ("IDENTITY_VISUALIZATION", {"visualization_completed": True}, "ACTION_PLANNING"),
        ("ACTION_PLANNING", {"action_items": []}, None),
        ("ACTION_PLANNING", {"action_items": ["run"]}, "ACCOUNTABILITY"),
        ("ACCOUNTABILITY", {"identities": DRAFTS, "action_items": ["run"]}, None),
    ],
)
def test_it_goes_on_when_a_condition_holds_and_never_back_by_itself(state, context, target):
    assert machine.next(state, context) == target


@pytest.mark.parametrize(
    "state", ["IDENTITY_REFINEMENT", "IDENTITY_VISUALIZATION", "ACTION_PLANNING", "ACCOUNTABILITY"]
)
def test_the_way_back_to_brainstorming_is_there_for_the_asking(state):
    assert machine.may(state, "IDENTITY_BRAINSTORMING", {}) is None


@pytest.mark.parametrize("value", ["work-life balance", 0, False, "", [], {}, 1.5, True, ["a"], {"a": None}])
def test_every_value_of_the_user_is_a_value(value):
    assert run("SAVE_USER_INFO", {"key": "goals", "value": value}) == Result(
        {"saved": "goals"}, (SetContext("user_info.goals", value),)
    )


def test_a_key_that_the_context_cannot_hold_is_told_to_the_model():
    with pytest.raises(InvalidArguments, match="line break"):
        run("SAVE_USER_INFO", {"key": "a\nb", "value": 1})


def test_an_identity_is_appended_to_the_drafts():
    draft = {"identity": "Creative Visionary", "category": "PASSIONS", "description": ""}

    assert run("SAVE_IDENTITY", {"identity": " Creative Visionary ", "category": "PASSIONS"}) == Result(
        {"saved": "Creative Visionary"}, (AppendContext("identities", draft),)
    )


SAVED = [
    {"identity": "Creative Visionary", "category": "PASSIONS", "description": ""},
    {"identity": "Quiet Builder", "category": "WORK", "description": ""},
]


async def refined(view: Any, name: str, **arguments: Any) -> Any:
    one = REGISTRY.resolve(name)
    ctx = ActionContext("run_a1", name, conversation=view(context={"identities": SAVED}))
    return await one.invoke(bind(one, arguments), ctx)


@pytest.mark.parametrize(
    ("name", "given", "change"),
    [
        ("UPDATE_IDENTITY", {"description": ""}, {"description": ""}),
        (
            "UPDATE_IDENTITY",
            {"description": "d", "category": "PLAY"},
            {"category": "PLAY", "description": "d"},
        ),
        ("ACCEPT_IDENTITY", {}, {"accepted": True}),
    ],
)
async def test_what_is_said_of_a_saved_identity_is_added_to_it(name, given, change, view):
    (directive,) = (await refined(view, name, identity="quiet builder", **given)).directives

    assert directive == AppendContext("identities", {"identity": "Quiet Builder"} | change)
    first, second = drafts({"identities": [*SAVED, directive.value]})
    assert (first, second) == (SAVED[0], SAVED[1] | change)


@pytest.mark.parametrize(
    ("name", "given"), [("UPDATE_IDENTITY", {"description": "d"}), ("ACCEPT_IDENTITY", {})]
)
async def test_an_identity_that_was_never_saved_is_an_error_that_says_what_there_is(name, given, view):
    told = "there is no identity 'Painter'; saved are Creative Visionary, Quiet Builder"
    with pytest.raises(Fail, match=told):
        await refined(view, name, identity="Painter", **given)
    one = REGISTRY.resolve(name)
    with pytest.raises(Fail, match="saved are none yet"):
        await one.invoke(bind(one, {"identity": "Painter", **given}), ActionContext("run_a1", name))


async def test_an_update_that_changes_nothing_is_an_error(view):
    with pytest.raises(Fail, match="nothing to change"):
        await refined(view, "UPDATE_IDENTITY", identity="Quiet Builder")


def test_drafts_are_read_from_whatever_stands_there():
    assert drafts({"identities": [5, {"category": "WORK"}, {"identity": 7}, SAVED[0]]}) == [SAVED[0]]
    assert drafts({"identities": "abc"}) == drafts({}) == []


def test_the_introduction_is_marked_complete():
    (directive,) = run("MARK_INTRODUCTION_COMPLETE", {}).directives

    assert directive == SetContext("introduction_completed", value=True)
    assert machine.next("INTRODUCTION", {directive.key: directive.value}) == "IDENTITY_BRAINSTORMING"


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("SAVE_USER_INFO", {"key": "goals"}, "value: is missing"),
        ("SAVE_USER_INFO", {"value": 0}, "key: is missing"),
        ("SAVE_USER_INFO", {"key": "goals", "value": None}, "value: null is no value"),
        ("SAVE_USER_INFO", {"key": " ", "value": 1}, "key: should have at least 1 character"),
        ("SAVE_USER_INFO", {"key": "k" * 65, "value": 1}, "key: should have at most 64 characters"),
        ("SAVE_USER_INFO", {"key": 5, "value": 1}, "key: a text is wanted"),
        ("SAVE_USER_INFO", {"key": "a", "value": 1, "user": "b"}, "user: is unknown"),
        ("SAVE_IDENTITY", {"category": "PASSIONS"}, "identity: is missing"),
        (
            "SAVE_IDENTITY",
            {"identity": "", "category": "PASSIONS"},
            "identity: should have at least 1 character",
        ),
        ("SAVE_IDENTITY", {"identity": "x", "category": "  "}, "category: should have at least 1 character"),
        ("SAVE_IDENTITY", {"identity": "x"}, "category: is missing"),
        ("MARK_INTRODUCTION_COMPLETE", {"x": 1}, "x: is unknown"),
        ("TRANSITION_STATE", {}, "target_state: is missing"),
        ("TRANSITION_STATE", {"target_state": ""}, "target_state: should have at least 1 character"),
    ],
)
def test_what_is_missing_or_empty_is_said(name, arguments, told):
    with pytest.raises(InvalidArguments, match=told):
        run(name, arguments)


async def moved(view: Any, target: str, **kept: Any) -> Any:
    ctx = ActionContext("run_a1", "TRANSITION_STATE", conversation=view(**kept))
    return await transition_state.invoke(bind(transition_state, {"target_state": target}), ctx)


@pytest.mark.parametrize(
    "target", ["IDENTITY_BRAINSTORMING", "identity brainstorming", "Identity-Brainstorming"]
)
async def test_a_legal_target_is_a_transition_decided_on_a_revision(target, view):
    result = await moved(
        view,
        target,
        state="INTRODUCTION",
        revision=7,
        machine=machine,
        context={"introduction_completed": True},
    )

    assert result.directives == (Transition("IDENTITY_BRAINSTORMING", 7),)
    assert result.value == {"from": "INTRODUCTION", "to": "IDENTITY_BRAINSTORMING"}
    assert transition_state.may_transition


async def test_a_state_that_it_is_in_already_is_no_transition(view):
    result = await moved(view, "identity refinement", state="IDENTITY_REFINEMENT", machine=machine)
    assert result.directives == ()


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("IDENTITY_BRAINSTORMING", "only when introduction_completed, and that does not hold yet"),
        (
            "ACCOUNTABILITY",
            "INTRODUCTION does not lead to ACCOUNTABILITY; it leads to IDENTITY_BRAINSTORMING",
        ),
        ("IDENTITY_DISCOVERY", "there is no state 'IDENTITY_DISCOVERY'; states are INTRODUCTION, "),
    ],
)
async def test_an_illegal_target_is_refused_with_its_reason(target, told, view):
    with pytest.raises(Fail, match=told):
        await moved(view, target, state="INTRODUCTION", machine=machine)


@pytest.mark.parametrize("kept", [{}, {"state": "INTRODUCTION"}, {"machine": machine}])
async def test_without_states_there_is_nowhere_to_go(kept, view):
    with pytest.raises(Fail, match="this conversation has no states"):
        await moved(view, "INTRODUCTION", **kept)
    with pytest.raises(Fail, match="this conversation has no states"):
        await transition_state("INTRODUCTION", ctx=ActionContext("run_a1", "TRANSITION_STATE"))


def test_what_is_known_of_the_user_is_read_back():
    context = {"user_info.goals": 0, "user_info.a.b": "", "identities": [], "user_infos": 1}

    assert user_info(context) == {"goals": 0, "a.b": ""}
