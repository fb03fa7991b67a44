"""A run, a turn or a conversation as people see it: an id in; how it stands, and why it waits, out.

Nothing is changed. Arguments come out masked: only what an action declares with `show=` is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from actions.errors import UnknownAction, UnknownRecord, UnreadableRecord
from actions.messages import TERMINAL, Payload
from orchestrator import ids
from orchestrator.store.keys import base_queue

if TYPE_CHECKING:
    from actions.registry import Registry
    from orchestrator.store.ladders import Ladder
    from orchestrator.store.records import RunView
    from orchestrator.store.store import Store

_FIX: Final = "Check the id; what has ended is kept for UMBEL_RUN_TTL"


@dataclass(frozen=True, slots=True)
class RunStanding:
    """How a run stands."""

    run: str
    """Its id."""
    action: str
    """The action's name; "?" if its record cannot be read."""
    status: str
    """`actions.messages.Status`."""
    attempts: int
    """Attempts begun so far."""
    most_attempts: int | None
    """How many there may be; None: its action is not known here."""
    arguments: dict[str, str]
    """Its arguments, masked but for those that the action shows."""
    queue: str
    """Where it is claimed from."""
    principal: str | None
    """On whose behalf it runs."""
    tenant: str
    """Whose share of the workers it uses; empty: the default tenant."""
    conversation: str | None
    """Its conversation."""
    turn: str | None
    """Its turn."""
    created: datetime | None
    """When it was recorded."""
    since: datetime
    """When its status began."""
    began: datetime | None
    """When its first attempt began; None: none did."""
    until: datetime | None
    """When it is ready again, if it waits for the clock."""
    deadline: datetime | None
    """When it expires, if it has a total deadline."""
    why: str | None
    """Why it waits, in a word of the record: `lock KEY`, `limit KEY`, `backoff`, `delay`, `joined` and the like."""
    ladder: Ladder | None
    """The guards that it has to pass or holds, what else it waits for; None: it has ended, or was read with others."""
    error: Any
    """What the last attempt said, if it is to be tried again."""
    result: Any
    """What the model is told: the handler's value, or `{"error", "code"}`; None while it lives."""
    late: str | None
    """What became of a handler that went on after the run had ended."""


@dataclass(frozen=True, slots=True)
class TurnStanding:
    """How a turn stands."""

    turn: str
    """Its id."""
    status: str
    """queued, live, done, failed, max_rounds or cancelled."""
    conversation: str
    """Its conversation."""
    round: int | None
    """The number of its newest round, from 0; None: there is none yet."""
    left: int
    """Calls of this round that have no result yet."""
    began: datetime | None
    """When it began; None: it waits behind another turn."""
    ended: datetime | None
    """When it ended."""
    runs: tuple[RunStanding, ...]
    """The runs of its rounds in call order, and the one that leads it on, if that lives."""


@dataclass(frozen=True, slots=True)
class ConversationStanding:
    """How a conversation stands."""

    conversation: str
    """Its id."""
    status: str
    """idle, live or completed."""
    state: str | None
    """State of its machine, if it has one."""
    machine: str | None
    """Name of its machine."""
    principal: str | None
    """On whose behalf its calls run."""
    tenant: str
    """Whose share of the workers it uses."""
    revision: int
    """Grows with each change of its messages."""
    live_turn: TurnStanding | None
    """The turn that lives."""
    queued: tuple[str, ...]
    """Turns that wait behind it."""


Standing = RunStanding | TurnStanding | ConversationStanding


async def read(id: str, store: Store, registry: Registry) -> Standing:  # noqa: A002 - the word of those who call it
    """How what this id names stands.

    Raises:
        InvalidId: it begins with none of `run_`, `turn_`, `conv_`.
        UnknownRecord, UnknownConversation: there is no such record (any more).
    """
    match ids.kind(id):
        case "run":
            return await _run(id, store, registry)
        case "turn":
            return await _turn(id, store, registry)
        case "conv":
            return await _conversation(id, store, registry)


async def _run(id: str, store: Store, registry: Registry) -> RunStanding:  # noqa: A002
    view = await store.runs.read(id)
    if view is None:
        raise UnknownRecord(f"there is no run {id}", fix=_FIX)
    ladder = None if view.status in TERMINAL else await store.ladders.read(id)
    return _standing(view, registry, ladder)


async def _turn(id: str, store: Store, registry: Registry) -> TurnStanding:  # noqa: A002
    record = await store.conversations.turn(id)
    if not record:
        raise UnknownRecord(f"there is no turn {id}", fix=_FIX)
    newest = int(record["round"]) if "round" in record else None
    rest = id.removeprefix("turn_")
    rounds = range(0 if newest is None else newest + 1)
    calls = [f"run_{rest}.{each}.{at}" for each in rounds for at in range(int(record.get(f"n{each}", 0)))]
    leader = f"run_{rest}.{len(rounds)}.next"
    views = await store.runs.read_all([*calls, leader])
    shown = [view for view in views if view and (view.id != leader or view.status not in TERMINAL)]
    return TurnStanding(
        turn=id,
        status=record.get("s", "queued"),
        conversation=record.get("c", ""),
        round=newest,
        left=int(record.get("left", 0)),
        began=_when(record.get("began")),
        ended=_when(record.get("ended")),
        runs=tuple(_standing(view, registry, None) for view in shown),
    )


async def _conversation(id: str, store: Store, registry: Registry) -> ConversationStanding:  # noqa: A002
    record = await store.conversations.read(id)
    return ConversationStanding(
        conversation=id,
        status=record.status,
        state=record.state,
        machine=record.machine,
        principal=record.principal,
        tenant=record.tenant,
        revision=record.revision,
        live_turn=await _turn(record.live_turn, store, registry) if record.live_turn else None,
        queued=tuple(await store.conversations.queued(id)),
    )


def _standing(view: RunView, registry: Registry, ladder: Ladder | None) -> RunStanding:
    try:
        payload = Payload.decode(view.payload)
    except UnreadableRecord:
        payload = Payload("?")
    try:
        action = registry.resolve(payload.action)
    except UnknownAction:
        action = None
    retry = payload.retry_policy(action.retry if action else None)
    known = action is not None or payload.retry is not None
    return RunStanding(
        run=view.id,
        action=payload.action,
        status=view.status,
        attempts=view.attempts,
        most_attempts=1 + (retry.retries if retry else 0) if known else None,
        arguments=action.masked(payload.arguments) if action else _hidden(payload.arguments),
        queue=base_queue(view.lane),
        principal=payload.principal,
        tenant=view.tenant,
        conversation=view.conversation,
        turn=view.turn,
        created=_when(view.created_us),
        since=datetime.fromtimestamp(view.since_us / 1e6, UTC),
        began=_when(view.began_us),
        until=_when(view.until_us),
        deadline=_when(view.deadline_us),
        why=view.why,
        ladder=ladder,
        error=from_json(view.error) if view.error else None,
        result=from_json(view.result) if view.result else None,
        late=view.late,
    )


def _hidden(arguments: dict[str, Any]) -> dict[str, str]:
    """What may be said of arguments whose action is not known here: how many there are."""
    return {"unknown keys": str(len(arguments))} if arguments else {}


def _when(us: int | str | None) -> datetime | None:
    return None if us is None else datetime.fromtimestamp(int(us) / 1e6, UTC)
