"""May this call run? What its principal may do, then what its own validator says.

In: an action, its params and the context. Out: None, or a Refuse with a reason for the model. It fails
closed: a validator that breaks, or answers something else, refuses its own call and no other.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from typing import Any, Final, cast

from pydantic import BaseModel

from actions.context import ActionContext
from actions.definition import Action
from actions.errors import ForbiddenAction, Refuse, ValidatorFailed

_log: Final = logging.getLogger(__name__)


def lacking(action: Action, permissions: frozenset[str]) -> Refuse | None:
    """Return a refusal when these permissions are not all that the action needs."""
    missing = sorted(action.permissions - permissions)
    if not missing:
        return None
    return Refuse(f"{action.name} needs the permission {', '.join(missing)}", ForbiddenAction.code)


async def permitted(action: Action, params: BaseModel, ctx: ActionContext) -> Refuse | None:
    """Return None when the call may run, else a refusal: permissions first, then the action's validator."""
    if refusal := lacking(action, ctx.permissions):
        return refusal
    if action.validator is None:
        return None
    try:
        answer = action.validator(params, ctx)
        if inspect.isawaitable(answer):
            answer = await answer
    except Exception as error:  # noqa: BLE001 - whatever it raises, it refuses its own call only
        _log.warning("the validator of %s failed", action.name, exc_info=True)
        return _failed(f"the validator of {action.name} failed ({type(error).__name__}), so it was not run")
    return _judged(action, answer)


def _judged(action: Action, answer: Any) -> Refuse | None:
    if answer is None or answer is True:
        return None
    if isinstance(answer, Refuse):
        return answer
    if answer is False:
        return Refuse(f"{action.name} is not possible now")
    if isinstance(answer, Mapping) and isinstance(verdict := cast("Any", answer).get("pass"), bool):
        reason = cast("Any", answer).get("reason") or f"{action.name} is not possible now"
        return None if verdict else Refuse(str(reason))
    _log.warning("the validator of %s answered with a %s", action.name, type(answer).__name__)
    return _failed(f"the validator of {action.name} gave no clear answer, so it was not run")


def _failed(reason: str) -> Refuse:
    return Refuse(reason, ValidatorFailed.code)
