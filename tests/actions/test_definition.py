from __future__ import annotations

import asyncio
import functools
import inspect
from datetime import timedelta
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, RootModel

from actions.context import ActionContext
from actions.definition import MASK, Action, action
from actions.errors import DeclarationError
from actions.params import bind
from actions.policy import Retry

CTX = ActionContext(run_id="run_a1", action="X")


class Order(BaseModel):
    ticker: str
    quantity: int = 1


def test_a_function_gives_its_action_name_description_and_params():
    @action()
    def take_order(ticker: str, quantity: int = 1) -> None:
        """Buy shares.

        One company at a time.

        Args:
            ticker: The symbol.
        """

    assert take_order.name == "TAKE_ORDER"
    assert take_order.description == "Buy shares.\n\nOne company at a time."
    assert take_order.keys == ("ticker", "quantity")
    assert take_order.params.model_fields["ticker"].is_required()
    assert not take_order.params.model_fields["quantity"].is_required()


def test_a_declaration_without_parentheses_is_one_too():
    @action
    def ping() -> str:
        return "pong"

    assert isinstance(ping, Action)
    assert ping.name == "PING"


def test_what_is_declared_is_kept():
    retry = Retry(2)
    one = action(
        "X", similes=("Y", "do x"), description="d", category="c", tags=["t"], version="2", output=int, retry=retry,
        timeout="250ms", queue="q", priority="high", permissions=["p", "q"], may_transition=True, everywhere=True,
        strict=True, show=["a"],
    )(lambda a: a)  # fmt: skip

    assert (one.name, one.similes, one.description, one.category) == ("X", ("Y", "do x"), "d", "c")
    assert (one.tags, one.version, one.output, one.retry) == (("t",), "2", int, retry)
    assert (one.timeout, one.queue, one.priority) == (timedelta(milliseconds=250), "q", "high")
    assert one.permissions == {"p", "q"}
    assert one.show == {"a"}
    assert one.may_transition
    assert one.everywhere
    assert one.strict


def test_examples_are_kept_as_they_were_when_declared():
    asked = {"role": "user", "content": "Five of ACME, please."}
    one = action("X", examples=[[asked, {"role": "assistant", "content": None, "tool_calls": []}]])(
        lambda: None
    )
    asked["content"] = "other"

    assert one.examples[0][0] == {"role": "user", "content": "Five of ACME, please."}
    assert action("X")(lambda: None).examples == ()


def test_what_is_not_declared_has_a_default():
    one = action("X")(lambda: None)

    assert (one.similes, one.description, one.category, one.tags, one.version) == ((), "", "", (), "1")
    assert (one.output, one.retry, one.timeout) == (None, None, timedelta(seconds=30))
    assert (one.queue, one.priority, one.permissions) == ("actions", "normal", frozenset())
    assert [one.may_transition, one.everywhere, one.strict, one.show] == [False, False, False, frozenset()]
    assert one.validator is one.checker is one.undoer is None
    assert action("X", timeout=None)(lambda: None).timeout is None


def test_a_declared_function_is_still_a_function():
    @action("ADD")
    def add(a: int, b: int = 1) -> int:
        return a + b

    assert add(2, b=3) == 5
    assert list(inspect.signature(add).parameters) == ["a", "b"]


class Counter:
    def __call__(self, a: int) -> int:
        return a


class Async:
    async def __call__(self, a: int, ctx: Any) -> int:
        return a


async def plain(a: int) -> int:
    return a


def twice(a: int, b: int) -> int:
    return a + b


@pytest.mark.parametrize(
    ("handler", "is_async", "wants_ctx", "keys"),
    [
        (lambda a: a, False, False, ("a",)),
        (plain, True, False, ("a",)),
        (Counter(), False, False, ("a",)),
        (Counter().__call__, False, False, ("a",)),
        (Async(), True, True, ("a",)),
        (functools.partial(plain), True, False, ("a",)),
        (functools.partial(twice, b=1), False, False, ("a", "b")),
        (functools.partial(twice, 1), False, False, ("b",)),
    ],
)
def test_whatever_can_be_called_can_be_a_handler_under_a_name(handler, is_async, wants_ctx, keys):
    one = action("X")(handler)

    assert (one.is_async, one.wants_ctx, one.keys) == (is_async, wants_ctx, keys)
    value = one.invoke(bind(one, {keys[0]: "7"}), CTX)
    assert (asyncio.run(value) if is_async else value) in {"7", 7, 8}


@pytest.mark.parametrize("handler", [lambda: None, Counter(), functools.partial(plain)])
def test_a_handler_without_a_name_of_its_own_is_refused(handler):
    with pytest.raises(DeclarationError, match="has no name of its own: say @action"):
        action()(handler)


@pytest.mark.parametrize("handler", ["text", 5, None, Order, object()])
def test_what_is_no_function_is_refused(handler):
    with pytest.raises(DeclarationError):
        action("X")(handler)
    with pytest.raises(DeclarationError):
        action()(handler)


@pytest.mark.parametrize("handler", [5, Order, object()])
def test_what_is_no_function_is_refused_without_parentheses_too(handler):
    with pytest.raises(DeclarationError):
        action(handler)


def yields():
    yield 1


async def yields_async():
    yield 1


@pytest.mark.parametrize("handler", [yields, yields_async])
def test_a_handler_that_yields_is_refused(handler):
    with pytest.raises(DeclarationError, match="yields"):
        action("X")(handler)


@pytest.mark.parametrize(
    "name", ["", " ", "take order", "take-order", "1X", "_X", "X" * 65, "TÄKE", "X\n", 5]
)
def test_a_bad_name_is_refused(name):
    with pytest.raises(DeclarationError, match="is no action name"):
        action(name)(lambda: None) if isinstance(name, str) else Action(name, lambda: None)


def test_a_functions_own_name_must_be_a_good_one_too():
    def _hidden() -> None: ...

    with pytest.raises(DeclarationError, match="'_HIDDEN' is no action name"):
        action()(_hidden)


@pytest.mark.parametrize(
    ("declared", "advice"),
    [
        ({"similes": "BUY"}, r"write \('BUY',\)"),
        ({"similes": ("",)}, "is no text"),
        ({"similes": ("bu%y",)}, "is no simile"),
        ({"tags": "x"}, "write"),
        ({"tags": 5}, "several texts"),
        ({"tags": (5,)}, "is no text"),
        ({"permissions": "trade"}, r"write \('trade',\)"),
        ({"show": "a"}, "write"),
        ({"show": ("b",)}, "show names b, which is no parameter"),
        ({"description": 5}, "description has to be a text"),
        ({"category": None}, "category has to be a text"),
        ({"version": 1}, "version has to be a text"),
        ({"timeout": "soon"}, "timeout"),
        ({"timeout": True}, "timeout"),
        ({"timeout": "-1s"}, "timeout"),
        ({"queue": ""}, "queue name"),
        ({"queue": "a b"}, "queue name"),
        ({"priority": "urgent"}, "high, normal, low"),
        ({"priority": 1}, "high, normal, low"),
        ({"retry": 3}, "Retry"),
        ({"strict": "yes"}, "True or False"),
        ({"may_transition": 1}, "True or False"),
        ({"everywhere": None}, "True or False"),
        ({"output": 5}, "output"),
        ({"output": "Missing"}, "output"),
        ({"params": dict}, "pydantic model class"),
        ({"params": {"type": "object", "properties": {}}}, "pydantic model class"),
        ({"examples": "Buy!"}, "examples are several conversations"),
        ({"examples": ["Buy!"]}, "is no example"),
        ({"examples": [[]]}, "is no example"),
        ({"examples": [[{"role": "user"}]]}, "is no example"),
        ({"examples": [[{"role": ["user"], "content": "x"}]]}, "is no example"),
        ({"examples": [{"role": "user", "content": "x"}]}, "is no example"),
        ({"params": Order(ticker="A")}, "pydantic model class"),
        ({"params": RootModel[int]}, "RootModel"),
        ({"retries": 3}, "an action has no retries"),
    ],
)
def test_what_is_declared_wrongly_is_refused_with_advice(declared, advice):
    with pytest.raises(DeclarationError, match=advice):
        action("X", **declared)(lambda a: None)


@pytest.mark.parametrize(
    ("handler", "advice"),
    [
        (lambda *rest: None, "'rest' takes any number of values"),
        (lambda a, **opts: None, "'opts' takes any keyword"),
        (lambda a, /: None, "'a' is positional-only"),
        (lambda self, a: None, "'self' would have to be filled by the model"),
        (lambda ctx, a=object: None, "default"),
        (dict.get, "shows no signature|positional-only"),
    ],
)
def test_parameters_that_no_call_can_fill_are_refused(handler, advice):
    with pytest.raises(DeclarationError, match=advice):
        action("X")(handler)


def annotated(**kinds: Any):
    def handler(a=None, b=None): ...

    handler.__annotations__.update(kinds)
    return handler


@pytest.mark.parametrize(
    ("kinds", "advice"),
    [
        ({"a": "Missing"}, "annotation 'Missing' of parameter 'a' cannot be resolved"),
        ({"a": "str", "b": "list[Missing]"}, r"annotation 'list\[Missing\]' of parameter 'b'"),
        ({"b": Async}, "parameter 'b' has the type .*Async"),
        ({"b": "int"}, "default None of parameter 'b' does not fit its type .say so in the type"),
        ({"a": "ActionContext", "b": "ActionContext"}, "a and b all take the context"),
    ],
)
def test_a_wrong_annotation_is_refused_and_its_parameter_named(kinds, advice):
    with pytest.raises(DeclarationError, match=advice):
        action("X")(annotated(**({"a": "str | None"} | kinds)))


def test_a_parameter_called_ctx_is_the_context_or_nothing():
    def handler(ctx: int) -> None: ...

    with pytest.raises(DeclarationError, match="ctx is the context's name"):
        action("X")(handler)


def test_the_context_is_known_by_its_annotation_or_its_name():
    def by_class(a, where: ActionContext): ...
    def by_name(a, ctx): ...
    def by_text(a, where): ...
    def by_unresolvable_text(a, where): ...
    def maybe(a, where): ...

    by_text.__annotations__["where"] = "ActionContext"
    by_unresolvable_text.__annotations__["where"] = "context.ActionContext | None"
    maybe.__annotations__["where"] = ActionContext | None
    for handler in (by_class, by_name, by_text, by_unresolvable_text, maybe):
        one = action("X")(handler)
        assert one.wants_ctx, handler
        assert one.keys == ("a",)
    assert not action("X")(lambda a: a).wants_ctx


def test_the_handler_gets_its_values_by_name_and_the_context():
    seen: list[Any] = []

    @action("X")
    def handler(a: int, *, b: str = "b", ctx: ActionContext) -> str:
        seen.append((a, b, ctx))
        return "done"

    assert handler.invoke(bind(handler, {"a": "1"}), CTX) == "done"
    assert seen == [(1, "b", CTX)]


def test_a_coroutine_function_gives_something_to_await():
    @action("X")
    async def handler(a: int) -> int:
        return a

    assert handler.is_async
    assert asyncio.run(handler.invoke(bind(handler, {"a": 1}), CTX)) == 1


@pytest.mark.parametrize("annotated_", [True, False])
def test_a_ready_model_may_be_taken_whole(annotated_):
    def handler(order): ...

    if annotated_:
        handler.__annotations__["order"] = Order
    taken = functools.partial(lambda order: order)
    one = action("X", params=Order)(handler if annotated_ else taken)

    assert one.keys == ("ticker", "quantity")
    if not annotated_:
        assert one.invoke(bind(one, {"ticker": "A"}), CTX) == Order(ticker="A")


def test_a_ready_model_may_be_spread_over_parameters():
    one = action("X", params=Order)(lambda ticker, quantity, ctx: (ticker, quantity, ctx))

    assert one.invoke(bind(one, {"ticker": "A", "quantity": "2"}), CTX) == ("A", 2, CTX)


def test_a_model_taken_whole_knows_which_of_its_fields_were_given():
    one = action("X", params=Order)(lambda order: order.model_fields_set)

    assert one.invoke(bind(one, {"ticker": "A"}), CTX) == {"ticker"}
    assert one.invoke(bind(one, Order(ticker="A", quantity=2)), CTX) == {"ticker", "quantity"}


def test_a_ready_model_with_one_field_may_be_spread():
    class One(BaseModel):
        a: int

    one = action("X", params=One)(lambda a: a)

    assert one.invoke(bind(one, {"a": "5"}), CTX) == 5


@pytest.mark.parametrize(
    ("handler", "advice"),
    [
        (lambda ticker: None, "no parameter for quantity of Order"),
        (lambda ticker, quantity, side: None, "Order has no field for side"),
        (lambda: None, "no parameter for quantity, ticker"),
    ],
)
def test_a_ready_model_and_its_handler_have_to_agree(handler, advice):
    with pytest.raises(DeclarationError, match=advice):
        action("X", params=Order)(handler)


@pytest.mark.parametrize("default", ["5", object(), [1], True, 1.0])
def test_a_default_that_does_not_fit_its_type_is_refused(default):
    def handler(a: int = default) -> None: ...

    with pytest.raises(DeclarationError, match="of parameter 'a' does not fit its type"):
        action("X")(handler)


GOOGLE = """Do it.

Args:
    a: The first,
        over two lines.
    b (int): The second.
    ctx: Not an argument.
"""
REST = """Do it.

:param a: The first, over two lines.
:param int b: The second.
:returns: nothing
"""


@pytest.mark.parametrize("doc", [GOOGLE, REST])
def test_a_docstring_explains_the_parameters(doc):
    def handler(a: str, b: int, ctx: ActionContext) -> None: ...

    handler.__doc__ = doc
    one = action("X")(handler)

    assert one.description == "Do it."
    assert one.params.model_fields["a"].description == "The first, over two lines."
    assert one.params.model_fields["b"].description == "The second."


def test_a_text_in_the_annotation_goes_before_the_docstrings():
    def handler(a: Annotated[int, Field(description="mine", ge=1)]) -> None:
        """Do it.

        Args:
            a: theirs
        """

    assert action("X")(handler).params.model_fields["a"].description == "mine"


def test_a_registered_action_does_not_change():
    one = action("X")(lambda a: a)
    one.seal()

    with pytest.raises(DeclarationError, match="X is registered and cannot change"):
        one.queue = "other"
    with pytest.raises(DeclarationError):
        one.validate(lambda params, ctx: True)


def test_validate_check_and_undo_are_recorded_and_stay_functions():
    one = action("X")(lambda a: a)

    @one.validate
    def allowed(params, ctx):
        return True

    @one.check
    async def done(params, ctx):
        return None

    @one.undo
    def back(params, result, ctx):
        return None

    assert (one.validator, one.checker, one.undoer) == (allowed, done, back)
    assert allowed(None, None) is True


@pytest.mark.parametrize("word", ["validate", "check", "undo"])
def test_a_part_that_cannot_be_called_as_it_will_be_is_refused(word):
    for wrong in (
        lambda: None,
        lambda one: None,
        lambda a, b, c, d: None,
        lambda params, *, ctx: None,
        "text",
    ):
        with pytest.raises(DeclarationError, match=rf"X: {word}"):
            getattr(action("X")(lambda a: a), word)(wrong)


def test_a_second_validator_is_refused():
    one = action("X")(lambda a: a)
    one.validate(lambda params, ctx: True)

    with pytest.raises(DeclarationError, match="has a validate already"):
        one.validate(lambda params, ctx: True)


def test_only_what_may_be_shown_is_shown():
    one = action("X", show=("a",))(lambda a, password, b=1: None)

    assert one.masked({"a": 5, "password": "hunter2", "hunter3": 1}) == {
        "a": "5",
        "password": MASK,
        "unknown keys": "1",
    }
    assert one.masked(None) == {}
    assert len(one.masked({"a": "x" * 500})["a"]) == 80
