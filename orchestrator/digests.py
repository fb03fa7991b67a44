"""Exactly what is asked for, in few characters: a request, or an action and its validated params, in; a digest out.

An approval holds for one digest, and a follow-up that has the digest of one of its ancestors goes in a circle. What is
shown to a person are the arguments themselves, never a summary; only what an action declares as secret (`SecretStr`)
stays hidden.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from pydantic_core import to_json

from actions.canonical import canonical

if TYPE_CHECKING:
    from pydantic import BaseModel

    from actions.definition import Action


def arguments_digest(action: Action, params: BaseModel) -> str:
    """The digest of an action and its validated params, 32 hex characters; equal ones have the same."""
    told = canonical([action.name, params])
    return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def shown_arguments(params: BaseModel) -> str:
    """The validated arguments as JSON for a person who decides on them, with secrets hidden."""
    return to_json(params, by_alias=True, fallback=repr, inf_nan_mode="strings").decode()


def digest(*parts: str | bytes) -> str:
    """A short digest by which a repeated request is told from another one under the same key."""
    told = blake2b(digest_size=12)
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        told.update(len(data).to_bytes(8, "big") + data)
    return told.hexdigest()
