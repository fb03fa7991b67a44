"""Problem details (RFC 9457): whatever went wrong in, one `application/problem+json` answer out.

Routes raise `Problem`, or let our own errors pass. No answer holds a traceback, the text of an exception that is not
ours, an address of Redis or a secret; what is unexpected is `internal`, and only the log says where it came from.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import Scope

from actions.errors import UmbelError
from actions.messages import mended
from orchestrator.api.problem_kinds import KINDS, Kind, kind_of
from orchestrator.keyring import masked

log: Final = logging.getLogger("umbel.api")

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 1
"""What a client is asked to wait when Redis is away: it looks again by itself, and a retry costs little."""

_OF_STATUS: Final = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}
_NO_ROUTE: Final = (
    "No route has this path; GET /docs shows all. Ids in paths begin with conv_, turn_ or run_."
)
_AS_IT_IS: Final = "/:@!$&'()*+,;=~"
"""Characters that a path may have without being percent-encoded (RFC 3986)."""
_MOST_ERRORS: Final = 100
_LONGEST: Final = 1_000


class Problem(HTTPException):
    """A request that ends in a problem; `code` is one of `problem_kinds.KINDS`."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        """Make one.

        Args:
            code: of the kind; an unknown one is `internal`.
            detail: what happened this time; empty: the first of the errors, else what the kind means.
            errors: `{"pointer", "detail", "code"?}` for each flaw of the body; `parameter` names one of the URL.
            headers: to be sent with it, such as Retry-After.
            more: members of its own (RFC 9457 calls them extensions).
        """
        self.code, self.kind = kind_of(code, "internal")
        self.errors = list(errors)[:_MOST_ERRORS]
        self.more = dict(more or {})
        super().__init__(
            self.kind.status, detail or _first(self.errors) or self.kind.meaning, dict(headers or {})
        )

    def answer(self, scope: Scope) -> Response:
        """The answer to the request of this scope."""
        body = {
            "type": f"/problems/{self.code}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": str(self.detail)[:_LONGEST],
            "code": self.code,
            "instance": quote(scope.get("path", ""), safe=_AS_IT_IS),
            "request_id": scope.get("state", {}).get("request_id", ""),
            **({"errors": self.errors} if self.errors else {}),
            **self.more,
        }
        return Response(to_json(mended(body)), self.kind.status, self.headers, MEDIA_TYPE)


def problem_of(error: Exception) -> Problem:
    """The problem that an exception stands for; what nobody expected is logged, by its place and not by its text."""
    match error:
        case Problem():
            return error
        case RequestValidationError():
            return Problem("validation")  # routes of ours say more: see `validation`
        case StarletteHTTPException():
            detail = _NO_ROUTE if error.status_code == HTTPStatus.NOT_FOUND else ""
            return Problem(_OF_STATUS.get(error.status_code, "bad_request"), detail, headers=error.headers)
        case ClientDisconnect():
            return Problem("bad_request")  # nobody hears it
        case UmbelError() if error.code in KINDS:
            return _of_ours(error, KINDS[error.code])
        case _:
            log.error("%s in a request:\n%s", type(error).__name__, _places(error))
            return Problem("internal")


def install(app: FastAPI) -> None:
    """Let the app answer its own errors and ours in this way."""
    for kind in (StarletteHTTPException, RequestValidationError, UmbelError):
        app.add_exception_handler(kind, _handle)


def pointer(parts: Sequence[Any]) -> str:
    """A JSON pointer (RFC 6901) of keys and places."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


def _first(errors: Sequence[Mapping[str, Any]]) -> str:
    """The first flaw, and how many more there are."""
    if not errors:
        return ""
    place, text = str(errors[0]["pointer"]).strip("/").replace("/", "."), str(errors[0]["detail"])
    more = f"; and {len(errors) - 1} more" if len(errors) > 1 else ""
    return f"{place}: {text}{more}" if place else f"{text}{more}"


def _of_ours(error: UmbelError, kind: Kind) -> Problem:
    text = " ".join(str(error).split())
    if kind.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Problem(error.code, text)
    log.warning("%s: %s", error.code, masked(text))
    if kind.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return Problem(error.code, headers={"Retry-After": str(RETRY_AFTER_S)})
    return Problem("internal")


async def _handle(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    if problem.code == "method_not_allowed":
        problem.headers = {"Allow": _allowed(request)}
    return problem.answer(request.scope)


def _allowed(request: Request) -> str:
    """The methods of all routes with this path: the router itself names those of the first one alone."""
    found: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            found |= set(getattr(route, "methods", None) or ())
    return ", ".join(sorted(found))


def _places(error: BaseException) -> str:
    """Where it came from, without what it says: texts of strangers' exceptions may hold values."""
    return "".join(traceback.format_tb(error.__traceback__))
