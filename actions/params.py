"""Raw arguments to validated params, or an error worded for the model.

In: an Action and the JSON object that a model wrote. Out: an instance of the action's params, or
InvalidArguments, short and safe to send back (`actions.wording`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from actions.definition import Action
from actions.errors import InvalidArguments
from actions.schema import parameters_schema, takes_null
from actions.wording import worded


def bind(action: Action, arguments: Mapping[str, Any] | BaseModel) -> BaseModel:
    """Return the action's params for these arguments (a JSON object, or a model that is dumped into one).

    Raises:
        InvalidArguments: with one line for each problem.
    """
    try:
        if isinstance(arguments, BaseModel):
            arguments = arguments.model_dump(exclude_unset=True, by_alias=True)
        return action.bind(arguments)
    except ValidationError as error:
        lines, flaws = worded(action, error)
        raise InvalidArguments(lines, flaws=flaws) from None
    except Exception as error:  # a model's own validator broke: that refuses this call, no other
        raise InvalidArguments(f"the arguments could not be checked ({type(error).__name__})") from error


def given(action: Action, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that are given: without each null that only says that there is none.

    That is a null for what may be left out (it has a default, or an earlier result fills it) and takes no null.
    `bind` reads such nulls in the same way, at every level; whoever fills arguments in has to know them before.
    """
    schema = parameters_schema(action)
    needed, properties = schema.get("required", ()), schema["properties"]
    definitions = schema.get("$defs", {})
    return {
        key: value
        for key, value in arguments.items()
        if value is not None
        or key not in properties
        or key in needed
        or takes_null(properties[key], definitions)
    }
