"""What does not fit of a request's envelope: pydantic's errors in, one problem in our own words out.

The first flaw stands in `detail`, so that one who reads nothing else can go on; `errors` has them all. No value that
was sent comes back: it may be long, or a secret. What does not fit in a path means that there is nothing there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, get_args

from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from orchestrator.api.problems import Problem, pointer

_MOST: Final = 100
_LONGEST: Final = 1_000
_TIME: Final = "a time is wanted, written as 2026-01-31T12:00:00Z, with its zone"
_WORDS: Final = {
    "missing": "is missing",
    "bool": "true or false is wanted",
    "datetime": _TIME,
    "timezone_aware": _TIME,
    "dict_type": "an object is wanted",
    "enum": "{expected} is wanted",
    "finite_number": "a finite number is wanted",
    "float": "a number is wanted",
    "greater_than": "more than {gt} is wanted",
    "greater_than_equal": "at least {ge} is wanted",
    "int": "a whole number is wanted",
    "less_than": "less than {lt} is wanted",
    "less_than_equal": "at most {le} is wanted",
    "list_type": "a list is wanted",
    "literal_error": "{expected} is wanted",
    "model": "an object is wanted",
    "string_pattern_mismatch": "it has not the form {pattern}",
    "string_too_long": "it has more than {max_length} characters",
    "string_too_short": "it has fewer than {min_length} characters",
    "string": "a text is wanted",
    "too_long": "it has more than {max_length} entries",
    "too_short": "it has fewer than {min_length} entries",
}
"""By pydantic's own types of errors, or by what the type begins with (`int_type`, `int_parsing`)."""
_UNKNOWN: Final = "extra_forbidden"
_SUBJECT: Final = re.compile(r"^(?:[A-Z][a-z]+ )+should\b")  # pydantic begins with a subject of its own


def problem_of(error: RequestValidationError, dependant: Dependant) -> Problem:
    """The problem of a request to the route that takes this."""
    flaws = error.errors()
    if named := [flaw["loc"] for flaw in flaws if flaw["loc"][:1] == ("path",)]:
        return Problem(
            "not_found", "Nothing here has such a name." if named[0][-1] in {"name", "code"} else ""
        )
    return Problem("validation", errors=[_flaw(flaw, dependant) for flaw in flaws[:_MOST]])


def _flaw(flaw: Mapping[str, Any], dependant: Dependant) -> dict[str, str]:
    place, *rest = flaw["loc"] or ("body",)
    code = str(flaw["type"])
    if place == "body":
        text = _worded(flaw, _fields(dependant, rest[:-1]))
        return {"pointer": pointer(rest), "detail": text if rest else f"the body: {text}", "code": code}
    name = str(rest[0] if rest else place)
    told = f"{name}: {_worded(flaw, _parameters(dependant, place))}"
    return {"pointer": "", "parameter": name, "detail": told[:_LONGEST], "code": code}


def _worded(flaw: Mapping[str, Any], known: Sequence[str]) -> str:
    kind, context = str(flaw["type"]), flaw.get("ctx", {})
    if kind == _UNKNOWN:
        return f"is unknown; known are {', '.join(known)}" if known else "is unknown"
    words = _WORDS.get(kind) or _WORDS.get(kind.partition("_")[0])
    if context.get("min_length") == 1:
        return "is empty"
    if words is not None:
        return words.format_map(context)[:_LONGEST]
    message = str(context["error"]) if "error" in context else str(flaw["msg"])
    return _SUBJECT.sub("should", message.removeprefix("Value error, "))[:_LONGEST]


def _fields(dependant: Dependant, way: Iterable[Any]) -> list[str]:
    """What the object at this place of the body may have."""
    models = [model for field in dependant.body_params for model in _models(field.field_info.annotation)]
    for step in way:
        if isinstance(step, str):
            within = [model.model_fields[step].annotation for model in models if step in model.model_fields]
            models = [model for annotation in within for model in _models(annotation)]
    return sorted({name for model in models for name in model.model_fields})


def _parameters(dependant: Dependant, place: str) -> list[str]:
    """The parameters of the URL's query."""
    if place != "query":
        return []
    found: set[str] = set()
    for field in dependant.query_params:
        models = _models(field.field_info.annotation)
        found |= {name for model in models for name in model.model_fields} or {field.alias}
    return sorted(found.union(*(_parameters(each, place) for each in dependant.dependencies)))


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models that a type speaks of, in whatever they are wrapped."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]
