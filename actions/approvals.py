"""Approval: a person says yes or no before a run starts.

In: what an action declares. Out: whether a run with these arguments has to be approved, how long the question stands,
and which older question a newer one takes the place of. Whatever is unclear needs an approval; no model decides it.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from actions.errors import DeclarationError
from actions.policy import duration
from actions.templates import Template

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, init=False)
class Approval:
    """A run waits until a person has approved exactly its arguments, once; its clocks stand still meanwhile."""

    when: Callable[[Any], bool] | None
    """Says of the run's params whether a person is asked; None asks for every run. Sync, without side effects."""
    expires: timedelta
    """How long the question stands; then the run is refused."""
    key: str | None
    """Template such as "{principal}": a newer question of this action under the same key takes the older one's place.

    None lets every question stand for itself.
    """
    template: Template | None
    """The key, read."""

    def __init__(
        self,
        when: Callable[[Any], bool] | None = None,
        *,
        expires: timedelta | float | str = "1h",
        key: str | None = None,
    ) -> None:
        if when is not None:
            _check_condition(when)
        length = duration(expires)
        if not length:
            raise DeclarationError('an approval needs time: Approval(expires="1h")')
        keep = object.__setattr__  # the dataclass is frozen
        keep(self, "when", when)
        keep(self, "expires", length)
        keep(self, "key", key)
        keep(self, "template", None if key is None else Template.read(key))

    def needed(self, params: Any) -> bool:
        """Whether a run with these params has to be approved; only a clear False of `when` lets it pass."""
        if self.when is None:
            return True
        try:
            answer = self.when(params)
        except Exception:  # noqa: BLE001 - whatever it raises, a person looks at this run
            _log.warning("the condition of an approval failed, so the run has to be approved", exc_info=True)
            return True
        return answer is not False


def checked_approval(action: str, given: Any, parameters: Any) -> Approval | None:
    """Return the approval that was declared: True is one for every run, False and None are none.

    Raises:
        DeclarationError: it is something else, or its key names what is no parameter.
    """
    if given is None or given is False:
        return None
    approval = Approval() if given is True else given
    if not isinstance(approval, Approval):
        raise DeclarationError(f"{action}: approval has to be Approval(...), True or False, not {given!r}")
    if approval.template is not None:
        approval.template.check(action, parameters)
    return approval


def _check_condition(when: Any) -> None:
    if not callable(when):
        raise DeclarationError(f"when of an approval has to be a function of the params, not {when!r}")
    if inspect.iscoroutinefunction(when) or inspect.iscoroutinefunction(type(when).__call__):
        raise DeclarationError("when of an approval is asked in passing: declare it with def, not async def")
    try:
        inspect.signature(when).bind("params")
    except TypeError:
        raise DeclarationError("when of an approval is called with (params): give it that") from None
    except ValueError:
        return  # a builtin that shows no signature
