"""The dead: runs that ended dead, failed or timed out; they are looked at, edited, run again or discarded."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response
from pydantic import Field

from actions.errors import InvalidArguments
from orchestrator import cursors
from orchestrator.api import bulk, flaws, verdicts
from orchestrator.api.auth import Operator
from orchestrator.api.given import Conducting, TheHouse, made
from orchestrator.api.guarding import Router
from orchestrator.api.ownership import EditableRun, OwnRun
from orchestrator.wire import ChooseDead, Dead, DeadCall, DoneDeads, EditDead, Replay, ReplayDead, Submitted
from orchestrator.wire_forms import Ending, Moment
from orchestrator.wire_requests import Selection

router = Router(tags=["dead"])


class DeadQuery(Selection):
    """Which of the dead are meant, and which page of them."""

    status: Annotated[list[Ending], Field(max_length=3)] = Field(default_factory=list[Ending])
    """Those that ended so."""
    action: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=100)] = Field(
        default_factory=list[str]
    )
    """Those of these actions, by any of their names."""
    since: Moment | None = None
    """Those that ended then or later."""
    before: Moment | None = None
    """Those that ended earlier than this."""
    error: Annotated[str, Field(max_length=200)] = ""
    """Those in whose error this stands, or whose code it is; capitals make no difference."""
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    """How many at most."""
    cursor: Annotated[str, Field(max_length=1_024)] = ""
    """`next` of the page before; left out: the first page."""


@router.get("/v1/dead", summary="List the dead")
async def list_dead(which: Annotated[DeadQuery, Query()], caller: Operator, house: TheHouse) -> Dead:
    """Those of the caller's tenant, oldest first; a page may hold fewer than `limit` and still have a next one."""
    after = cursors.decode_place("dead", which.cursor)
    chosen = bulk.which_of(house, caller, which.status, which.action, which.since, which.before, which.error)
    calls, rest = await house.conductor.dead_page(chosen, limit=which.limit, after=after)
    return Dead(dead=tuple(calls), next=cursors.encode_place("dead", rest))


@router.post("/v1/dead/replay", summary="Replay many of the dead")
async def replay_many(asked: ReplayDead, caller: Operator, house: TheHouse) -> DoneDeads:
    """Run those that are named, or that a filter finds, again; up to 1,000 with one request.

    If there are more, `next` is where the same request goes on: also past those for which it cannot be done.
    """
    return await bulk.replay(house, caller, asked)


@router.post("/v1/dead/discard", summary="Discard many of the dead")
async def discard_many(asked: ChooseDead, caller: Operator, house: TheHouse) -> DoneDeads:
    """Take those that are named, or that a filter finds, off the list; up to 1,000 with one request.

    If there are more, `next` is where the same request goes on.
    """
    return await bulk.discard(house, caller, asked)


@router.get("/v1/dead/{run_id}", summary="Read one of the dead")
async def read_dead(found: OwnRun, _caller: Operator, conductor: Conducting) -> DeadCall:
    """How it ended, and what a replay would be given."""
    return await conductor.dead_one(found.id)


@router.patch("/v1/dead/{run_id}", summary="Edit one of the dead")
async def edit_dead(found: EditableRun, asked: EditDead, caller: Operator, conductor: Conducting) -> DeadCall:
    """Give it other arguments for its replay; what was asked for stays in its record.

    The key has to be of the run's own principal (or have the scope `admin`) and needs all permissions that the run has:
    with other arguments it is nothing that somebody else has asked for.
    """
    try:
        await conductor.edit(found.id, asked.arguments, by=caller.name, merge=asked.merge)
    except InvalidArguments as error:
        raise flaws.of_call(error) from None
    return await conductor.dead_one(found.id)


@router.post("/v1/dead/{run_id}/replay", status_code=202, summary="Replay one of the dead")
async def replay_dead(
    found: OwnRun, caller: Operator, house: TheHouse, response: Response, asked: Replay | None = None
) -> Submitted:
    """Run it again; however often this is asked for, there is one replay."""
    new = await verdicts.replay(house, caller, found.id, new_key=asked is not None and asked.new_key)
    made(response, f"/v1/runs/{new}", repeated=False)
    return Submitted(run=new, url=f"/v1/runs/{new}")


@router.delete("/v1/dead/{run_id}", status_code=204, summary="Discard one of the dead")
async def discard_dead(found: OwnRun, caller: Operator, house: TheHouse) -> None:
    """Take it off the list; its record is kept as long as others."""
    await verdicts.discard(house, caller, found.id)
