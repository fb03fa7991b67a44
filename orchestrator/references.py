"""Values that one call takes from the results of others: names in a reply to runs, and results to arguments.

Planning turns what a call or its action `uses` into runs that stand earlier; the worker fills the arguments in when
these have succeeded, and validates the whole. What cannot be known before is checked then; what can, at once. A
recorded result is read as a value in one place, `value_of`, whoever wants it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ValidationError, create_model
from pydantic_core import from_json

from actions.coercion import binder
from actions.errors import BadReference, InvalidArguments
from actions.messages import Status
from actions.params import bind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from actions.definition import Action
    from actions.messages import Payload
    from orchestrator.store.records import RunView

_DEEPEST: Final = 32
_SHOWN: Final = 80
_MISSING: Final = ": is missing and has no default"
_CUT: Final = {"truncated", "bytes", "shown"}
"""The keys of a result that was longer than the cap."""
_FOLLOWED: Final = {"result", "follow_ups"}
"""The keys of a result with those of its follow-ups."""


def needed(payload: Payload) -> tuple[str, ...]:
    """The runs whose results a run takes, each once; empty for most."""
    if not payload.uses and not payload.merge:
        return ()
    return tuple(dict.fromkeys((*payload.merge, *(run for _, run, _ in payload.uses))))


def filled(action: Action, payload: Payload, results: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a run with what it takes from the results of others; they are to be validated as any.

    What a chain was begun with comes first, then merged results, then references, then what the call gives itself: the
    later wins. Of the first two only what the action has parameters for is taken; a result that is no object is not
    merged.

    Args:
        action: what runs.
        payload: its own arguments, and what it takes from which runs.
        results: the values of the runs that `needed` names.

    Raises:
        BadReference: there is no such value in a result.
    """
    given = {key: value for key, value in payload.base.items() if key in action.keys}
    for run in payload.merge:
        result = results.get(run)
        if isinstance(result, dict):
            given |= {key: value for key, value in result.items() if key in action.keys}
    for parameter, run, path in payload.uses:
        if run not in results:
            raise BadReference(f"{parameter}: the result that it takes is not there")
        given[parameter] = at(results[run], path, parameter)
    return given | payload.arguments


def value_of(view: RunView) -> Any:
    """What the handler of a run that succeeded returned; what its follow-ups returned is no part of it.

    Raises:
        BadReference: the run has no result, or one that was too long to be kept whole.
    """
    if view.status != Status.SUCCEEDED:
        raise BadReference(f"{view.id} has no result to take anything from, it is {view.status}")
    value = from_json(view.result or "null")
    if isinstance(value, dict) and value.keys() == _FOLLOWED and (view.children or _joined(value)):
        value = value["result"]
    if isinstance(value, dict) and value.keys() == _CUT and value["truncated"] is True:
        raise BadReference(f"the result of {view.id} was too long to be kept whole")
    return value


def _joined(value: dict[str, Any]) -> bool:
    """Whether follow-ups stand in the result of a run that has none: it joined one that has (`dedupe`).

    Its own record does not say so; but those that stand there are numbered, and named after one and the same run.
    """
    told = value["follow_ups"]
    names = (
        [each.get("run") if isinstance(each, dict) else None for each in told]
        if isinstance(told, list)
        else []
    )
    parent = str(names[0]).removesuffix(".f0") if names else ""
    return parent.startswith("run_") and names == [f"{parent}.f{number}" for number in range(len(names))]


def at(value: Any, path: str, parameter: str) -> Any:
    """The part of a result that a path of keys and list positions names; all of it for an empty path.

    Raises:
        BadReference: there is no such part.
    """
    for step in path.split(".") if path else ():
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif (
            isinstance(value, list)
            and step.isascii()
            and step.isdecimal()
            and len(step) < _DEEPEST
            and int(step) < len(value)
        ):
            value = value[int(step)]
        else:
            raise BadReference(
                f"{parameter}: the result that it takes has no {path[:_SHOWN]!r}: "
                f"{step[:_SHOWN]!r} is not in {_kind(value)}"
            )
    return value


def parted(text: str) -> tuple[str, str]:
    """What a reference names, and the path inside its result: `SEARCH.items.0` is SEARCH and `items.0`."""
    name, _, path = text.partition(".")
    if not name or path.count(".") >= _DEEPEST or (path and not all(path.split("."))):
        raise BadReference(
            f"{text[:_SHOWN]!r} is no reference: write the name of an earlier call, or NAME.path.to.value"
        )
    return name, path


def bind_part(action: Action, arguments: Mapping[str, Any], later: Collection[str]) -> BaseModel | None:
    """Validate what is there already while the parameters `later` are still to come; None if that cannot be judged yet.

    What is still to come is None in the params.

    Raises:
        InvalidArguments: what is there is wrong already, or something is missing that nothing will bring.
    """
    try:
        return _part(action, frozenset(later))(arguments)
    except ValidationError as error:
        if all(not problem["loc"] for problem in error.errors(include_url=False)):
            return None  # a rule on several parameters: it is judged when all are there
    except Exception:  # noqa: BLE001 - a rule of the author's that cannot do without what is still to come
        return None
    raise _worded(action, arguments, later)


def _worded(action: Action, arguments: Mapping[str, Any], later: Collection[str]) -> InvalidArguments:
    try:
        bind(action, arguments)
    except InvalidArguments as error:
        awaited = {f"{key}{_MISSING}" for key in later}
        lines = [line for line in str(error).split("\n") if line not in awaited]
        return InvalidArguments("\n".join(lines) or str(error))
    return InvalidArguments("the arguments do not fit together")  # only with what is still to come


@lru_cache(maxsize=512)
def _part(action: Action, later: frozenset[str]) -> Callable[[Any], BaseModel]:
    """What validates the params without some of them."""
    fields = action.params.model_fields
    names = [
        name for name, field in fields.items() if (field.validation_alias or field.alias or name) in later
    ]
    awaited: dict[str, Any] = dict.fromkeys(names, (Any, None))
    part = create_model(action.params.__name__, __base__=action.params, **awaited)
    return binder(part, strict=action.strict)


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "the object"
    return "the list" if isinstance(value, list) else "a value without parts"
