"""The description of the API, OpenAPI 3.1: what FastAPI knows of the routes in, with what it cannot know out.

Each guarded route gets the problems that it may answer with, by reference. The committed copy is `docs/openapi.json`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi.openapi.utils import get_openapi

from orchestrator.api.guarding import GuardedRoute
from orchestrator.api.problem_kinds import KINDS
from orchestrator.api.problems import MEDIA_TYPE

if TYPE_CHECKING:
    from fastapi import FastAPI

VERSION: Final = "1"
"""Of the API, not of the package: it stands in the paths."""

_DESCRIPTION: Final = """\
Other services hand in work here: replies of models, user messages, single runs; and read what came of it.

Every request but those to the process itself bears a key (`Authorization: Bearer umb_…`). Its tenant is a wall: what
belongs to another one answers as what is not there. What makes something takes an `Idempotency-Key`; all else may be
repeated as it is. Answers that are no success are problem details (RFC 9457) with a stable `code`.
"""

_TAGS: Final = {
    "runs": "Accepted calls, each with one result; also without a conversation: how other services submit jobs.",
    "conversations": "Messages in order, a state and a context; at most one turn of each is live.",
    "turns": "One user message, or one posted reply, and its rounds of calls.",
    "approvals": "What waits for a person.",
    "events": "What happens, as it happens: Server-Sent Events that can be gone on with from any id.",
    "actions": "What may be asked for, also as tools in the words of model providers.",
    "dead": "What came to a bad end: look, edit, run again, discard.",
    "undos": "Undos that failed for good.",
    "limits": "Rate limits and locks of the whole house.",
    "queues": "What is ready, runs and waits.",
    "about": "About the API itself; open.",
    "the process": "For those who look after this process; open.",
}

_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code", "instance", "request_id"],
    "properties": {
        "type": {
            "type": "string",
            "description": "Where the kind of problem is explained: a reference to this host.",
        },
        "title": {"type": "string", "description": "The kind, in words."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What happened this time."},
        "code": {"type": "string", "description": "The kind, stable: for programs."},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "request_id": {"type": "string", "description": "By which the service's log knows the request."},
        "errors": {
            "type": "array",
            "description": "What is wrong with what was sent, part by part.",
            "items": {"$ref": "#/components/schemas/Flaw"},
        },
    },
}
_FLAW: Final[dict[str, Any]] = {
    "type": "object",
    "title": "Flaw",
    "description": "One thing that is wrong with what was sent.",
    "required": ["pointer", "detail"],
    "properties": {
        "pointer": {"type": "string", "description": "Where, as a JSON pointer into the body (RFC 6901)."},
        "parameter": {
            "type": "string",
            "description": "The parameter of the URL or the header, if it is one.",
        },
        "detail": {"type": "string", "description": "What is wrong there."},
        "code": {"type": "string", "description": "The same, stable: for programs."},
    },
}

_ALWAYS: Final = (401, 403, 429, 500, 503)
_WITH_BODY: Final = (400, 408, 413, 415)
_WRITES: Final = {"post", "put", "patch", "delete"}
_RETRY_AFTER: Final = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}


_MADE: Final = {
    "open_conversation": ("201", "conversation", "conversation_id"),
    "post_message": ("202", "turn", "turn_id"),
    "post_reply": ("202", "turn", "turn_id"),
    "submit": ("202", "run", "run_id"),
}
"""Operations that make something: the status of their answers, which field names it, and as what others take it."""


_EXAMPLES: Final[dict[str, Any]] = {
    "submit": {"action": "TAKE_ORDER", "arguments": {"item": "tea"}},
    "open_conversation": {"participants": {"alice": ""}},
    "post_message": {"text": "A pot of tea, please."},
    "approve_run": {},
    "deny_run": {"reason": "too much"},
    "replay_run": {"new_key": False},
    "edit_dead": {"arguments": {"item": "rice"}, "merge": True},
    "replay_many": {"runs": ["run_aExample"]},
    "discard_many": {"runs": ["run_aExample"]},
    "set_limit": {"n": 100, "per": "1m"},
}
"""Bodies that operations take."""


def install(app: FastAPI) -> None:
    """Let the app describe itself so."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = describe(app)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def describe(app: FastAPI) -> dict[str, Any]:
    """The whole description."""
    told = get_openapi(
        title=app.title,
        version=VERSION,
        description=_DESCRIPTION,
        routes=app.routes,
        tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
        openapi_version="3.1.0",
    )
    parts = told.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas |= {"Problem": _PROBLEM, "Flaw": _FLAW}
    parts["responses"] = {f"Problem{status}": _response(status) for status in sorted(_statuses())}
    for route in app.routes:
        if isinstance(route, GuardedRoute) and route.include_in_schema:
            for method in route.methods or ():
                operation = told["paths"][route.path_format][method.lower()]
                _complete(operation, method.lower(), route.scopes)
    _link(told)
    return told


def _link(told: dict[str, Any]) -> None:
    """Say where the id of what was made leads to."""
    operations = [each for methods in told["paths"].values() for each in methods.values()]
    for maker in operations:
        if maker["operationId"] not in _MADE:
            continue
        status, field, parameter = _MADE[maker["operationId"]]
        maker["responses"][status]["links"] = {
            each["operationId"]: {
                "operationId": each["operationId"],
                "parameters": {parameter: f"$response.body#/{field}"},
            }
            for each in operations
            if any(taken["name"] == parameter for taken in each.get("parameters", []))
        }


def _complete(operation: dict[str, Any], method: str, scopes: frozenset[str]) -> None:
    """Say which scopes open a route, and which problems it answers with."""
    guarded = bool(scopes)
    if (example := _EXAMPLES.get(operation["operationId"])) is not None:
        content = operation["requestBody"]["content"]["application/json"]
        content["examples"] = {"one": {"value": example}}
    if guarded:
        operation["security"] = [{"key": [scope]} for scope in sorted(scopes)]  # any of them
    responses = operation["responses"]
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
    places = {each["in"] for each in operation.get("parameters", [])}
    expected = [500, *(_ALWAYS if guarded else ())]
    expected += _WITH_BODY if "requestBody" in operation else ()
    expected += [404] if "path" in places else []
    expected += [422] if "requestBody" in operation or places - {"path"} else []
    expected += [409, 422] if guarded and method in _WRITES else []
    expected += [int(status) for status in responses if status >= "400"]  # what the route says of itself
    for status in sorted(set(expected)):
        responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    operation["responses"] = dict(sorted(responses.items()))


def _response(status: int) -> dict[str, Any]:
    codes = ", ".join(f"`{code}`" for code, kind in sorted(KINDS.items()) if kind.status == status)
    told: dict[str, Any] = {
        "description": f"A problem: one of {codes}.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    return told | ({"headers": _RETRY_AFTER} if status in {429, 503} else {})


def _statuses() -> set[int]:
    return {kind.status for kind in KINDS.values()}
