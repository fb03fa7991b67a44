"""Single runs: calls of other services in, ids at once, ends when they exist."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, Query, Request, Response
from pydantic import Field, WrapValidator

from actions.errors import ModelError, StoreUnavailable
from actions.messages import TERMINAL, Status
from actions.policy import Retry
from orchestrator.api import flaws, ownership, verdicts
from orchestrator.api.auth import Operator, Reader, Stopper, Submitter
from orchestrator.api.conventions import IdempotencyKey, Trace
from orchestrator.api.given import Conducting, TheHouse, made, told_of_making
from orchestrator.api.guarding import Router
from orchestrator.api.ownership import OwnRun, StoppableRun
from orchestrator.api.problems import Problem
from orchestrator.api.service import service_of
from orchestrator.api.waiting import WaitS, for_run
from orchestrator.assembly import House
from orchestrator.batches import RefusedBatch
from orchestrator.keyring import Caller
from orchestrator.listing import RunFilter
from orchestrator.standings import RunStanding
from orchestrator.submission import Submission
from orchestrator.wire import (
    Approve,
    Deny,
    Replay,
    Runs,
    SubmitRun,
    SubmitRuns,
    Submitted,
    SubmittedAll,
    Verdict,
)
from orchestrator.wire_forms import Moment
from orchestrator.wire_requests import Selection

router = Router(tags=["runs"])

_JSON = "application/json"


def _one_or_many(given: Any, _: Any) -> SubmitRun | SubmitRuns:
    """A batch is what has `runs`; so each flaw has the place that the caller knows."""
    kind = SubmitRuns if isinstance(given, dict) and "runs" in given else SubmitRun
    return kind.model_validate(given)


Asked = Annotated[SubmitRun | SubmitRuns, WrapValidator(_one_or_many), Body()]


class RunQuery(Selection):
    """Which runs are meant, and which page of them."""

    status: Annotated[list[Status], Field(max_length=13)] = Field(default_factory=list[Status])
    """With one of these statuses."""
    action: Annotated[str, Field(max_length=200)] = ""
    """Of this action, by its name or a simile."""
    conversation: Annotated[str, Field(max_length=120)] = ""
    """Of this conversation."""
    queue: Annotated[str, Field(max_length=200)] = ""
    """Of this queue."""
    principal: Annotated[str, Field(max_length=200)] = ""
    """On behalf of this principal."""
    since: Moment | None = None
    """Recorded then or later."""
    before: Moment | None = None
    """Recorded earlier than this."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    """How many at most."""
    cursor: Annotated[str, Field(max_length=1_024)] = ""
    """`next` of the page before; left out: the first page."""


@router.post(
    "/v1/runs",
    status_code=202,
    summary="Submit a run, or many",
    response_model=Submitted | SubmittedAll,
    responses=told_of_making(202, "It is recorded.")
    | {200: {"model": RunStanding, "description": "It has ended within `wait`."}},
)
async def submit(
    request: Request,
    asked: Asked,
    caller: Submitter,
    conductor: Conducting,
    key: IdempotencyKey,
    trace: Trace,
    wait: WaitS,
    response: Response,
) -> Any:
    """Submit one call without a conversation, or up to 1,000 that are recorded together or not at all.

    With `wait` a single one is answered with its end, if that comes in time.
    """
    if isinstance(asked, SubmitRuns):
        return await _submit_all(asked, caller, conductor, key, trace, response)
    try:
        run, repeated = await conductor.submit_once(_submission(asked, caller, trace, key))
    except ModelError as error:
        raise flaws.of_call(error) from None
    url = f"/v1/runs/{run}"
    made(response, url, repeated=repeated)
    if wait and (end := await _ended(request, caller, run, wait)) is not None:
        return Response(ownership.as_json(end), 200, response.headers, _JSON)
    return Submitted(run=run, url=url)


async def _submit_all(
    asked: SubmitRuns, caller: Caller, conductor: Any, key: str | None, trace: str, response: Response
) -> SubmittedAll:
    try:
        recorded = await conductor.submit_batch(
            [_submission(each, caller, trace, None) for each in asked.runs], key=key
        )
    except RefusedBatch as error:
        raise flaws.of_batch(error) from None
    made(response, "/v1/runs", repeated=recorded.repeated)
    return SubmittedAll(runs=tuple(Submitted(run=run, url=f"/v1/runs/{run}") for run in recorded.runs))


async def _ended(request: Request, caller: Caller, run: str, wait: float) -> RunStanding | None:
    """The run, if it has ended in time and may still be shown.

    It is recorded, so that is what the caller hears if Redis goes away or the key is revoked meanwhile: who heard of a
    failure would submit it again.
    """
    try:
        view = await for_run(request, run, wait)
        if view is None or view.status not in TERMINAL:
            return None
        return await _standing(service_of(request).house, caller, run)
    except StoreUnavailable:
        return None
    except Problem as problem:
        if problem.code != "unauthorised":
            raise
        return None


def _submission(asked: SubmitRun, caller: Caller, trace: str, key: str | None) -> Submission:
    retry = asked.retry
    return Submission(
        asked.action,
        asked.arguments,
        key=key,
        principal=caller.principal,
        permissions=sorted(caller.permissions),
        tenant=caller.tenant,
        deadline=asked.deadline,
        delay=asked.delay or 0,
        retry=retry if retry is None or isinstance(retry, int) else Retry(**dict(retry)),
        timeout=asked.timeout,
        trace=trace,
    )


@router.get("/v1/runs", summary="List runs")
async def list_runs(which: Annotated[RunQuery, Query()], caller: Reader, conductor: Conducting) -> Runs:
    """Runs of the caller's tenant, newest first; a page may hold fewer than `limit` and still have a next one."""
    chosen = RunFilter(**which.model_dump(exclude={"limit", "cursor"}))
    page = await conductor.list_runs(caller.tenant, chosen, limit=which.limit, cursor=which.cursor)
    return Runs(runs=page.runs, next=page.next or None)


@router.get("/v1/runs/{run_id}", summary="Read a run")
async def read_run(
    request: Request, found: OwnRun, caller: Reader, house: TheHouse, wait: WaitS
) -> RunStanding:
    """How it stands, and why it waits; with `wait` once it has ended, or when the time is over."""
    if wait:
        await for_run(request, found.id, wait)
    return await _standing(house, caller, found.id)


@router.post("/v1/runs/{run_id}/cancel", summary="Cancel a run")
async def cancel_run(found: StoppableRun, caller: Stopper, house: TheHouse) -> Verdict:
    """End it; a handler that runs is asked to stop within a second. Another principal's needs the scope `operate`."""
    return Verdict(id=found.id, verdict=await verdicts.cancel(house, caller, found.id))


@router.post("/v1/runs/{run_id}/approve", summary="Approve a run")
async def approve_run(
    found: OwnRun, caller: Operator, house: TheHouse, asked: Approve | None = None
) -> Verdict:
    """Let it go on with exactly the arguments that it asks for."""
    digest = asked.digest if asked else None
    return Verdict(id=found.id, verdict=await verdicts.approve(house, caller, found.id, digest))


@router.post("/v1/runs/{run_id}/deny", summary="Deny a run")
async def deny_run(found: OwnRun, caller: Operator, house: TheHouse, asked: Deny | None = None) -> Verdict:
    """End it; the model is told the reason."""
    reason = asked.reason if asked else ""
    return Verdict(id=found.id, verdict=await verdicts.deny(house, caller, found.id, reason))


@router.post("/v1/runs/{run_id}/replay", status_code=202, summary="Replay a run")
async def replay_run(
    found: OwnRun, caller: Operator, house: TheHouse, response: Response, asked: Replay | None = None
) -> Submitted:
    """Run it again, if it ended dead, failed or timed out; however often this is asked for, there is one replay."""
    new = await verdicts.replay(house, caller, found.id, new_key=asked is not None and asked.new_key)
    made(response, f"/v1/runs/{new}", repeated=False)
    return Submitted(run=new, url=f"/v1/runs/{new}")


async def _standing(house: House, caller: Caller, run: str) -> RunStanding:
    told = await ownership.standing(house, caller, run)
    assert isinstance(told, RunStanding)  # noqa: S101 - its id says so
    return told
