"""One request of the client as a value: what is sent, and how its answer is read. Nothing here sends anything.

In: what a method of the client was given. Out: a `Request`. Ids come into paths as single segments whatever they hold,
values as JSON; what has no JSON form is the caller's mistake and is said before anything is sent.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from actions.errors import DeclarationError
from actions.policy import duration, milliseconds
from orchestrator.clients.errors import ServerFault

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

JSON: Final = "application/json"
TEXT: Final = "text/plain; charset=utf-8"
_KEY: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
"""As the service reads one: spaces only inside, since a header loses those around its value."""
_LONGEST_KEY: Final = 255
_LONGEST_NAME: Final = 64
"""Characters of a request's id; a longer one is none of ours, and is not cut: it could hold half a key."""

Length = timedelta | float | str
"""A duration as `actions.policy.duration` reads it: a timedelta, seconds, or a text such as "30s"."""


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """What to send, and how to read what comes back."""

    method: str
    """GET, POST, PUT, PATCH or DELETE."""
    path: str
    """From the root of the service: "/v1/runs"."""
    read: Callable[[httpx.Response], T]
    """The value of an answer that is a success."""
    params: tuple[tuple[str, str], ...] = ()
    """The query, in order; a name may come more than once."""
    content: bytes | None = None
    """The body; None: there is none."""
    media: str = JSON
    """The body's type."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """What else belongs to it alone: the idempotency key, the trace."""
    wait_s: float = 0.0
    """How long the service may keep it before it answers, beyond what an answer takes."""
    within_s: float | None = None
    """How long the exchange may take in all, if less than the client's time and `wait_s` together."""
    may_repeat: bool = True
    """Whether it may be sent again where nobody knows whether it was heard. What the service never heard always may."""
    gone_is_done: bool = False
    """Whether a repetition that finds nothing any more has done what was wanted: the first one was heard."""


def query(**given: object) -> tuple[tuple[str, str], ...]:
    """The parameters that were given: None and what is empty are left out, several values come one by one."""
    found: list[tuple[str, str]] = []
    for name, value in given.items():
        several = value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
        found += [(name.rstrip("_"), _word(each)) for each in several if each not in {None, ""}]
    return tuple(found)


def _word(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            if value.tzinfo is None:
                raise DeclarationError(f"a time needs a time zone: {value.isoformat()} has none")
            return value.isoformat()
        case timedelta():
            return span(value)
        case _:
            return str(value)


def span(length: Length) -> str:
    """A duration as the service reads it.

    Raises:
        DeclarationError: it is none.
    """
    return f"{milliseconds(duration(length))}ms"


def as_json(value: Any, what: str = "the request") -> bytes:
    """A body.

    Raises:
        DeclarationError: a value in it has no JSON form.
    """
    try:
        return to_json(value)
    except (PydanticSerializationError, ValueError) as error:
        raise DeclarationError(f"{what}: not everything in it has a JSON form: {error}"[:500]) from None


def body(**given: Any) -> bytes:
    """A JSON object of what was given; None is left out, since the service has its own defaults."""
    return as_json({name: value for name, value in given.items() if value is not None})


def made(key: str | None, traceparent: str | None = None) -> dict[str, str]:
    """Headers of what makes something: the idempotency key (a fresh one if None), and the caller's trace (W3C).

    Raises:
        DeclarationError: the key or the trace is no text that a header can hold.
    """
    chosen = secrets.token_hex(16) if key is None else key
    if len(chosen) > _LONGEST_KEY or _KEY.fullmatch(chosen) is None:
        raise DeclarationError(
            f"key: 1 to {_LONGEST_KEY} printable ASCII characters are wanted, without a space at either end, "
            f"not {chosen!r:.80}"
        )
    headers = {"idempotency-key": chosen}
    if traceparent is not None:
        if not traceparent.isascii() or not traceparent.isprintable():
            raise DeclarationError(f"traceparent: {traceparent!r:.80} is none")
        headers["traceparent"] = traceparent
    return headers


def reads(model: type[T]) -> Callable[[httpx.Response], T]:
    """Read an answer as this model or dataclass; fields that it does not know are passed over."""

    def read(answer: httpx.Response) -> T:
        return parsed(model, answer.content, answer)

    return read


def parsed(model: type[T], data: bytes | str, answer: httpx.Response) -> T:
    """What came with an answer, as this model or dataclass.

    Raises:
        ServerFault: it is something else.
    """
    loose: Any = model  # mypy holds no type of ours for hashable
    try:
        found: T = _adapter(loose).validate_json(data)
    except ValidationError as error:
        flaw = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = "".join(f".{each}" for each in flaw["loc"])
        raise unreadable(answer, f"{model.__name__}{place}, {flaw['msg']}") from None
    return found


@cache
def _adapter(model: Any) -> TypeAdapter[Any]:
    """Made when the first such answer comes, so that importing the client is quick."""
    return TypeAdapter(model)


def reads_nothing(_: httpx.Response) -> None:
    """Read an answer without a body."""


def unreadable(answer: httpx.Response, wanted: str) -> ServerFault:
    """The error of an answer that says it is a success, and is not what was agreed."""
    named = answer.headers.get("x-request-id", "")
    return ServerFault(
        f"the answer is not what was agreed (wanted: {wanted}); is this the address of an Umbel service?",
        status=answer.status_code,
        code="unreadable_answer",
        request_id=named if len(named) <= _LONGEST_NAME else "",
    )


def with_wait(request: Request[T], seconds: float) -> Request[T]:
    """The same request, answered when what it asks for has ended or after so many seconds."""
    if seconds <= 0:
        return request
    return replace(request, params=(*request.params, ("wait", span(seconds))), wait_s=seconds)
