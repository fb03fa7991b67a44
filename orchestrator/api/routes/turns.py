"""Turns: a user's message or a model's reply comes in and begins one; how it stands, round by round, comes out."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import Field

from actions.errors import ConfigError
from orchestrator import intake, turns
from orchestrator.api import ownership, verdicts
from orchestrator.api.auth import Reader, Stopper, Submitter
from orchestrator.api.conventions import IdempotencyKey, Trace
from orchestrator.api.given import TheHouse, made, told_of_making
from orchestrator.api.guarding import Router
from orchestrator.api.ownership import OwnTurn, Postable, StoppableTurn
from orchestrator.api.problems import RETRY_AFTER_S, Problem, log
from orchestrator.api.reply_bodies import DESCRIBED, reply_body
from orchestrator.api.waiting import WaitS, for_turn
from orchestrator.assembly import House
from orchestrator.keyring import Caller
from orchestrator.standings import TurnStanding
from orchestrator.store.records import ConversationRecord
from orchestrator.wire import Accepted, Busy, Mode, Round, Rounds, Say, Verdict
from orchestrator.wire_requests import Selection

router = Router(tags=["turns"])


class ReplyQuery(Selection):
    """How a reply is read and run."""

    format: Annotated[str | None, Field(max_length=40, examples=list(intake.KNOWN))] = None
    """Its format; left out: it is found out."""
    mode: Mode | None = None
    """How its calls are run; left out: as the conversation says."""
    busy: Busy = "enqueue"
    """What happens while another turn lives, as for messages; a reply is never injected."""
    lead: bool = False
    """Whether the model that is configured goes on with the turn."""


@router.post(
    "/v1/conversations/{conversation_id}/messages",
    status_code=202,
    summary="Post a user's message",
    responses=told_of_making(202, "It begins a turn."),
)
async def post_message(
    asked: Say,
    found: Postable,
    _caller: Submitter,
    house: TheHouse,
    key: IdempotencyKey,
    trace: Trace,
    response: Response,
) -> Accepted:
    """Add a user's message; the model that is configured leads the turn that it begins."""
    _check_model(house)
    turn, repeated = await house.conductor.say_once(
        found.id, asked.text, key=key, mode=asked.mode, busy=asked.busy, trace=trace
    )
    return _accepted(response, found.id, turn, repeated=repeated)


@router.post(
    "/v1/conversations/{conversation_id}/replies",
    status_code=202,
    summary="Post a model's reply",
    responses=told_of_making(202, "It begins a turn."),
    openapi_extra={"requestBody": DESCRIBED},
)
async def post_reply(
    request: Request,
    how: Annotated[ReplyQuery, Query()],
    found: Postable,
    _caller: Submitter,
    house: TheHouse,
    key: IdempotencyKey,
    trace: Trace,
    response: Response,
) -> Accepted:
    """Run the calls of a reply, as the provider gave it; their results come into the conversation together."""
    if how.lead:
        _check_model(house)
    body = await reply_body(request)
    try:
        posted = await house.conductor.post_reply(
            found.id,
            body,
            format=how.format,
            key=key,
            then=turns.lead(mode=how.mode or "", trace=trace) if how.lead else None,
            mode=how.mode,
            busy=how.busy,
            trace=trace,
        )
    except ConfigError as error:
        raise _not_set_up(found, error) from None
    return _accepted(response, found.id, posted.turn, repeated=posted.repeated)


@router.get("/v1/turns/{turn_id}", summary="Read a turn")
async def read_turn(
    request: Request, found: OwnTurn, caller: Reader, house: TheHouse, wait: WaitS
) -> TurnStanding:
    """How it stands; with `wait` once it has ended, or when the time is over."""
    if wait:
        await for_turn(request, found, wait)
    return await _standing(house, caller, found)


@router.get("/v1/turns/{turn_id}/rounds", summary="List a turn's rounds")
async def list_rounds(found: OwnTurn, caller: Reader, house: TheHouse) -> Rounds:
    """Its replies, each with the runs of its calls in call order."""
    told = await _standing(house, caller, found)
    numbers = range(0 if told.round is None else told.round + 1)
    places = [(each.run.split("."), each) for each in told.runs]
    rounds = [
        Round(
            round=at,
            runs=tuple(run for (_, *place), run in places if place[:1] == [str(at)] and place[-1].isdigit()),
        )
        for at in numbers
    ]
    return Rounds(rounds=tuple(rounds))


@router.post("/v1/turns/{turn_id}/cancel", summary="Cancel a turn")
async def cancel_turn(found: StoppableTurn, caller: Stopper, house: TheHouse) -> Verdict:
    """Cancel it with all its runs; complete steps of a chain are undone. Another principal's needs `operate`."""
    return Verdict(id=found, verdict=await verdicts.cancel(house, caller, found))


@router.post("/v1/turns/{turn_id}/interrupt", summary="Interrupt a turn's chain")
async def interrupt_turn(found: StoppableTurn, caller: Stopper, house: TheHouse) -> Verdict:
    """Let its chain start no further step; what it did stays done. Another principal's needs the scope `operate`.

    That is not what `busy=interrupt` does: there the turn is cancelled, and what its chain did is undone.
    """
    return Verdict(id=found, verdict=await verdicts.interrupt(house, caller, found))


async def _standing(house: House, caller: Caller, turn: str) -> TurnStanding:
    told = await ownership.standing(house, caller, turn)
    assert isinstance(told, TurnStanding)  # noqa: S101 - its id says so
    return told


def _accepted(response: Response, conversation: str, turn: str, *, repeated: bool) -> Accepted:
    url = f"/v1/turns/{turn}"
    made(response, url, repeated=repeated)
    return Accepted(conversation=conversation, turn=turn, url=url)


def _not_set_up(found: ConversationRecord, error: ConfigError) -> Problem:
    """The problem of a conversation whose state machine is not among the actions that this process has loaded."""
    log.warning("%s: %s", found.id, error)
    detail = (
        f"The conversation has the state machine {found.machine!r:.200}, which this process does not know: "
        "its operator names the module that declares it in UMBEL_ACTIONS, as for the workers."
    )
    return Problem(error.code, detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def _check_model(house: House) -> None:
    if house.settings.model_url is None:
        raise Problem("no_model")
