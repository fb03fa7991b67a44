"""Where the next page of a list begins: a kind and a few values in, an opaque text out, and back.

A cursor is a place, no permission: what is read from there on is checked like everything else, so it is not signed.
The digest only tells a cursor from what somebody typed.
"""

from __future__ import annotations

import base64
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from pydantic_core import from_json, to_json

from actions.errors import InvalidCursor

if TYPE_CHECKING:
    from orchestrator.store.places import Place

Value = str | int
"""What a place is made of."""

_CHECK: Final = 8
_LONGEST: Final = 1_024
_MOST: Final = 2**63


def encode(kind: str, *values: Value) -> str:
    """A cursor of this kind of list."""
    told = to_json([kind, *values])
    return base64.urlsafe_b64encode(_check(told) + told).decode().rstrip("=")


def decode(kind: str, cursor: str, *kinds: type[str | int]) -> tuple[Value, ...]:
    """The values of a cursor; each has to be of its type.

    Raises:
        InvalidCursor: it is none of this kind of list.
    """
    values = _read(kind, cursor)
    if values is None or [type(value) for value in values] != list(kinds):
        raise InvalidCursor("the cursor is none of this list", fix="Take `next` of the page before, whole")
    return tuple(values)


def encode_place(kind: str, at: Place | None) -> str | None:
    """The cursor of a place in an index by time; None: there is no next page."""
    return None if at is None else encode(kind, *at)


def decode_place(kind: str, cursor: str | None) -> Place | None:
    """The place that a cursor names; None: it is left out, so the list begins.

    Raises:
        InvalidCursor: it is none of this kind of list.
    """
    if not cursor:
        return None
    at, member = decode(kind, cursor, int, str)
    return int(at), str(member)


def _read(kind: str, cursor: str) -> list[Value] | None:
    """What stands in a cursor, if it is one of this kind."""
    if len(cursor) > _LONGEST:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found = from_json(raw[_CHECK:])
    except ValueError:
        return None
    if not isinstance(found, list) or not found or found[0] != kind or encode(*found) != cursor:
        return None
    numbers = (value for value in found if isinstance(value, int))
    return found[1:] if all(0 <= number < _MOST for number in numbers) else None


def _check(told: bytes) -> bytes:
    return blake2b(told, digest_size=_CHECK).digest()
