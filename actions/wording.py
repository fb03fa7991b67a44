"""Why arguments do not fit, in words for the model: pydantic's errors in, a short text out, and the same as flaws.

One line for each place: the path, what is wanted, and a short look at what came instead. However many problems there
are and however long the values, the text keeps within `MOST_BYTES`; a value that the action declares as a secret is
never shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, Protocol

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticSerializationError, to_json

from actions.coercion import BRANCH
from actions.refusals import Flaw
from actions.scalars import WANTED
from actions.short import cut

MOST_BYTES: Final = 1_400
"""Bytes of a whole text; with what others put beside it, a model reads at most 2 kB."""
_ECHO: Final = 60
_PATH: Final = 80
_WISH: Final = 280
_LINES: Final = 12
_MOST: Final = 100
"""Problems that are worded; nobody reads more."""
_COUNTED: Final = 5_000
"""Problems above which none is looked at: hundreds of thousands would hold up everybody for a second."""
_KNOWN: Final = 20
_KNOWN_LENGTH: Final = 200
_KINDS: Final = {
    "bool_type": "true or false",
    "dataclass_type": "an object",
    "dict_type": "an object",
    "finite_number": "a finite number",
    "float_type": "a number",
    "int_type": "an integer",
    "list_type": "a list",
    "model_attributes_type": "an object",
    "model_type": "an object",
    "none_required": "null",
    "set_type": "a list",
    "string_type": "a text",
    "string_unicode": "a text that is valid Unicode",
    "tuple_type": "a list",
}
_UNKNOWN: Final = frozenset({"extra_forbidden", "unexpected_keyword_argument"})
_SUBJECT: Final = re.compile(r"^(?:[A-Z][a-z]+ )+should\b")  # pydantic begins with a subject of its own


class Taking(Protocol):
    """What takes arguments: an action, or whatever else has keys and params."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that may be given."""
        ...

    @property
    def params(self) -> type[BaseModel]:
        """What they are validated into."""
        ...


def worded(action: Taking, error: ValidationError) -> tuple[str, list[Flaw]]:
    """One line for each path; a union's branches, each with its own complaint, share their line.

    Of many problems the first are told and the rest counted. The same again as flaws, for programs.
    """
    if (count := error.error_count()) > _COUNTED:
        return f"the arguments have {count:,} problems; known arguments are {_known(action) or 'none'}", []
    problems = error.errors(include_url=False)
    return told(_flaws(action, problems[:_MOST]), more=len(problems[_MOST:]))


def told(flaws: Sequence[Flaw], *, more: int = 0) -> tuple[str, list[Flaw]]:
    """A line for each flaw, as many as there is room for; `more` are those that nobody has worded."""
    lines: list[str] = []
    left = MOST_BYTES
    for way, text in flaws[:_LINES]:
        line = f"{cut(path(way), _PATH)}: {text}".encode(
            errors="replace"
        ).decode()  # a key may hold half a pair
        left -= len(line.encode()) + 1
        if left < 0 and lines:
            break
        lines.append(line)
    if rest := len(flaws) - len(lines) + more:
        lines.append(f"and {rest} more problems")
    return "\n".join(lines), list(flaws)


def path(way: Iterable[int | str]) -> str:
    """Write a way as people do: `items[0].price`."""
    written = ""
    for step in way:
        if isinstance(step, int):
            written += f"[{step}]"
        else:
            written += f".{step}" if written else step
    return written or "arguments"


def _flaws(action: Taking, problems: Iterable[ErrorDetails]) -> list[Flaw]:
    wishes: dict[tuple[int | str, ...], list[str]] = {}
    came: dict[tuple[int | str, ...], str] = {}
    knows = False
    for problem in problems:
        way = tuple(
            step for step in problem["loc"] if not (isinstance(step, str) and step.startswith(BRANCH))
        )
        named = wishes.setdefault(way, [])
        if (wish := _wish(action, problem, knows=knows)) not in named:
            named.append(wish)
        knows = knows or problem["type"] in _UNKNOWN
        if problem["type"] != "missing" and problem["type"] not in _UNKNOWN:
            came[way] = f", got {'a secret' if _is_secret(action, way) else _echo(problem['input'])}"
    return [(way, cut(" or ".join(named), _WISH) + came.get(way, "")) for way, named in wishes.items()]


def _wish(action: Taking, problem: ErrorDetails, *, knows: bool) -> str:
    """What is wanted instead; `knows`: the model was told already which keys there are."""
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "missing":
        return "is missing and has no default"
    if kind in _UNKNOWN:
        return _unknown(action, knows=knows) if len(problem["loc"]) == 1 else "is unknown here"
    if kind == WANTED:
        return f"{cut(context['wanted'], _WISH - len(' is wanted'))} is wanted"
    if kind in _KINDS:
        return f"{_KINDS[kind]} is wanted"
    if kind in {"literal_error", "enum"}:
        return f"{cut(context['expected'], _WISH - len(' is wanted'))} is wanted"
    message = str(context["error"]) if "error" in context else problem["msg"]
    return _SUBJECT.sub("should", cut(message, _WISH))


def _unknown(action: Taking, *, knows: bool) -> str:
    if not action.keys:
        return "is unknown: this action has no parameters"
    return "is unknown" if knows else f"is unknown; known are {_known(action)}"


def _known(action: Taking) -> str:
    """The keys that there are, as many as there is room for."""
    names = ", ".join(action.keys[:_KNOWN])
    if len(names) > _KNOWN_LENGTH:
        names = names[:_KNOWN_LENGTH].rpartition(", ")[0]
    return names + (", …" if len(names) < len(", ".join(action.keys)) else "")


def _echo(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    try:
        shown = value[: _ECHO + 1] if isinstance(value, str | bytes) else value
        return cut(to_json(shown).decode(), _ECHO)
    except (PydanticSerializationError, ValueError):
        return f"a {type(value).__name__}"


def _is_secret(action: Taking, way: Iterable[int | str]) -> bool:
    return not _secrets(action.params).isdisjoint(way)


@lru_cache(maxsize=512)
def _secrets(params: type[BaseModel]) -> frozenset[int | str]:
    """The keys, at any level, under which a secret stands."""
    try:
        schema = params.model_json_schema()
    except Exception:  # noqa: BLE001 - a type of the author's without a schema: then none is known
        return frozenset()
    found: set[int | str] = set()
    pending: list[Any] = [schema]
    while pending:
        here = pending.pop()
        if isinstance(here, dict):
            inside = here.get("properties")
            named = inside.items() if isinstance(inside, dict) else ()
            found.update(key for key, shape in named if '"format": "password"' in json.dumps(shape))
            pending.extend(here.values())
        elif isinstance(here, list):
            pending.extend(here)
    return frozenset(found)
