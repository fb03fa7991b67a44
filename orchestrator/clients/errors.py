"""What the service answered that was no success: status, headers and body in, one error of its kind out.

    ApiError (an UmbelError)     all of them
     ├── Unauthorised            401: no key, an unknown or revoked one
     ├── Forbidden               403: the key may not do this
     ├── NotFound                404: not there (any more), or another tenant's
     ├── Conflict                409: not as things stand
     ├── TooLarge                413: the body is over the service's cap
     ├── Invalid                 400, 422 and every other 4xx: what was sent is not right
     ├── TooManyRequests         429: come again later
     ├── Unavailable             502, 503, 504: the service cannot answer now
     │    └── Unreachable        no answer at all: no connection, it broke, or time was over
     └── ServerFault             every other answer that is none: 5xx, redirects, what cannot be read

The problem details of RFC 9457 (`application/problem+json`) fill `code`, `detail`, `errors` and `request_id`; an answer
of something in between (a proxy's page) has none of these and is told by its status alone. No error holds the key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from actions.root import UmbelError
from orchestrator.retry_after import retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LONGEST: Final = 2_000
"""Characters of a text that came from outside: an error is a line, not a page."""
_WORD: Final = re.compile(r"\w+")
_TOLD: Final = 3
"""Flaws that stand in an error's own line; `errors` holds them all."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong with what was sent."""

    pointer: str
    """Where, as a JSON pointer into the body (RFC 6901): "/arguments/quantity"."""
    detail: str
    """What is wrong there, in words."""
    code: str = ""
    """The same as a stable code; empty: there is none."""


class ApiError(UmbelError):
    """The service said no, or nothing. `code` is the problem's stable code, not its class's, where it named one."""

    code = "api"
    exit_code = 69

    def __init__(
        self,
        detail: str,
        *,
        status: int = 0,
        code: str = "",
        errors: tuple[Flaw, ...] = (),
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        self.detail = detail
        """What happened, for people."""
        self.status = status
        """The HTTP status; 0: there was no answer."""
        self.code = code or type(self).code
        self.errors = errors
        """What is wrong with the body, part by part."""
        self.request_id = request_id
        """By which the service's log knows the request."""
        self.retry_after = retry_after
        """Seconds that the service asks to wait before the next try; None: it asked for none."""
        super().__init__(detail)

    def __str__(self) -> str:
        """One line: what, where, and by which names to look for it."""
        detail = "" if self._only_repeats() else self.detail
        told = [each for each in self.errors if not (detail and each.detail in detail)]
        flaws = [f"{each.pointer or '/'}: {each.detail}" for each in told[:_TOLD]]
        if (more := len(told) - _TOLD) > 0:
            flaws.append(f"{more} more")
        named = [str(self.status) if self.status else "", self.code]
        known = " ".join(filter(None, named)) + (f", request {self.request_id}" if self.request_id else "")
        return ": ".join(filter(None, (detail, "; ".join(flaws)))) + f" ({known})"

    def _only_repeats(self) -> bool:
        """Whether the detail says nothing that `errors` do not say with the place as well."""
        rest = self.detail
        for text in sorted((each.detail for each in self.errors), key=len, reverse=True):
            rest = rest.replace(text, " ") if text else rest
        places = {word for each in self.errors for word in _WORD.findall(each.pointer)}
        return bool(self.errors) and (self.code == "validation" or set(_WORD.findall(rest)) <= places)

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep everything when it crosses to another process."""
        return _again, (type(self), self.__dict__)


class PlainHttpWarning(UserWarning):
    """A key is sent over plain http to another machine: whoever is on the way can read and use it."""


class Unauthorised(ApiError):
    """There is no key, or the service knows no such one (any more)."""

    code = "unauthorised"
    exit_code = 77


class Forbidden(ApiError):
    """The key may not do this."""

    code = "forbidden"
    exit_code = 77


class NotFound(ApiError):
    """It is not there: it never was, its time was over, or it is another tenant's."""

    code = "not_found"
    exit_code = 65


class Conflict(ApiError):
    """It cannot be done as things stand; `code` says why."""

    code = "conflict"
    exit_code = 75


class TooLarge(ApiError):
    """The body is larger than the service takes."""

    code = "too_large"
    exit_code = 65


class Invalid(ApiError):
    """What was sent is not right; `errors` say where."""

    code = "invalid"
    exit_code = 65


class TooManyRequests(ApiError):
    """The key asks more often than it may, or the service serves as many streams as it can."""

    code = "rate_limited"
    exit_code = 75


class Unavailable(ApiError):
    """The service, or the Redis behind it, cannot answer now; later it may."""

    code = "unavailable"
    exit_code = 69


class Unreachable(Unavailable):
    """Nobody answered: there was no connection, it broke, or the time was over."""

    code = "unreachable"


class ServerFault(ApiError):
    """The service failed, or answered what cannot be read; its log knows more."""

    code = "internal"
    exit_code = 70


_KINDS: Final = {
    401: Unauthorised,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    429: TooManyRequests,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}
_CLIENT_ERRORS: Final = range(400, 500)


def kind_of(status: int) -> type[ApiError]:
    """The error for an HTTP status that is no success."""
    return _KINDS.get(status) or (Invalid if status in _CLIENT_ERRORS else ServerFault)


def error_of(
    status: int, headers: Mapping[str, str], body: bytes, hide: Callable[[Any], Any] = lambda told: told
) -> ApiError:
    """The error that an answer stands for; `headers` are found by names in small letters, `hide` masks the key."""
    problem = hide(_problem(body))
    detail = _text(problem, "detail") or _text(problem, "title")
    return kind_of(status)(
        detail or f"the answer is HTTP {status} without a reason",
        status=status,
        code=_text(problem, "code"),
        errors=tuple(_flaws(problem.get("errors"))),
        request_id=_text(problem, "request_id") or _line(hide(headers.get("x-request-id", ""))),
        retry_after=retry_after(headers),
    )


def _problem(body: bytes) -> dict[str, Any]:
    try:
        found = from_json(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _flaws(given: Any) -> list[Flaw]:
    if not isinstance(given, list):
        return []
    return [
        Flaw(_text(each, "pointer"), _text(each, "detail"), _text(each, "code"))
        for each in given
        if isinstance(each, dict)
    ]


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    return _line(value) if isinstance(value, str) else ""


def _line(text: str) -> str:
    """Text from outside as a line that a terminal can show."""
    return " ".join("".join(each if each.isprintable() else " " for each in text[:_LONGEST]).split())


def _again(kind: type[ApiError], state: dict[str, Any]) -> ApiError:
    error = kind(state["detail"])
    error.__dict__.update(state)
    return error
