"""The arguments of a run on their way to its handler: gathered from other results, hooked, validated, preprocessed.

In: a flight whose arguments are not all in its payload, or whose action has something around them. Out: its params, as
the handler gets them. Hooks look at them once for a run: what was left is kept for the attempts that follow, for an
approval, for its undo and its on_error. Kept is what the params were made of, so that no rule of the action meets its
own result.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel
from pydantic_core import from_json, to_json

from actions.canonical import canonical, plain
from actions.errors import BadReference, InvalidArguments, OperatorError, Postpone
from actions.params import bind
from orchestrator.references import bind_part, filled, needed, value_of
from workers import hooks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actions.definition import Action
    from actions.messages import Payload
    from orchestrator.store.records import RunView
    from orchestrator.store.store import Store
    from workers.context import RunContext
    from workers.flight import Flight
    from workers.means import Means

LATER: Final = "500ms"
"""How long a run waits that needs the store, and cannot reach it."""
PAUSE_S: Final = 0.5
"""Seconds between two looks for the store by what cannot be put off."""


class StoreAway(Postpone):
    """The store cannot be asked at this moment: nobody's fault, and no try."""


def are_plain(flight: Flight, action: Action) -> bool:
    """Whether a payload's own arguments, validated, are what the handler gets."""
    payload = flight.payload
    return not (action.hooks_arguments or action.preprocessor or payload.uses or payload.merge)


def are_kept(action: Action, payload: Payload) -> bool:
    """Whether the params are made once for a run, and what they were made of goes with its end."""
    aside = action.undoer is not None or action.rescuer is not None
    return bool(
        action.hooks_arguments
        or action.approval is not None
        or (payload.uses or payload.merge)
        or (action.preprocessor is not None and aside)
    )


async def bound(flight: Flight, action: Action, ctx: RunContext, means: Means) -> BaseModel:
    """The params of a run, wherever its arguments come from; those that its guards were made of go to the flight.

    Raises:
        BadReference: a result that it takes something from is not there, or does not hold it.
        InvalidArguments: they are not what the action takes.
        HookFailed, Fail: one of the hooks broke, or the preprocessor.
        StoreAway: the store cannot be asked at this moment.
    """
    if flight.run.hooked:
        flight.keep(flight.run.hooked)
        params = bind(action, from_json(flight.run.hooked))
        flight.params = _planned(action, flight.payload) or params
        return params
    given = await _gathered(flight, action, means.store)
    if action.hooks_arguments:
        flight.params = _valid(action, given)
        given, params = await _hooked(given, flight, action, ctx, means)
        flight.params = flight.params or params
    else:
        flight.params = params = bind(action, given)
    if action.preprocessor is not None:
        given = await hooks.called("preprocessor", plain(params), flight, action, ctx, means.threads)
        if are_kept(action, flight.payload):
            given = _json("preprocessor", given, action)
        params = bind(action, given)
    if not are_kept(action, flight.payload):
        return params
    given, params = _settled(action, given, params)
    flight.keep(to_json(given).decode())
    return params


async def read(runs: Iterable[str], store: Store) -> dict[str, RunView]:
    """Those of these runs that have a record; raise StoreAway if the store cannot be asked."""
    try:
        views = await store.runs.read_all(list(runs))
    except OperatorError as error:
        raise StoreAway(LATER, str(error)) from error
    return {view.id: view for view in views if view is not None}


async def _gathered(flight: Flight, action: Action, store: Store) -> dict[str, Any]:
    payload = flight.payload
    if not (names := needed(payload)):
        return payload.arguments
    views = await _read_surely(names, store) if flight.run.rescue else await read(names, store)
    for name in names:
        if name not in views:
            raise BadReference(f"the result of {name} is gone")
    return filled(action, payload, {name: value_of(views[name]) for name in names})


async def _read_surely(runs: Iterable[str], store: Store) -> dict[str, RunView]:
    """`read`, for what is called once and cannot be put off."""
    while True:
        try:
            return await read(runs, store)
        except StoreAway:
            await asyncio.sleep(PAUSE_S)


async def _hooked(
    given: dict[str, Any], flight: Flight, action: Action, ctx: RunContext, means: Means
) -> tuple[dict[str, Any], BaseModel]:
    """Let the hooks around the arguments have their say: the arguments that they leave, and the params of these."""
    if action.hook_before_validate is not None:
        made: Any = await hooks.called("before_validate", dict(given), flight, action, ctx, means.threads)
        if not isinstance(made, dict):
            how = f"failed: it returned a {type(made).__name__}, not a dict"
            raise hooks.broken("before_validate", action, how)
        given = _json("before_validate", made, action)
    params = bind(action, given)
    if action.hook_after_validate is None:
        return given, params
    before = _told(params)
    said = await hooks.called("after_validate", params, flight, action, ctx, means.threads)
    after: Any = params if said is None else said
    if isinstance(after, action.params) and _told(after) == before:
        return given, after  # it left them; validated again they might not be the same
    if not isinstance(after, dict | BaseModel):
        how = f"failed: it returned a {type(after).__name__}, no params and no dict"
        raise hooks.broken("after_validate", action, how)
    given = _json("after_validate", after, action)
    return given, bind(action, given)


def _json(which: str, given: Any, action: Action) -> Any:
    """What one of them left, as a record keeps it and gives it back."""
    try:
        return from_json(to_json(plain(given)))
    except (ValueError, RecursionError) as error:
        raise hooks.broken(which, action, "failed: what it returned has no JSON form") from error


def _settled(action: Action, given: dict[str, Any], params: BaseModel) -> tuple[dict[str, Any], BaseModel]:
    """Arguments that make the same params each time, and these: a default may be a time, or a new id."""
    if chosen := _chosen(params):
        given = {**given, **chosen}
        params = bind(action, given)
    if _told(bind(action, given)) != _told(params):  # one that lies deeper
        given = plain(params)
        params = bind(action, given)
    return given, params


def _chosen(params: BaseModel) -> dict[str, Any]:
    """Values that nobody gave and that may be others the next time."""
    found: dict[str, Any] = {}
    for name, field in type(params).model_fields.items():
        key = field.validation_alias or field.alias or name
        if field.default_factory is not None and name not in params.model_fields_set and isinstance(key, str):
            found[key] = plain(getattr(params, name))
    return found


def _told(params: BaseModel) -> str | None:
    """What equal params have in common; None if they hold what JSON has no form for."""
    try:
        return canonical(params)
    except ValueError:
        return None


def _planned(action: Action, payload: Payload) -> BaseModel | None:
    """What the guards of the run were made of, before hooks and preprocessor; None if only the hooks made it valid."""
    if not payload.uses and not payload.merge:
        return _valid(action, payload.arguments)
    later = {parameter for parameter, _, _ in payload.uses}
    if payload.merge:
        later |= set(action.keys)
    try:
        return bind_part(action, payload.arguments, later - payload.arguments.keys())
    except InvalidArguments:
        return None


def _valid(action: Action, given: dict[str, Any]) -> BaseModel | None:
    try:
        return bind(action, given)
    except InvalidArguments:
        return None
