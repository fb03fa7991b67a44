"""Hooks: functions that stand around the stations of a run, in this order.

    before_validate -> validation -> after_validate -> preprocess, handler, postprocess
                    -> before_output -> check of the output -> after_output -> after_run

In: functions, given by decorators of the action. Out: slots that hold them, or None. Each may be sync or async; beside
an async handler a sync one runs on the loop and has to be quick. One that raises ends the run as failed, with the
hook's name (`hook_failed`), and is not tried again; a signal counts as if the handler had raised it. Those around the
arguments run once for a run, however often it is tried, and the preprocessor with them; but again if the worker died
before it could tell what they left. The others run with each attempt.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actions.parts import F, Parts


class Hooked(Parts):
    """The hooks of an action; most have none."""

    __slots__ = (
        "has_hooks", "hook_after_output", "hook_after_run", "hook_after_validate", "hook_before_output",
        "hook_before_validate", "hooks_arguments",
    )  # fmt: skip

    hook_before_validate: Callable[..., Any] | None
    """Gets the raw arguments, returns those that are validated: `(arguments, ctx)`."""
    hook_after_validate: Callable[..., Any] | None
    """Gets the params, may return others: `(params, ctx)`."""
    hook_before_output: Callable[..., Any] | None
    """Gets the value before it is checked: `(value, ctx)`."""
    hook_after_output: Callable[..., Any] | None
    """Gets the value after it was checked: `(value, ctx)`."""
    hook_after_run: Callable[..., Any] | None
    """The last one, gets the value that is to be recorded: `(value, ctx)`."""
    has_hooks: bool
    """Whether it has any."""
    hooks_arguments: bool
    """Whether it has one around its arguments."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.hook_before_validate = self.hook_after_validate = None
        self.hook_before_output = self.hook_after_output = self.hook_after_run = None
        self.has_hooks = self.hooks_arguments = False

    def before_validate(self, function: F) -> F:
        """Declare what changes the raw arguments, `(arguments, ctx)`: it returns the dict that is validated."""
        return self._hook("before_validate", function, "arguments, ctx")

    def after_validate(self, function: F) -> F:
        """Declare what sees the params, `(params, ctx)`.

        It returns None, or the params unchanged, to leave them; other params or a dict are validated again.
        """
        return self._hook("after_validate", function, "params, ctx")

    def before_output(self, function: F) -> F:
        """Declare what sees the value before its check, `(value, ctx)`; what it returns replaces it, unless None."""
        return self._hook("before_output", function, "value, ctx")

    def after_output(self, function: F) -> F:
        """Declare what sees the checked value, `(value, ctx)`; what it returns replaces it, unless None."""
        return self._hook("after_output", function, "value, ctx")

    def after_run(self, function: F) -> F:
        """Declare what sees the value last, `(value, ctx)`; what it returns replaces it, unless None."""
        return self._hook("after_run", function, "value, ctx")

    def _hook(self, word: str, function: F, wanted: str) -> F:
        self._part(f"hook_{word}", word, function, wanted)
        self.has_hooks = True
        if word.endswith("_validate"):
            self.hooks_arguments = True
        return function
