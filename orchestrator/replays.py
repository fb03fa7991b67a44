"""What a replay of a dead run is made of: its record in; the arguments that the new run gets out, or why there is none.

A replay never gets other arguments than a person can know of: those of an edit, or the run's own with what it took from
other runs, as long as that is whole and holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from pydantic_core import from_json

from actions.errors import BadReference, ChainOnly
from orchestrator.references import filled, needed, value_of

if TYPE_CHECKING:
    from actions.definition import Action
    from actions.messages import Payload
    from orchestrator.store.dead import DeadRun
    from orchestrator.store.records import RunView
    from orchestrator.store.store import Store

_EDIT: Final = "give it all of its arguments by an edit first"


def check_alone(action: Action) -> None:
    """Raise ChainOnly for an action that has no life outside a chain: there is nothing to replay it in."""
    if action.chain is not None:
        raise ChainOnly(f"{action.name} runs only in a chain, so it has no replay: start the chain anew")


async def arguments_of(record: DeadRun, payload: Payload, action: Action, store: Store) -> dict[str, Any]:
    """The arguments of a replay: those that a person gave it, or its own, with what they took from other runs.

    Raises:
        BadReference: a result that it takes something from is gone, was cut, or does not hold any more.
    """
    if record.edited:
        return cast("dict[str, Any]", from_json(record.edited))
    if not (others := needed(payload)):
        return payload.arguments
    views = await store.runs.read_all(others)
    results = {run: _taken(run, view) for run, view in zip(others, views, strict=True)}
    return filled(action, payload, results)


def _taken(run: str, view: RunView | None) -> Any:
    """The result of a run that a dead one took something from, whole and in effect."""
    if view is None:
        raise BadReference(f"it takes the result of {run}, which is not kept any more: {_EDIT}")
    if view.undo is not None:
        raise BadReference(
            f"it takes the result of {run}, whose chain has failed (undo: {view.undo}): {_EDIT}"
        )
    try:
        return value_of(view)
    except BadReference as error:
        raise BadReference(f"{error}: {_EDIT}") from None
