"""Queues: what is ready, what runs, what waits and for what, and who serves them."""

from __future__ import annotations

from orchestrator.api.auth import Admin
from orchestrator.api.given import TheHouse
from orchestrator.api.guarding import Router
from orchestrator.wire import Queues, QueueStanding

router = Router(tags=["queues"])


@router.get("/v1/queues", summary="List queues")
async def list_queues(_caller: Admin, house: TheHouse) -> Queues:
    """How the queues of the whole house stand. Looks through all keys."""
    found = await house.store.queues.standing()
    return Queues(queues=tuple(QueueStanding.model_validate(each) for each in found))
