"""What follows a failure: taking an effect back (`undo`), and making good what a failed run left (`on_error`).

In: functions, given by decorators of the action. Out: slots that hold them with their own retries and clocks. Both
run apart from the handler: what they raise changes nothing about the result that the model was told.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, overload

from actions.errors import DeclarationError
from actions.guarantees import Guaranteed
from actions.parts import F
from actions.policy import Retry, duration

UNDO_RETRY: Final = Retry(3, initial="1s")
"""How often an undo is tried again that does not say it itself."""


class Undoable(Guaranteed):
    """How what an action did is taken back or made good."""

    __slots__ = ("_rescue_clock", "_undo_clock", "rescuer", "undo_retry", "undo_takes_none", "undoer")

    undoer: Callable[..., Any] | None
    """Takes the effect back: `(params, receipt, ctx)`."""
    undo_retry: Retry
    """When a failed undo is tried again; after its last try it rests until a person looks at it."""
    undo_takes_none: bool
    """Whether it may be called without a receipt (None): then a step of unknown effect is undone too."""
    rescuer: Callable[..., Any] | None
    """Makes good what a run left that failed for good: `(params, error, ctx)`."""
    _undo_clock: timedelta | None
    _rescue_clock: timedelta | None

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.undoer = self.rescuer = None
        self.undo_retry, self.undo_takes_none = UNDO_RETRY, False
        self._undo_clock = self._rescue_clock = None

    @property
    def undo_timeout(self) -> timedelta | None:
        """How long one attempt of the undo may take; None for no limit."""
        return self.timeouts.attempt if self._undo_clock is None else self._undo_clock or None

    @property
    def rescue_timeout(self) -> timedelta | None:
        """How long `on_error` may take; None for no limit."""
        return self.timeouts.attempt if self._rescue_clock is None else self._rescue_clock or None

    @overload
    def undo(self, function: F, /) -> F: ...
    @overload
    def undo(
        self, /, *, retry: Retry | None = None, timeout: timedelta | float | str | None = None
    ) -> Callable[[F], F]: ...
    def undo(
        self,
        function: F | None = None,
        /,
        *,
        retry: Retry | None = None,
        timeout: timedelta | float | str | None = None,
    ) -> F | Callable[[F], F]:
        """Declare what takes the effect back, sync or async, `(params, receipt, ctx)`.

        `params` are those that the handler had, hooks and preprocessor included; `receipt` is what it returned, as it
        was recorded. Where it is unknown whether the run took effect there is none, nor where it was too long to be
        kept whole: an undo that can find out itself says `receipt: Receipt | None`, or gives it the default None. An
        undo may ask to be called later (`TryAgain`, `Postpone`): both use up a try.

        Args:
            function: the undo.
            retry: when a failed undo is tried again; by default three times, from one second on.
            timeout: how long one attempt may take; by default as long as one of the handler, 0 for no limit.
        """
        if retry is not None and not isinstance(retry, Retry):
            raise DeclarationError(f"{self.name}: undo: retry has to be a Retry, not {retry!r}")
        clock = _clock(self.name, "undo", timeout)

        def declare(undo: F) -> F:
            self._part("undoer", "undo", undo, "params, receipt, ctx")
            self.undo_takes_none = _takes_none(undo)
            self.undo_retry = UNDO_RETRY if retry is None else retry
            self._undo_clock = clock
            return undo

        return declare if function is None else declare(function)

    @overload
    def on_error(self, function: F, /) -> F: ...
    @overload
    def on_error(self, /, *, timeout: timedelta | float | str | None = None) -> Callable[[F], F]: ...
    def on_error(
        self, function: F | None = None, /, *, timeout: timedelta | float | str | None = None
    ) -> F | Callable[[F], F]:
        """Declare what makes good what a failed run left, sync or async, `(params, error, ctx)`.

        It is called once, after the last attempt, if the handler had begun, with the params that this had; `error` is
        the dict that the model is told: `{"error": text, "code": code}`. The result stays that error and says beside it
        whether this succeeded.

        Args:
            function: what makes it good.
            timeout: how long it may take; by default as long as one attempt of the handler, 0 for no limit.
        """
        clock = _clock(self.name, "on_error", timeout)

        def declare(rescue: F) -> F:
            self._part("rescuer", "on_error", rescue, "params, error, ctx")
            self._rescue_clock = clock
            return rescue

        return declare if function is None else declare(function)


def _clock(action: str, word: str, given: Any) -> timedelta | None:
    if given is None:
        return None
    try:
        return duration(given)
    except DeclarationError as error:
        raise DeclarationError(f"{action}: {word}: timeout: {error}") from None


def _takes_none(undo: Callable[..., Any]) -> bool:
    """Whether the second parameter of an undo says that there may be no receipt."""
    receipt = list(inspect.signature(undo).parameters.values())[1]
    if receipt.default is None:
        return True
    annotation = receipt.annotation
    if isinstance(annotation, str):
        return _says_none(annotation, _names_of(undo))
    return _allows_none(annotation)


def _says_none(annotation: str, names: dict[str, Any]) -> bool:
    """The same of an annotation that is still a text; what it names may be there for type checkers only."""
    try:
        holder = types.SimpleNamespace(__annotations__={"receipt": annotation})
        return _allows_none(typing.get_type_hints(holder, names)["receipt"])
    except Exception:  # noqa: BLE001 - whatever cannot be resolved is read as it is written
        parts = [part.strip() for part in annotation.strip("'\" ").split("|")]
        return "None" in parts or parts[0].rpartition(".")[2].startswith("Optional[")


def _allows_none(annotation: Any) -> bool:
    if annotation is None or annotation is types.NoneType:
        return True
    kind = typing.get_origin(annotation)
    if kind is typing.Annotated:
        return _allows_none(typing.get_args(annotation)[0])
    unions = (typing.Union, types.UnionType)
    return kind in unions and any(map(_allows_none, typing.get_args(annotation)))


def _names_of(undo: Any) -> dict[str, Any]:
    function = inspect.unwrap(undo)
    if not inspect.isroutine(function):
        function = getattr(function, "func", type(function).__call__)
    return getattr(getattr(function, "__func__", function), "__globals__", {})
