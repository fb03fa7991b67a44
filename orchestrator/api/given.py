"""What routes are given beside their bodies: the house and its parts, where a page begins.

In: a request. Out: dependencies with a name of their own, so that no handler looks for them itself.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Depends, Query, Request, Response

from orchestrator.api.conventions import REPLAYED
from orchestrator.api.service import service_of
from orchestrator.assembly import House
from orchestrator.conductor import Conductor


async def _house(request: Request) -> House:
    return service_of(request).house


async def _conductor(request: Request) -> Conductor:
    return service_of(request).house.conductor


_HEADERS: Final = {
    "Location": {"description": "Where it can be read.", "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "`true`, if it had been made before under the same key; else it is not there.",
        "schema": {"type": "string"},
    },
}

TheHouse = Annotated[House, Depends(_house)]
"""Settings, actions, store and conductor."""
Conducting = Annotated[Conductor, Depends(_conductor)]
"""Who hands work to the store."""
Cursor = Annotated[
    str, Query(max_length=1_024, description="`next` of the page before; left out: the first page.")
]
"""Where a page begins."""


def told_of_making(status: int, description: str) -> dict[int | str, dict[str, Any]]:
    """What the API's description says of an answer to something that was made."""
    return {status: {"description": description, "headers": _HEADERS}}


def made(response: Response, url: str, *, repeated: bool) -> None:
    """Say where what was made can be read, and whether it had been made before."""
    response.headers["Location"] = url
    if repeated:
        response.headers.update(REPLAYED)
