"""How routes are declared: `Router` in place of FastAPI's, so that each is guarded before its body is read.

In: functions with `Needs` among their dependencies. Out: routes that admit their caller first, then take strict JSON
only. A route without `Needs` is open; the tests know by name those that may be.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic.warnings import UnsupportedFieldAttributeWarning
from starlette.routing import Match
from starlette.types import Scope

from orchestrator.api import validation
from orchestrator.api.auth import Needs, admit
from orchestrator.api.strictness import StrictRequest, check_json

_KINDS: Final = {"conversation_id": "conv_", "turn_id": "turn_", "run_id": "run_"}
"""What ids begin with, by the name of the part of a path."""


class GuardedRoute(APIRoute):
    """A route that asks who is there before it reads what they brought."""

    def __init__(self, *given: Any, **more: Any) -> None:
        """Declare it, and build what reads and writes its bodies now: their models wait until they are first used."""
        super().__init__(*given, **more)
        with warnings.catch_warnings():
            # FastAPI hands its own metadata to pydantic, and mutes this itself where it does not wait.
            warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)
            for field in (self.body_field, self.response_field, *self.response_fields.values()):
                if field is not None:
                    field.validate(None)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match paths as FastAPI does, but for ids of other kinds: `/v1/dead/discard` is no run's."""
        match, more = super().matches(scope)
        given = more.get("path_params", {})
        if given and any(name in given and not given[name].startswith(kind) for name, kind in _KINDS.items()):
            return Match.NONE, {}
        return match, more

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes of which it needs one; none: it is open."""
        asked = {each.scopes for each in _needs(self.dependant)}
        if len(asked) > 1:
            raise ValueError(f"{self.path} asks for scopes twice, and not for the same")
        return asked.pop() if asked else frozenset()

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's own handler."""
        handler = super().get_route_handler()
        scopes, takes_json = self.scopes, self.body_field is not None

        async def handle(request: Request) -> Response:
            if scopes:
                request.state.caller = await admit(request, scopes)
            if takes_json:
                check_json(request)
            try:
                return await handler(StrictRequest(request.scope, request.receive))
            except RequestValidationError as error:
                raise validation.problem_of(error, self.dependant) from None

        return handle


class Router(APIRouter):
    """A group of routes. Paths are whole (`/v1/runs`), for `app` takes the routes over as they are."""

    def __init__(self, **more: Any) -> None:
        """Take what FastAPI's takes."""
        super().__init__(
            route_class=GuardedRoute, redirect_slashes=False, generate_unique_id_function=_name, **more
        )


def _name(route: APIRoute) -> str:
    """The operation's id in the description: the function's name, which clients' generators make methods of."""
    return route.name


def _needs(dependant: Dependant) -> Iterator[Needs]:
    for each in dependant.dependencies:
        if isinstance(each.call, Needs):
            yield each.call
        yield from _needs(each)
