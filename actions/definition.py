"""`@action` makes an Action out of a function.

In: a typed function, sync or async, and what is declared about it. Out: an `Action` that can be named,
validated, called and shown. Everything that can be declared wrongly is refused here with a DeclarationError
that says what to change; a registered Action never changes again.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, Unpack, overload

from pydantic import BaseModel, TypeAdapter
from pydantic.errors import PydanticUserError

from actions import coercion, signature
from actions import declaration as check
from actions.conditions import Conditional
from actions.context import ActionContext
from actions.declaration import Declared
from actions.docstrings import texts
from actions.errors import DeclarationError
from actions.similar_keys import checked_similar_keys

MASK: Final = "•••"
"""Stands for a value that may not be shown."""
_SHOWN: Final = 80


class Action(Conditional):
    """A declared capability: its names, what its arguments are, how it may run, and its handler.

    Its conditions (dependencies, approval, chain) stand in `Conditional`, its policy (retries, limits, locks, clocks)
    in `Guaranteed`, the functions beside the handler in `Undoable`, `Hooked` and `Parts`.
    """

    __slots__ = (
        "_signature", "bind", "category", "description", "everywhere", "examples", "handler", "is_async", "keys",
        "may_transition", "output", "output_adapter", "params", "permissions", "priority", "queue", "repaired", "show",
        "similar_keys", "similes", "strict", "tags", "version", "wants_ctx",
    )  # fmt: skip

    similes: tuple[str, ...]
    """Its other names, matched as exactly as the name."""
    description: str
    """What the model reads about it; by default the docstring's summary."""
    category: str
    """A word to sort it under; no meaning here."""
    tags: tuple[str, ...]
    """Words to find it by; no meaning here."""
    examples: tuple[tuple[dict[str, Any], ...], ...]
    """Conversations that show when to use it, for prompts; each is messages in OpenAI's chat shape."""
    version: str
    """The version its author gave it."""
    params: type[BaseModel]
    """What its arguments are validated into; unknown keys are refused."""
    keys: tuple[str, ...]
    """The keys that its arguments may have."""
    output: Any
    """The type of its result, checked before the result is recorded; None takes any."""
    output_adapter: TypeAdapter[Any] | None
    """What checks `output`."""
    queue: str
    """The Celery queue its runs wait on."""
    priority: str
    """One of "high", "normal" and "low", within its queue."""
    permissions: frozenset[str]
    """What a principal needs, all of it."""
    may_transition: bool
    """Whether it may move the conversation to another state; later calls of its reply then wait for it."""
    everywhere: bool
    """Whether every state of a machine allows it."""
    strict: bool
    """Whether its arguments get no coercion at all."""
    similar_keys: float | str | None
    """How alike keys of arguments have to be to mean its own (0 to 1), "form": in all but form; None: exact."""
    repaired: Literal["accept", "refuse"]
    """Whether it runs for a call that was mended to be read; by default not if it has permissions or an approval."""
    show: frozenset[str]
    """The parameters whose values may stand unmasked in logs and in Flower."""
    handler: Callable[..., Any]
    """The plain function."""
    is_async: bool
    """Whether the handler is a coroutine function."""
    wants_ctx: bool
    """Whether the handler takes the ActionContext."""
    _signature: signature.Signature
    bind: Callable[[Any], BaseModel]
    """Turns arguments into params or raises pydantic's ValidationError; `actions.params.bind` words it."""

    def __init__(self, name: str, handler: Callable[..., Any], **declared: Unpack[Declared]) -> None:
        super().__init__(check.checked_name(name))
        check.checked_fields(name, declared)
        self.handler = check.checked_handler(name, handler)
        said = texts(handler)
        self._signature = read = signature.read(name, handler, declared.get("params"), said.parameters)
        self.params, self.keys, self.wants_ctx = read.params, read.keys, read.context is not None
        self.similes = check.checked_similes(name, declared.get("similes", ()))
        described = declared.get("description")
        self.description = check.checked_text(
            name, "description", said.description if described is None else described
        )
        self.category = check.checked_text(name, "category", declared.get("category", ""))
        self.tags = check.checked_words(name, "tags", declared.get("tags", ()))
        self.examples = check.checked_examples(name, declared.get("examples", ()))
        self.version = check.checked_text(name, "version", declared.get("version", "1"))
        self.output = declared.get("output")
        self.output_adapter = _adapter(name, self.output)
        self._guarantee(declared, read.params.model_fields)
        self._condition(declared, read.keys, read.params.model_fields)
        self.queue = check.checked_queue(name, declared.get("queue", "actions"))
        self.priority = check.checked_priority(name, declared.get("priority", "normal"))
        self.permissions = frozenset(
            check.checked_words(name, "permissions", declared.get("permissions", ()))
        )
        self.may_transition = check.checked_flag(
            name, "may_transition", declared.get("may_transition", False)
        )
        self.everywhere = check.checked_flag(name, "everywhere", declared.get("everywhere", False))
        self.strict = check.checked_flag(name, "strict", declared.get("strict", False))
        self.similar_keys = checked_similar_keys(name, declared.get("similar_keys", False))
        self.repaired = check.checked_repaired(
            name, declared.get("repaired"), guarded=bool(self.permissions or self.approval)
        )
        self.show = check.checked_show(name, declared.get("show", ()), read.keys)
        self.is_async = inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(
            type(handler).__call__
        )
        self.bind = coercion.binder(read.params, strict=self.strict)
        if (before := declared.get("before")) is not None:
            self.preprocess(before)
        if (after := declared.get("after")) is not None:
            self.postprocess(after)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the plain function, as if it had never been declared."""
        return self.handler(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<Action {self.name}>"

    @property
    def __wrapped__(self) -> Callable[..., Any]:
        return self.handler

    def invoke(self, params: BaseModel, ctx: ActionContext) -> Any:
        """Call the handler with params that `bind` made; returns its value, or an awaitable of it."""
        read = self._signature
        values = params.__dict__
        given: dict[str, Any] = {name: values[name] for name in read.names}
        if read.whole is not None:
            given[read.whole] = params
        if read.context is not None:
            given[read.context] = ctx
        return self.handler(**given)

    def masked(self, arguments: Mapping[str, Any] | None) -> dict[str, str]:
        """Return arguments for logs and Flower: values of `show` as text, all others hidden.

        Keys that are no parameter are counted, not named: a key may hold what must not be seen.
        """
        known = self.keys
        given = arguments or {}
        shown = {key: _shown(given[key]) if key in self.show else MASK for key in given if key in known}
        unknown = sum(key not in known for key in given)
        return {**shown, "unknown keys": str(unknown)} if unknown else shown


@overload
def action(handler: Callable[..., Any], /, **declared: Unpack[Declared]) -> Action: ...
@overload
def action(
    name: str | None = None, /, **declared: Unpack[Declared]
) -> Callable[[Callable[..., Any]], Action]: ...
def action(
    name: str | Callable[..., Any] | None = None, /, **declared: Unpack[Declared]
) -> Action | Callable[[Callable[..., Any]], Action]:
    """Declare a function as an action; without a name it takes the function's own, in capitals.

    What may be declared are the fields of `Action`. The function may be sync or async. Its parameter `ctx`,
    or the one annotated ActionContext, gets the context and is no argument of the call.

    Raises:
        DeclarationError: for whatever is declared wrongly.
    """
    if name is not None and not isinstance(name, str):
        return Action(check.name_of(name), name, **declared)

    def declare(handler: Callable[..., Any]) -> Action:
        return Action(check.name_of(handler) if name is None else name, handler, **declared)

    return declare


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _adapter(name: str, output: Any) -> TypeAdapter[Any] | None:
    if output is None:
        return None
    if isinstance(output, str):
        raise DeclarationError(f"{name}: output has to be the type itself, not its name {output!r}")
    try:
        return TypeAdapter(output)
    except (PydanticUserError, NameError, TypeError) as error:
        raise DeclarationError(
            f"{name}: output {output!r} is no type that pydantic can check: {error}"
        ) from error
