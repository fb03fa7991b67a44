from __future__ import annotations

import functools
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Optional

import pytest

from actions.definition import action
from actions.errors import DeclarationError
from actions.policy import Retry

if TYPE_CHECKING:
    from somewhere import Receipt


def declared(**fields: Any):
    return action("X", **fields)(lambda a=0: None)


def test_an_action_cannot_be_undone_unless_it_says_how():
    one = declared()

    assert one.undoer is one.rescuer is None
    assert one.undo_takes_none is False


def test_an_undo_has_retries_and_a_clock_of_its_own():
    one, another = declared(timeout="7s"), declared()

    @one.undo
    def back(params, receipt, ctx): ...

    @another.undo(retry=Retry(9), timeout="2s")
    async def later(params, receipt, ctx): ...

    assert (one.undoer, another.undoer) == (back, later)
    assert one.undo_retry == Retry(3, initial="1s")
    assert another.undo_retry == Retry(9)
    assert (one.undo_timeout, another.undo_timeout) == (timedelta(seconds=7), timedelta(seconds=2))


def test_what_makes_good_a_failure_has_a_clock_of_its_own():
    one, another = declared(timeout="7s"), declared()

    @one.on_error
    def mend(params, error, ctx): ...

    @another.on_error(timeout="2s")
    async def later(params, error, ctx): ...

    assert (one.rescuer, another.rescuer) == (mend, later)
    assert (one.rescue_timeout, another.rescue_timeout) == (timedelta(seconds=7), timedelta(seconds=2))


def test_nothing_is_no_limit():
    one, endless = declared(), declared(timeout=None)
    one.undo(timeout=0)(lambda params, receipt, ctx: None)
    one.on_error(timeout="0s")(lambda params, error, ctx: None)

    assert (one.undo_timeout, one.rescue_timeout) == (None, None)
    assert (endless.undo_timeout, endless.rescue_timeout) == (None, None)


def plain(params, receipt, ctx): ...
def typed(params: Any, receipt: dict[str, int], ctx: Any): ...
def anything(params, receipt: Any, ctx): ...
def other_default(params, receipt="", ctx=None): ...
def later_none(params, receipt: "Receipt", ctx: "Any | None"): ...  # noqa: UP037


def with_default(params, receipt=None, ctx=None): ...
def with_union(params, receipt: dict[str, int] | None, ctx): ...
def with_optional(params, receipt: Optional[int], ctx): ...  # noqa: UP045
def with_text(params, receipt: "Optional[dict[str, int]]", ctx): ...  # noqa: UP037, UP045
def with_hidden(params, receipt: "Receipt | None", ctx): ...  # noqa: UP037
def with_hidden_first(params, receipt: "Receipt | None", ctx): ...  # noqa: UP037
def with_hidden_optional(params, receipt: "Optional[Receipt]", ctx): ...  # noqa: UP037, UP045
def with_note(params, receipt: Annotated[int | None, "cents"], ctx): ...
async def with_async(params, receipt: int | None, ctx): ...


class Undo:
    def __call__(self, params, receipt: Receipt | None, ctx) -> None: ...

    def method(self, params, receipt: Optional[int], ctx): ...  # noqa: UP045


def first_bound(key, params, receipt: Receipt | None, ctx): ...


@pytest.mark.parametrize("undo", [plain, typed, anything, other_default, later_none])
def test_an_undo_gets_a_receipt(undo):
    one = declared()
    one.undo(undo)

    assert one.undo_takes_none is False


@pytest.mark.parametrize(
    "undo",
    [
        with_default, with_union, with_optional, with_text, with_hidden, with_hidden_first, with_hidden_optional,
        with_note, with_async, Undo(), Undo().method, functools.partial(first_bound, "key"),
    ],
)  # fmt: skip
def test_an_undo_may_say_that_it_needs_no_receipt(undo):
    one = declared()
    one.undo(undo)

    assert one.undo_takes_none is True


@pytest.mark.parametrize(
    ("made", "advice"),
    [
        (lambda one: one.undo(retry=3), "X: undo: retry has to be a Retry, not 3"),
        (lambda one: one.undo(timeout="soon"), "X: undo: timeout: 'soon' is no duration"),
        (lambda one: one.on_error(timeout=-1), "X: on_error: timeout: a duration cannot be negative"),
        (lambda one: one.undo(lambda params, ctx: None), r"X: undo is called with \(params, receipt, ctx\)"),
        (lambda one: one.undo(timeout=1)(5), r"X: undo has to be a function of \(params, receipt, ctx\)"),
        (lambda one: one.on_error(lambda params: None), r"X: on_error is called with \(params, error, ctx\)"),
        (lambda one: one.on_error("text"), "X: on_error has to be a function"),
    ],
)
def test_what_is_declared_wrongly_is_refused_with_advice(made, advice):
    one = declared()

    with pytest.raises(DeclarationError, match=advice):
        made(one)
    assert (one.undoer, one.rescuer) == (None, None)


@pytest.mark.parametrize("word", ["undo", "on_error"])
def test_each_is_declared_once(word):
    one = declared()
    getattr(one, word)(lambda params, receipt, ctx: None)

    with pytest.raises(DeclarationError, match=f"has a {word} already"):
        getattr(one, word)(timeout="1s")(lambda params, receipt, ctx: None)
    assert one.undo_timeout == one.rescue_timeout == timedelta(seconds=30)


@pytest.mark.parametrize(
    ("annotation", "takes_none"),
    [
        (None, True), (type(None), True), (int | None, True), (list[int] | None, True), (int, False),
        (list[None], False), (Annotated[int | None, 1], True), (Annotated[int, None], False), (int | str, False),
        ("'int | None'", True), ("'Receipt | None'", True), ("typing.Optional[Receipt]", True),
        ("list[Receipt | None]", False), ("dict[str, None]", False), ("Receipt", False), ("", False), ("(", False),
    ],
)  # fmt: skip
def test_whatever_the_annotation_is_it_is_read(annotation, takes_none):
    def undo(params, receipt, ctx): ...

    undo.__annotations__["receipt"] = annotation
    one = declared()
    one.undo(undo)

    assert one.undo_takes_none is takes_none
