"""The arguments of a run on their way to its handler: gathered from other results, seen by hooks, validated.

In: a flight whose arguments are not all in its payload, or whose action has hooks around them. Out: its params. The
hooks look at them once for a run: what they left is kept for the attempts that follow, and for its undo.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel
from pydantic_core import from_json, to_json

from actions.canonical import plain
from actions.errors import BadReference, Fail, InvalidArguments, OperatorError, Postpone
from actions.messages import Status
from actions.params import bind
from orchestrator.references import filled, needed
from workers import hooks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actions.definition import Action
    from orchestrator.store.records import RunView
    from orchestrator.store.store import Store
    from workers.context import RunContext
    from workers.flight import Flight
    from workers.means import Means

LATER: Final = "500ms"
"""How long a run waits that needs the store, and cannot reach it."""
PAUSE_S: Final = 0.5
"""Seconds between two looks for the store by what cannot be put off."""
_CUT: Final = {"truncated", "bytes", "shown"}
"""The keys of a result that was longer than the cap."""


def are_plain(flight: Flight, action: Action) -> bool:
    """Whether a payload's own arguments are all that there is to validate."""
    payload = flight.payload
    return not (action.hooks_arguments or payload.uses or payload.merge)


async def bound(flight: Flight, action: Action, ctx: RunContext, means: Means) -> BaseModel:
    """The params of a run, wherever its arguments come from; those that its guards were made of go to the flight.

    Raises:
        BadReference: a result that it takes something from is not there, or does not hold it.
        InvalidArguments: they are not what the action takes.
        Fail: one of the hooks broke.
        Postpone: the store cannot be asked at this moment.
    """
    if flight.run.hooked:
        flight.keep(flight.run.hooked)
        params = bind(action, from_json(flight.run.hooked))
        flight.params = _planned(action, flight.payload.arguments) or params
        return params
    if are_plain(flight, action):
        flight.params = params = bind(action, flight.payload.arguments)
        return params
    given = await _gathered(flight, action, means.store)
    if not action.hooks_arguments:
        flight.params = params = bind(action, given)
        return params
    params = await _hooked(given, flight, action, ctx, means)
    flight.params = _planned(action, given) or params
    keep(flight, params)
    return params


def keep(flight: Flight, params: BaseModel) -> None:
    """Let the attempts that follow have exactly these params, and the run's undo too."""
    flight.keep(to_json(plain(params)).decode())


async def read(runs: Iterable[str], store: Store) -> dict[str, RunView]:
    """Those of these runs that have a record; raise Postpone if the store cannot be asked."""
    try:
        views = await store.runs.read_all(list(runs))
    except OperatorError as error:
        raise Postpone(LATER, str(error)) from error
    return {view.id: view for view in views if view is not None}


async def _gathered(flight: Flight, action: Action, store: Store) -> dict[str, Any]:
    payload = flight.payload
    if not (names := needed(payload)):
        return payload.arguments
    views = await _read_surely(names, store) if flight.run.rescue else await read(names, store)
    return filled(action, payload, {name: _value(views.get(name), name) for name in names})


async def _read_surely(runs: Iterable[str], store: Store) -> dict[str, RunView]:
    """`read`, for what is called once and cannot be put off."""
    while True:
        try:
            return await read(runs, store)
        except Postpone:
            await asyncio.sleep(PAUSE_S)


def own_result(view: RunView) -> Any:
    """What the handler of a run that succeeded returned; the results of its follow-ups stand beside it."""
    value = from_json(view.result or "null")
    return value.get("result") if view.children and isinstance(value, dict) else value


def _value(view: RunView | None, name: str) -> Any:
    """The whole result of a run that succeeded."""
    if view is None:
        raise BadReference(f"the result of {name} is gone")
    if view.status != Status.SUCCEEDED:
        raise BadReference(f"{name} has no result to take anything from, it is {view.status}")
    value = own_result(view)
    if isinstance(value, dict) and value.keys() == _CUT and value["truncated"] is True:
        raise BadReference(f"the result of {name} was too long to be kept whole")
    return value


async def _hooked(
    given: dict[str, Any], flight: Flight, action: Action, ctx: RunContext, means: Means
) -> BaseModel:
    """Let the hooks around the arguments have their say; what comes from them is validated as any."""
    if action.hook_before_validate is not None:
        given = await hooks.called("before_validate", dict(given), flight, action, ctx, means.threads)
        if not isinstance(given, dict):
            raise Fail(
                f"the before_validate of {action.name} failed: it returned a {type(given).__name__}, not a dict"
            )
    params = bind(action, given)
    if action.hook_after_validate is None:
        return params
    after = await hooks.called("after_validate", params, flight, action, ctx, means.threads)
    if after is None:
        return params
    if not isinstance(after, dict | BaseModel):
        raise Fail(
            f"the after_validate of {action.name} failed: it returned a {type(after).__name__}, no params and no dict"
        )
    return bind(action, plain(after))


def _planned(action: Action, given: dict[str, Any]) -> BaseModel | None:
    """What the guards of the run were made of, before its hooks; None if only they made it valid."""
    try:
        return bind(action, given)
    except InvalidArguments:
        return None
