"""The arguments of a run on their way to its handler: gathered from other results, hooked, validated, preprocessed.

In: a flight whose arguments are not all in its payload, or whose action has something around them. Out: its params, as
the handler gets them. Hooks look at them once for a run: what was left is kept for the attempts that follow, for an
approval, for its undo and its on_error. Kept is what the params were made of, so that no rule of the action meets its
own result.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel
from pydantic_core import from_json, to_json

from actions.canonical import plain
from actions.errors import BadReference, InvalidArguments, OperatorError, Postpone
from actions.params import bind
from orchestrator.references import bind_part, filled, needed, value_of
from workers import hooks, kept

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actions.definition import Action
    from actions.messages import Payload
    from orchestrator.store.records import RunView
    from orchestrator.store.store import Store
    from workers.context import RunContext
    from workers.flight import Flight
    from workers.means import Means

log: Final = logging.getLogger("umbel.execution")

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
        params = kept.read_again(action, flight.run.hooked)
        flight.params = _planned(action, flight.payload) or params
        return params
    given = await _gathered(flight, action, means.store)
    if action.hooks_arguments:
        flight.params = kept.valid(action, given)
        given, params = await _hooked(given, flight, action, ctx, means)
        flight.params = flight.params or params
    else:
        flight.params = params = bind(action, given)
    keeps = are_kept(action, flight.payload)
    if action.preprocessor is not None:
        given = made = await hooks.called("preprocessor", plain(params), flight, action, ctx, means.threads)
        if keeps:
            given = _json("preprocessor", made, action)
        params = _bound("preprocessor", made, given, action)
    if not keeps:
        return params
    given, params = kept.settled(action, given, params)
    flight.keep(kept.text_of(action, given, params))
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
        params = _bound("before_validate", made, given, action)
    else:
        params = bind(action, given)
    if action.hook_after_validate is None:
        return given, params
    given, params = kept.settled(action, given, params)
    before, dump = plain(params), kept.by_keys(action, _dump(params))
    said = await hooks.called("after_validate", params, flight, action, ctx, means.threads)
    after: Any = params if said is None else said
    if not isinstance(after, dict | BaseModel):
        how = f"failed: it returned a {type(after).__name__}, no params and no dict"
        raise hooks.broken("after_validate", action, how)
    if isinstance(after, dict):
        after = {
            key: before[key] if key in dump and dump[key] == value else value
            for key, value in kept.by_keys(action, after).items()
        }
    elif not kept.unlike(after, before):
        return given, bind(action, given)
    return _left(given, before, _json("after_validate", after, action), action)


def _dump(params: BaseModel) -> dict[str, Any]:
    """What a hook gets that dumps its params: what it returns of that as it was, it has left alone."""
    try:
        return params.model_dump()
    except Exception:  # noqa: BLE001 - a serializer of the author's that breaks: then nothing is known to be left
        return {}


def _left(
    given: dict[str, Any], before: dict[str, Any], after: dict[str, Any], action: Action
) -> tuple[dict[str, Any], BaseModel]:
    """The arguments that become what an after_validate left: what it did not change stays as it was given."""
    wrong: InvalidArguments | None = None
    for deep in (True, False):
        laid = kept.overlaid(given, before, after, deep=deep)
        try:
            params = bind(action, laid)
        except InvalidArguments as error:
            wrong = error
            continue
        if kept.holds(plain(params), after):
            return laid, params
    how = "failed: what it returned is read as something else; change that in before_validate"
    if wrong is not None:
        log.warning("what the after_validate of %s returned does not fit: %s", action.name, wrong)
    raise hooks.broken("after_validate", action, how) from wrong


def _bound(which: str, made: Any, given: Any, action: Action) -> BaseModel:
    """The params of what one of them left, as it will be kept; what fits only as long as it is not, is its mistake."""
    try:
        return bind(action, given)
    except InvalidArguments as error:
        if given is made or kept.valid(action, made) is None:
            raise
        log.warning("what the %s of %s returned does not fit as JSON: %s", which, action.name, error)
        raise hooks.broken(which, action, "failed: what it returned cannot be kept as JSON") from error


def _json(which: str, given: Any, action: Action) -> Any:
    """What one of them left, as a record keeps it and gives it back."""
    try:
        return from_json(to_json(plain(given)))
    except (ValueError, RecursionError) as error:
        raise hooks.broken(which, action, "failed: what it returned has no JSON form") from error


def _planned(action: Action, payload: Payload) -> BaseModel | None:
    """What the guards of the run were made of, before hooks and preprocessor; None if only the hooks made it valid."""
    if not payload.uses and not payload.merge:
        return kept.valid(action, payload.arguments)
    later = {parameter for parameter, _, _ in payload.uses}
    if payload.merge:
        later |= set(action.keys)
    try:
        return bind_part(action, payload.arguments, later - payload.arguments.keys())
    except InvalidArguments:
        return None
