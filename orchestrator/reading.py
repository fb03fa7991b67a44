"""A run, a turn or a conversation as people see it: an id in; how it stands, and why it waits, out.

Nothing is changed. Arguments come out masked: only what an action declares with `show=` is told.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from pydantic_core import from_json

from actions.errors import UnknownAction, UnknownRecord, UnreadableRecord
from actions.messages import TERMINAL, Payload
from orchestrator import auditing, chaining, ids, turns
from orchestrator.dialects import read_dialects
from orchestrator.standings import ConversationStanding, RunStanding, Standing, TurnStanding
from orchestrator.store.keys import base_queue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from actions.definition import Action
    from actions.registry import Registry
    from orchestrator.guard_standings import Ladder
    from orchestrator.store.records import RunView
    from orchestrator.store.store import Store

__all__ = ["ConversationStanding", "RunStanding", "Standing", "TurnStanding", "read"]

_NAME: Final = 100
"""Characters of a name that no action has: the model wrote it."""
_NO_ROUND: Final = -1
"""What a turn's record says before its first round."""
_OUR_OWN: Final = frozenset({turns.ADVANCE, chaining.LEAD})
"""Runs that keep a turn going: their arguments are the house's own."""
_FIX: Final = "Check the id; what has ended is kept for UMBEL_RUN_TTL"


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
    told = standing(view, registry, ladder)
    if view.undo_of is not None and (undone := await store.runs.read(view.undo_of)):
        return replace(told, undo_of_undo=standing(undone, registry, None).undo)
    if told.undo == "pending" and view.turn is not None:
        steps = _calls(view.turn, await store.conversations.turn(view.turn))
        views = await store.runs.read_short(steps or [id])
        return _behind([*views, *await _aside(views, store)])(told)
    return told


async def _turn(id: str, store: Store, registry: Registry) -> TurnStanding:  # noqa: A002
    record = await store.conversations.turn(id)
    if not record:
        raise UnknownRecord(f"there is no turn {id}", fix=_FIX)
    newest = int(record.get("round", _NO_ROUND))
    rest = id.removeprefix("turn_")
    rounds = _rounds(record)
    leaders = [f"run_{rest}.{len(rounds)}.next", *(f"run_{rest}.{each}.chain" for each in rounds[-1:])]
    views = await store.runs.read_short([*leaders[1:], *_calls(id, record), leaders[0]])
    shown = [view for view in views if view and (view.id not in leaders or view.status not in TERMINAL)]
    aside = await _aside(shown, store)
    evaluators = [f"run_{rest}.ev.{at}" for at in range(len(_value(record.get("ev")) or ()))]
    after = [view for view in await store.runs.read_short(evaluators) if view] if evaluators else []
    behind = _behind([*shown, *aside])
    return TurnStanding(
        turn=id,
        status=record.get("s", "queued"),
        conversation=record.get("c", ""),
        round=None if newest == _NO_ROUND else newest,
        left=int(record.get("left", 0)),
        began=_when(record.get("began")),
        ended=_when(record.get("ended")),
        into=record.get("into"),
        why=_why(record.get("e")) if record.get("s") == "failed" else None,
        runs=tuple(behind(standing(view, registry, None)) for view in shown),
        aside=tuple(behind(standing(view, registry, None)) for view in [*aside, *after]),
    )


def _why(error: str | None) -> str | None:
    """The words of an error that stands in a turn's record."""
    told = _value(error)
    return str(cast("Any", told).get("error", "")) or None if isinstance(told, dict) else None


def _rounds(turn: Mapping[str, str]) -> range:
    return range(int(turn.get("round", _NO_ROUND)) + 1)


def _calls(id: str, turn: Mapping[str, str]) -> list[str]:  # noqa: A002
    """The runs of a turn's rounds, in call order."""
    rest = id.removeprefix("turn_")
    return [f"run_{rest}.{each}.{at}" for each in _rounds(turn) for at in range(int(turn.get(f"n{each}", 0)))]


async def _aside(views: Iterable[RunView | None], store: Store) -> list[RunView]:
    """The runs that follow these up or undo them, and those that do so with them, layer by layer."""
    found: list[RunView] = []
    layer = [view for view in views if view is not None]
    tries = {f"{view.id}.undo" for view in layer if view.undo}
    while wanted := [*(child for view in layer for child in view.children), *tries]:
        layer = [view for view in await store.runs.read_short(wanted) if view is not None]
        found += layer
        tries = {f"{view.id}.undo" for view in layer if view.undo}
        tries |= {_next_undo(view.id) for view in layer if view.undo_of}
    return sorted(found, key=lambda view: view.created_us or 0)


def _next_undo(id: str) -> str:  # noqa: A002
    """The run that would be the next try of the same undo."""
    step, _, number = id.rpartition(".undo")
    return f"{step}.undo{int(number or 1) + 1}"


def _behind(views: Iterable[RunView | None]) -> Callable[[RunStanding], RunStanding]:
    """What tells of a run which failed undo its own undo waits for: of one chain, the last step is undone first."""
    failed = {_chain(view.id): view.id for view in views if view is not None and view.undo == "failed"}

    def told(run: RunStanding) -> RunStanding:
        return replace(run, undo_waits=failed.get(_chain(run.run))) if run.undo == "pending" else run

    return told


def _chain(id: str) -> str:  # noqa: A002
    """The turn and the round of a run of a round."""
    return ".".join(id.split(".")[:2])


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
        mode=record.mode,
        agent=record.agent,
        dialects=None if not record.dialects else read_dialects(record.dialects),
        participants=record.participants,
    )


def standing(view: RunView, registry: Registry, ladder: Ladder | None = None) -> RunStanding:
    """How one run stands by its record alone; `ladder` is what it has to pass, if that was read."""
    try:
        payload = Payload.decode(view.payload)
    except UnreadableRecord:
        payload = Payload("?")
    try:
        action = registry.resolve(payload.action)
    except UnknownAction:
        action = None
    return RunStanding(
        run=view.id,
        action=payload.action or payload.called[:_NAME],
        status=view.status,
        attempts=view.attempts,
        most_attempts=_most_attempts(view, payload, action),
        arguments={} if payload.action in _OUR_OWN else auditing.masked(action, payload.arguments),
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
        error=_value(view.error),
        result=_value(view.result),
        told=_value(view.told),
        now=_value(view.now),
        late=view.late,
        approval=cast('Literal["wanted", "given"] | None', view.approval),
        approval_until=_when(view.approval_until_us),
        undo=cast('Literal["pending", "undone", "failed"] | None', view.undo),
        undo_error=_value(view.undo_error),
        undo_of=view.undo_of,
        parent=view.parent,
        children=view.children,
        replayed=view.replayed,
        replay_of=view.replay_of,
        result_omitted=view.result_omitted,
        known=action is not None,
    )


def _most_attempts(view: RunView, payload: Payload, action: Action | None) -> int | None:
    if view.undo_of is not None:
        return None if action is None else 1 + action.undo_retry.retries
    if action is None and payload.retry is None:
        return None
    retry = payload.retry_policy(action.retry if action else None)
    return 1 + (retry.retries if retry else 0)


def _value(text: str | None) -> Any:
    return from_json(text) if text else None


def _when(us: int | str | None) -> datetime | None:
    return None if us is None else datetime.fromtimestamp(int(us) / 1e6, UTC)
