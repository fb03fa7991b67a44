"""Actions: what may be called here, and the same as tools for a provider."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query

from actions.catalogue import entry
from actions.errors import ConfigError, UnknownAction
from actions.tools import export
from orchestrator.api import ownership
from orchestrator.api.auth import Reader
from orchestrator.api.given import TheHouse
from orchestrator.api.guarding import Router
from orchestrator.api.problems import Problem
from orchestrator.offers import allowed, offered
from orchestrator.wire import ActionCard, Catalogue, ToolProblem, Tools

router = Router(tags=["actions"])

_LONGEST = 500
"""Characters of the names that an unknown one is answered with."""

Format = Literal["openai", "openai-strict", "anthropic", "gemini", "mcp"]


@router.get(
    "/v1/actions",
    summary="List actions, or tools",
    responses={404: {"description": "There is no such conversation."}},
)
async def list_actions(
    caller: Reader,
    house: TheHouse,
    tools: Annotated[Format | None, Query(description="As tools for this provider.")] = None,
    conversation: Annotated[
        str | None, Query(max_length=120, description="Only what a model may call in this conversation now.")
    ] = None,
) -> Catalogue | Tools:
    """The actions that there are; as tools those that a model may call, with the caller's permissions."""
    if conversation is not None:
        found = await ownership.conversation(house, caller, conversation)
        try:
            chosen = offered(house.registry, found)
        except ConfigError:  # this process does not have its machine
            chosen = []
    elif tools is not None:
        chosen = allowed(house.registry, permissions=caller.permissions)
    else:
        chosen = list(house.registry.actions)
    if tools is None:
        return Catalogue(actions=tuple(ActionCard.model_validate(entry(each)) for each in chosen))
    exported = export(chosen, tools)
    problems = tuple(ToolProblem.model_validate(each) for each in exported.problems)
    return Tools(format=exported.format, tools=tuple(exported.tools), problems=problems)


@router.get("/v1/actions/{name}", summary="Read an action")
async def read_action(
    name: Annotated[str, Path(max_length=200, description="Its name, or a simile.")],
    _caller: Reader,
    house: TheHouse,
) -> ActionCard:
    """What there is to know of it."""
    try:
        return ActionCard.model_validate(entry(house.registry.resolve(name)))
    except UnknownAction as error:
        raise Problem("not_found", f"{error}"[:_LONGEST]) from None
