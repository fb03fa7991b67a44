"""Undos that failed for the last time: they rest until somebody has them tried again."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from orchestrator import cursors
from orchestrator.api import verdicts
from orchestrator.api.auth import Operator
from orchestrator.api.given import Conducting, Cursor, TheHouse
from orchestrator.api.guarding import Router
from orchestrator.api.ownership import OwnRun
from orchestrator.wire import Undos, Verdict

router = Router(tags=["undos"])


@router.get("/v1/undos", summary="List undos that failed")
async def list_undos(
    caller: Operator,
    conductor: Conducting,
    limit: Annotated[int, Query(ge=1, le=500, description="How many at most.")] = 100,
    cursor: Cursor = "",
) -> Undos:
    """Runs whose effect could not be taken back, oldest first.

    A page may hold fewer than `limit` and still have a next one.
    """
    after = cursors.decode_place("undos", cursor)
    found, rest = await conductor.stuck_page(caller.tenant, limit=limit, after=after)
    return Undos(undos=tuple(found), next=cursors.encode_place("undos", rest))


@router.post("/v1/undos/{run_id}/retry", summary="Retry an undo")
async def retry_undo(found: OwnRun, caller: Operator, house: TheHouse) -> Verdict:
    """Try it again; those of the steps before it follow."""
    return Verdict(id=found.id, verdict=await verdicts.retry_undo(house, caller, found.id))
