"""Approvals: what waits for a person. The decisions stand with the runs (`/v1/runs/{id}/approve`, `…/deny`)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from orchestrator import cursors
from orchestrator.api.auth import Reader
from orchestrator.api.given import Conducting, Cursor
from orchestrator.api.guarding import Router
from orchestrator.wire import Approvals

router = Router(tags=["approvals"])


@router.get("/v1/approvals", summary="List what waits for an approval")
async def list_approvals(
    caller: Reader,
    conductor: Conducting,
    limit: Annotated[int, Query(ge=1, le=500, description="How many at most.")] = 100,
    cursor: Cursor = "",
) -> Approvals:
    """Runs that wait for a person, oldest first, each with the arguments that it will have if it is approved.

    A page may hold fewer than `limit` and still have a next one: it ends at 4 MiB.
    """
    after = cursors.decode_place("approvals", cursor)
    found, rest = await conductor.wanted_page(caller.tenant, limit=limit, after=after)
    return Approvals(approvals=tuple(found), next=cursors.encode_place("approvals", rest))
