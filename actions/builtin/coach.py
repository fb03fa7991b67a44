"""What a life coach does, and the state machine that says when.

In: what the model wants remembered. Out: directives on the conversation's context: nothing is kept anywhere
else, and each call writes keys of its own, so that the calls of one reply may run at once. The context then
holds:

    introduction_completed   true once the introduction is complete
    user_info.<key>          one JSON value for each thing the user told
    identities               a list of {"identity", "category", "description"}; a later entry of the same
                             identity changes what it names, also "accepted"; `drafts` reads them together
    identities_refined, visualization_completed, action_items   written by the product, read by the conditions
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from unicodedata import category

from pydantic import AfterValidator, StringConstraints

from actions.context import ActionContext
from actions.definition import action
from actions.directives import AppendContext, Result, SetContext, Transition
from actions.errors import Fail
from actions.names import normalise
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
_LISTED: Final = 20
_SHOWN: Final = 80


def _given(value: Any) -> Any:
    if value is None:
        raise ValueError("null is no value: leave the call out")
    return value


def _one_line(key: str) -> str:
    if any(category(letter) == "Cc" for letter in key):
        raise ValueError("a key holds no line break and no other control character")
    return key


Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Key = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(_one_line)
]
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


@action("UPDATE_IDENTITY", category=_CATEGORY)
async def update_identity(  # noqa: D417 - ctx is no argument of the call
    identity: Words, ctx: ActionContext, category: Words | None = None, description: str | None = None
) -> Result:
    """Change what is said about an identity that was saved before.

    Args:
        identity: The identity, in the words it was saved with.
        category: Another part of life.
        description: Another description; an empty one takes it away.
    """
    named = await _saved(identity, ctx)
    given = {"category": category, "description": description}
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes:
        raise Fail("nothing to change: give a category or a description")
    return Result({"updated": named}, (AppendContext("identities", {"identity": named, **changes}),))


@action("ACCEPT_IDENTITY", category=_CATEGORY)
async def accept_identity(identity: Words, ctx: ActionContext) -> Result:  # noqa: D417 - ctx is no argument of the call
    """Note that the user takes a saved identity as their own.

    Args:
        identity: The identity, in the words it was saved with.
    """
    named = await _saved(identity, ctx)
    return Result({"accepted": named}, (AppendContext("identities", {"identity": named, "accepted": True}),))


async def _saved(identity: str, ctx: ActionContext) -> str:
    """Return the identity as it was saved; one that was never saved is an error that says what there is."""
    known = drafts(await ctx.conversation.context()) if ctx.conversation else []
    for draft in known:
        if normalise(draft["identity"]) == normalise(identity):
            return str(draft["identity"])
    names = ", ".join(draft["identity"] for draft in known[:_LISTED])
    raise Fail(f"there is no identity {identity[:_SHOWN]!r}; saved are {names or 'none yet'}")


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
    if view.machine.find(target_state) == view.state:
        return Result({"from": view.state, "to": view.state})  # it went there by itself before it was asked
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


def drafts(context: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each identity once, in the order they were saved, with what was said of it last."""
    found: dict[str, dict[str, Any]] = {}
    for entry in _listed(context, "identities"):
        if isinstance(entry, dict) and isinstance(name := entry.get("identity"), str):
            found.setdefault(normalise(name), {}).update(entry)
    return list(found.values())


def _listed(context: Mapping[str, Any], key: str) -> list[Any]:
    value = context.get(key)
    return value if isinstance(value, list) else []


_TALK: Final = ("SAVE_USER_INFO", "TRANSITION_STATE")
_DRAFT: Final = ("SAVE_IDENTITY", *_TALK)
_REFINE: Final = ("UPDATE_IDENTITY", "ACCEPT_IDENTITY", *_DRAFT)

machine: Final = StateMachine(
    "coach",
    initial=INTRODUCTION,
    states={
        INTRODUCTION: ("MARK_INTRODUCTION_COMPLETE", *_TALK),
        IDENTITY_BRAINSTORMING: _DRAFT,
        IDENTITY_REFINEMENT: _REFINE,
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
        "enough_drafts": lambda context: len(drafts(context)) >= MIN_DRAFTS,
        "identities_refined": lambda context: context.get("identities_refined") is True,
        "visualization_completed": lambda context: context.get("visualization_completed") is True,
        "has_action_items": lambda context: len(_listed(context, "action_items")) >= 1,
    },
)
