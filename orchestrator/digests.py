"""Exactly what is asked for, in few characters: a request, or an action and its validated params, in; a digest out.

An approval holds for one digest, and a follow-up that has the digest of one of its ancestors goes in a circle. What is
shown to a person are the arguments themselves, never a summary; only what an action declares as secret (`SecretStr`)
stays hidden.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticSerializationError, to_json

from actions.canonical import canonical
from actions.messages import mended

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import BaseModel

    from actions.definition import Action
    from actions.messages import Call


def arguments_digest(action: Action, params: BaseModel) -> str:
    """The digest of an action and its validated params, 32 hex characters; equal ones have the same."""
    told = canonical([action.name, params])
    return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def shown_arguments(params: BaseModel) -> str:
    """The validated arguments as JSON for a person who decides on them, with secrets hidden."""
    try:
        return _shown(params)
    except (
        PydanticSerializationError,
        UnicodeDecodeError,
    ):  # bytes that are no text, or half a surrogate pair
        return _shown({name: _showable(value) for name, value in params.__dict__.items()})


def _showable(value: Any) -> Any:
    """A value if it has a JSON form, else how Python writes it, which hides secrets as well."""
    try:
        _shown(value)
    except (PydanticSerializationError, UnicodeDecodeError):
        return ascii(value)
    return value


def _shown(value: Any) -> str:
    return to_json(value, by_alias=True, fallback=repr, inf_nan_mode="strings").decode()


def request_digest(message: str, calls: Sequence[Call], *how: str) -> str:
    """The digest of calls that are handed in: their message, what they say of each other, how they shall be run."""
    ties = [[call.step, call.depends_on, call.uses] for call in calls]
    told = canonical(ties) if any(any(each) for each in ties) else ""
    return digest(message, *(part for part in (told, *how) if part))


def owner_of(principal: str | None, permissions: Iterable[str]) -> str:
    """On whose behalf a request is made, with which rights, as one text."""
    return canonical([mended(principal or ""), sorted(permissions)])


def digest(*parts: str | bytes) -> str:
    """A short digest by which a repeated request is told from another one under the same key."""
    told = blake2b(digest_size=12)
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        told.update(len(data).to_bytes(8, "big") + data)
    return told.hexdigest()
