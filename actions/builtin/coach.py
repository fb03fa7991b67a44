"""What a life coach does, and the state machine that says when.

In: what the model wants remembered. Out: directives on the conversation's context: nothing is kept anywhere
else, and each call writes keys of its own, so that the calls of one reply may run at once. The context then
holds:

    introduction_completed   true once the introduction is complete
    user_info.<key>          one JSON value for each thing the user told
    identities               a list of {"identity", "category", "description"}
    identities_refined, visualization_completed, action_items   written by the product, read by the conditions
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, StringConstraints

from actions.context import ActionContext
from actions.definition import action
from actions.directives import AppendContext, Result, SetContext, Transition
from actions.errors import Fail
from actions.states import Edge, StateMachine

MIN_DRAFTS: Final = 3
"""So many identities are drafted before they are refined."""

INTRODUCTION: Final = "INTRODUCTION"
IDENTITY_BRAINSTORMING: Final = "IDENTITY_BRAINSTORMING"
IDENTITY_REFINEMENT: Final = "IDENTITY_REFINEMENT"
IDENTITY_VISUALIZATION: Final = "IDENTITY_VISUALIZATION"
ACTION_PLANNING: Final = "ACTION_PLANNING"
ACCOUNTABILITY: Final = "ACCOUNTABILITY"

_CATEGORY: Final = "coach"
_USER_INFO: Final = "user_info."


def _given(value: Any) -> Any:
    if value is None:
        raise ValueError("null is no value: leave the call out")
    return value


Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Key = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Given = Annotated[Any, AfterValidator(_given)]


@action("SAVE_USER_INFO", category=_CATEGORY)
def save_user_info(key: Key, value: Given) -> Result:
    """Remember one thing that the user told about themselves.

    Args:
        key: What it is about, for example "goals".
        value: What the user said: a text, a number, true or false, a list or an object.
    """
    return Result({"saved": key}, (SetContext(_USER_INFO + key, value),))


@action("SAVE_IDENTITY", category=_CATEGORY)
def save_identity(identity: Words, category: Words, description: str = "") -> Result:
    """Add an identity that the user may want to grow into to the drafts.

    Args:
        identity: The identity in a few words, for example "Creative Visionary".
        category: The part of life it belongs to, for example "PASSIONS".
        description: What it means to the user.
    """
    draft = {"identity": identity, "category": category, "description": description}
    return Result({"saved": identity}, (AppendContext("identities", draft),))


@action("MARK_INTRODUCTION_COMPLETE", category=_CATEGORY)
def mark_introduction_complete() -> Result:
    """Note that the introduction is complete, so that brainstorming may begin."""
    return Result({"introduction_completed": True}, (SetContext("introduction_completed", value=True),))


@action("TRANSITION_STATE", category=_CATEGORY, may_transition=True)
async def transition_state(target_state: Words, ctx: ActionContext) -> Result:  # noqa: D417 - ctx is no argument of the call
    """Ask to move the conversation on to another state.

    Args:
        target_state: The state to move to, for example "IDENTITY_BRAINSTORMING".
    """
    view = ctx.conversation
    if view is None or view.machine is None or view.state is None:
        raise Fail("this conversation has no states")
    revision = view.revision  # before the context is read: what changes meanwhile is a conflict
    refusal = view.machine.may(view.state, target_state, await view.context())
    if refusal is not None:
        raise Fail(refusal.reason)
    target = view.machine.find(target_state) or target_state
    return Result({"from": view.state, "to": target}, (Transition(target, revision),))


def user_info(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is remembered of the user, by key."""
    return {
        key.removeprefix(_USER_INFO): value for key, value in context.items() if key.startswith(_USER_INFO)
    }


def _listed(context: Mapping[str, Any], key: str) -> int:
    value = context.get(key)
    return len(value) if isinstance(value, list) else 0


_TALK: Final = ("SAVE_USER_INFO", "TRANSITION_STATE")
_DRAFT: Final = ("SAVE_IDENTITY", *_TALK)

machine: Final = StateMachine(
    "coach",
    initial=INTRODUCTION,
    states={
        INTRODUCTION: ("MARK_INTRODUCTION_COMPLETE", *_TALK),
        IDENTITY_BRAINSTORMING: _DRAFT,
        IDENTITY_REFINEMENT: _DRAFT,
        IDENTITY_VISUALIZATION: _TALK,
        ACTION_PLANNING: _TALK,
        ACCOUNTABILITY: _TALK,
    },
    transitions=(
        Edge(INTRODUCTION, IDENTITY_BRAINSTORMING, when="introduction_completed", priority=10),
        Edge(IDENTITY_BRAINSTORMING, IDENTITY_REFINEMENT, when="enough_drafts", priority=10),
        Edge(IDENTITY_REFINEMENT, IDENTITY_VISUALIZATION, when="identities_refined", priority=10),
        Edge(IDENTITY_VISUALIZATION, ACTION_PLANNING, when="visualization_completed", priority=10),
        Edge(ACTION_PLANNING, ACCOUNTABILITY, when="has_action_items", priority=10),
        Edge(IDENTITY_REFINEMENT, IDENTITY_BRAINSTORMING),
        Edge(IDENTITY_VISUALIZATION, IDENTITY_BRAINSTORMING),
        Edge(ACTION_PLANNING, IDENTITY_BRAINSTORMING),
        Edge(ACCOUNTABILITY, IDENTITY_BRAINSTORMING),
    ),
    conditions={
        "introduction_completed": lambda context: context.get("introduction_completed") is True,
        "enough_drafts": lambda context: _listed(context, "identities") >= MIN_DRAFTS,
        "identities_refined": lambda context: context.get("identities_refined") is True,
        "visualization_completed": lambda context: context.get("visualization_completed") is True,
        "has_action_items": lambda context: _listed(context, "action_items") >= 1,
    },
)
