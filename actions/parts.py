"""The functions that an action is declared with beside its handler, and the seal that ends its declaration.

In: functions, given by decorators of the action (`@take_order.check`). Out: slots that hold them, or None. A part is
declared once, before the action is registered, and has to take what it will be called with. Hooks stand in
`actions.hooks`, undo and on_error in `actions.undoing`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from actions.declaration import checked_part
from actions.errors import DeclarationError

F = TypeVar("F", bound=Callable[..., Any])


class Parts:
    """What an action has beside its handler; nothing of it changes once it is sealed."""

    __slots__ = ("_sealed", "checker", "name", "postprocessor", "preprocessor", "validator")

    _sealed: bool
    name: str
    """What models call it: letters, digits and _, at most 64 (what OpenAI and Anthropic take)."""
    validator: Callable[..., Any] | None
    """Says whether a call may run: `(params, ctx)`; see `actions.validation`."""
    checker: Callable[..., Any] | None
    """Finds out whether an attempt of unknown outcome took effect: `(params, ctx)`."""
    preprocessor: Callable[..., Any] | None
    """Changes the arguments before the handler: `(params, ctx)`."""
    postprocessor: Callable[..., Any] | None
    """Changes the value after the handler: `(value, ctx)`."""

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_sealed", False)
        self.name = name
        self.validator = self.checker = None
        self.preprocessor = self.postprocessor = None

    def __setattr__(self, attribute: str, value: Any) -> None:
        if self._sealed:
            raise DeclarationError(
                f"{self.name} is registered and cannot change: declare its {attribute} before"
            )
        object.__setattr__(self, attribute, value)

    def seal(self) -> None:
        """Let nothing about it change any more; a registry does this."""
        object.__setattr__(self, "_sealed", True)

    def validate(self, function: F) -> F:
        """Declare what says whether a call may run, sync or async, `(params, ctx)`.

        It returns None or True, or False, `Refuse(reason)` or `{"pass": bool, "reason": text}`. A sync one
        runs on the loop and has to be quick.
        """
        return self._part("validator", "validate", function, "params, ctx")

    def check(self, function: F) -> F:
        """Declare what finds out whether an attempt of unknown outcome took effect, `(params, ctx)`.

        It returns the result of that attempt, or None if it took no effect.
        """
        return self._part("checker", "check", function, "params, ctx")

    def preprocess(self, function: F) -> F:
        """Declare what changes the arguments before the handler, sync or async, `(params, ctx)`.

        It gets the validated arguments as a dict and returns the dict that replaces it, which is validated again.
        Beside an async handler a sync one runs on the loop and has to be quick. One that fails ends the run as failed.
        """
        return self._part("preprocessor", "preprocess", function, "params, ctx")

    def postprocess(self, function: F) -> F:
        """Declare what changes the value after the handler, sync or async, `(value, ctx)`; it returns the new one.

        One that fails ends the run as failed, without retries: the handler has done its work.
        """
        return self._part("postprocessor", "postprocess", function, "value, ctx")

    def _part(self, slot: str, word: str, function: F, wanted: str) -> F:
        if getattr(self, slot) is not None:
            raise DeclarationError(f"{self.name} has a {word} already: keep one")
        checked_part(self.name, word, function, wanted)
        setattr(self, slot, function)
        return function
