"""What one run takes of a rate limit that counts units: a declared cost in, checked; later params in, units out."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, cast, get_origin

from pydantic.fields import FieldInfo

from actions.errors import DeclarationError
from actions.policy import is_number, whole
from actions.templates import SERVER_OWNED

Cost = int | str | Callable[[Any], int]
"""A number, a template of one parameter (`"{tokens}"`), or a function of the params."""

_TEMPLATE: Final = re.compile(r"\{(?:params\.)?([A-Za-z_][A-Za-z0-9_]*)\}", re.ASCII)
_NO_NUMBERS: Final = (list, dict, tuple, set, frozenset)


def check(cost: Any, most: int) -> None:
    """Raise DeclarationError for what is no cost, or one that never fits."""
    if isinstance(cost, str):
        if not parameter_of(cost) or cost[1:-1] in SERVER_OWNED:
            raise DeclarationError(
                f"the cost {cost!r} has to be one parameter in braces, such as '{{tokens}}'"
            )
    elif callable(cost):
        try:
            inspect.signature(cast("Callable[..., Any]", cost)).bind("params")
        except (TypeError, ValueError):
            raise DeclarationError(
                "the cost's function is called with (params): give it one parameter"
            ) from None
    else:
        whole("a rate limit's cost", cost)
        if cost > most:
            raise DeclarationError(f"a cost of {cost} never fits: at most {most} at once; raise burst or n")


def check_parameter(action: str, cost: Cost, parameters: Mapping[str, FieldInfo]) -> None:
    """Raise DeclarationError for a cost that names no parameter of the action, or one that holds no number."""
    name = parameter_of(cost)
    if not name:
        return
    if name not in parameters:
        raise DeclarationError(
            f"{action}: the cost {cost!r} of a rate limit names no parameter; "
            f"there are {', '.join(sorted(parameters)) or 'none'}"
        )
    if not _may_count(parameters[name].annotation):
        raise DeclarationError(
            f"{action}: the cost {cost!r} names a parameter that is no number: take one that is, "
            f"or a function of the params, such as cost=lambda params: len(params.{name})"
        )


def parameter_of(cost: Cost) -> str:
    """Return the parameter that a cost names, "" for none."""
    match = _TEMPLATE.fullmatch(cost) if isinstance(cost, str) else None
    return match[1] if match else ""


def units(cost: Cost, params: Any) -> int:
    """Return the units that a run with these params takes.

    Raises:
        ValueError: the parameter or the function gives no whole number of at least 0.
    """
    if isinstance(cost, int):
        return cost
    found: Any = getattr(params, parameter_of(cost)) if isinstance(cost, str) else cost(params)
    if not is_number(found) or not math.isfinite(found) or found != int(found) or found < 0:
        raise ValueError(f"{found!r:.40} is no number of units")
    return int(found)


def _may_count(annotation: Any) -> bool:
    """Whether a parameter of this type may hold a number; what cannot be told counts as yes."""
    if isinstance(annotation, type):
        return annotation is not bool and issubclass(annotation, int | float | Decimal)
    return get_origin(annotation) not in _NO_NUMBERS
