"""How a function that makes a request becomes a method that sends it, of either client.

In: the function, and the method that was made around it. Out: that method with the function's name, parameters and
docstring, and with what the answer is read as for its result: so each is written, and explained, once.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
_CORE: Final = re.compile(r"^ *core: .*\n", re.MULTILINE)
"""What is said of the parameter that a method has not."""
_INNER: Final = re.compile(r"(Request|Talk|Paging)\[(.*)\]")


def as_method(method: F, build: Callable[..., Any], result: str = "{}") -> F:
    """The method as `help` shall show it; `result` is what it returns, with what the request returns put in."""
    told = inspect.signature(build)
    given = [each for each in told.parameters.values() if each.name != "core"]
    me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    inner = _INNER.fullmatch(str(told.return_annotation))
    about: Any = method
    about.__name__ = about.__qualname__ = build.__name__
    about.__doc__ = _CORE.sub("", build.__doc__ or "")
    about.__signature__ = told.replace(
        parameters=[me, *given], return_annotation=result.format(inner[2] if inner else "")
    )
    return method
