"""What a person writes into a variable: its text in, a value out; or what is wrong with it, in words for that person.

`orchestrator.settings` is the table of what there is; here is how any such table is read. No message repeats an
address or a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError

from actions.errors import DeclarationError
from actions.policy import duration, milliseconds
from orchestrator import rates
from orchestrator.addresses import check_origin, check_redis, check_web

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

T = TypeVar("T")

PREFIX = "UMBEL_"
"""What the variable of each setting begins with; its name in capitals follows."""


def given(fields: Mapping[str, FieldInfo], env: Mapping[str, str]) -> dict[str, str]:
    """What `env` says of these settings, by their names; an empty variable counts as not set."""
    texts = {name: env.get(PREFIX + name.upper()) for name in fields}
    return {name: text for name, text in texts.items() if text}


def as_text(value: Any) -> str:
    """A value as it stands in a variable; secrets in plain text."""
    match value:
        case SecretStr():
            return value.get_secret_value()
        case tuple():
            return ",".join(value)
        case timedelta():
            return f"{value / timedelta(milliseconds=1):.0f}ms"
        case _:
            return str(value)


def meaning(field: FieldInfo) -> str:
    """What a setting is, in one line."""
    return " ".join((field.description or "").split())


def explain(error: ValidationError, fields: Mapping[str, FieldInfo]) -> str:
    """One line for each variable that is wrong, worded for the person who set it."""
    lines = []
    for problem in error.errors(include_url=False):
        name = "".join(f"{PREFIX}{part}".upper() for part in problem["loc"][:1])
        text = _wording(problem["type"], problem["msg"], name, problem["input"])
        field = fields.get(str(problem["loc"][0])) if problem["loc"] else None
        lines.append(f"{name} {text}{f' ({meaning(field)})' if field else ''}".strip())
    return "; ".join(lines)


def _wording(kind: str, message: str, name: str, value: Any) -> str:
    if kind.startswith("int_"):
        return f"is {value!r:.40}, which is not a whole number{_cure(name, value)}"
    text = message.removeprefix("Value error, ")
    return text if text is not message else f"is not right: {message[0].lower()}{message[1:]}"


def _cure(name: str, value: Any) -> str:
    """What to write instead of a duration such as "30s", where milliseconds are wanted."""
    try:
        return f": write {milliseconds(duration(value))}" if name.endswith("_MS") else ""
    except DeclarationError:
        return ""


# What a value may be


def _span(value: object) -> object:
    """A duration as a person writes it ("250ms", "7d"); anything else is left for pydantic to judge."""
    if not isinstance(value, str):
        return value
    try:
        return duration(value)
    except DeclarationError as error:
        raise ValueError(f"is not right: {error}") from None


def _names(value: object) -> object:
    """Names that a person parts by commas."""
    if not isinstance(value, str):
        return value
    return tuple(name.strip() for name in value.split(",") if name.strip())


def _checked(check: Callable[[T], object]) -> AfterValidator:
    """Keep the value as it is, if `check` does not raise."""

    def validate(value: T) -> T:
        check(value)
        return value

    return AfterValidator(validate)


def _check_pair(value: SecretStr) -> None:
    if not all(value.get_secret_value().partition(":")):
        raise ValueError("is not a pair; write user:password")


def _whole(path: Path) -> Path:
    return path.expanduser().absolute()


Span = Annotated[timedelta, BeforeValidator(_span), Field(gt=timedelta(0), le=timedelta(days=3660))]
"""A duration: "250ms", "7d"."""
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
"""Names, parted by commas."""
Origins = Annotated[Names, _checked(lambda origins: [check_origin(each) for each in origins])]
"""Origins of web pages, parted by commas."""
Folder = Annotated[Path, AfterValidator(_whole)]
"""A folder; `~` is the user's own."""
RedisUrl = Annotated[SecretStr, _checked(lambda url: check_redis(url.get_secret_value()))]
"""The address of a Redis, its password in it. What is wrong is found here, where the variable can still be named."""
WebUrl = Annotated[str, _checked(check_web), AfterValidator(lambda url: url.rstrip("/"))]
"""The address of a web server, without a slash at its end."""
Pair = Annotated[SecretStr, _checked(_check_pair)]
"""A user and a password, as user:password."""
Rate = Annotated[str, _checked(rates.read)]
"""So many in a window ("100/1s"), or nothing."""
