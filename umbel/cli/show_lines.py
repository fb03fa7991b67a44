"""How a run, a turn or a conversation stands, in lines for people: what `orchestrator.reading` found in, text out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from pydantic_core import to_json

from orchestrator.reading import ConversationStanding, RunStanding, Standing, TurnStanding
from orchestrator.store.ladders import Ladder, Rung
from orchestrator.store.locks import LockStanding
from umbel.cli import limit_tables as tables
from umbel.cli.plain import plain

_LIVE: Final = frozenset({"blocked", "ready", "waiting", "running", "cancelling"})
_SHOWN: Final = 300
"""Characters of a result that are shown; JSON has the whole."""
_NAMED: Final = 3
_WORDS: Final = {
    "backoff": "its next attempt",
    "delay": "its delay",
    "worker_died": "a worker with room: the one before died",
    "handed_back": "a worker with room: the one before was stopped",
}


def lines(told: Standing) -> Iterator[str]:
    """The lines of one of them."""
    match told:
        case RunStanding():
            yield from _run(told)
        case TurnStanding():
            yield from _turn(told)
        case ConversationStanding():
            yield from _conversation(told)


def _run(told: RunStanding) -> Iterator[str]:
    yield f"{told.run}  {plain(told.action)}  {told.status}{_how_long(told)}"
    of = f" of {told.most_attempts}" if told.most_attempts else ""
    yield from _pairs(
        {
            "attempts": f"{told.attempts}{of}",
            "principal": told.principal and plain(told.principal),
            "tenant": told.tenant,
            "conversation": told.conversation,
            "turn": told.turn,
            "queue": told.queue if told.status in _LIVE else None,
            "arguments": ", ".join(f"{name}={plain(value)}" for name, value in told.arguments.items()),
            "recorded": _at(told.created),
            "first attempt": _at(told.began),
            "ended": None if told.status in _LIVE else moment(told.since),
            "expires": _at(told.deadline),
            "follows up": told.parent,
            "followed up by": ", ".join(told.children),
            "undoes": told.undo_of,
        }
    )
    for name, text in _waits(told):
        yield _pair(name, text)
    if told.error is not None:
        yield _pair("last attempt", _json(told.error))
    if told.result is not None:
        yield _pair("result", _json(told.result))
    if told.told is not None:
        yield _pair("model was told", _json(told.told))
    yield from _undo(told)
    if told.late is not None:
        yield _pair("afterwards", told.late)


def _undo(told: RunStanding) -> Iterator[str]:
    if told.undo is None:
        return
    more = " (`umbel undo retry` tries again)" if told.undo == "failed" else ""
    yield _pair("undo", f"{told.undo}{more}")
    if told.undo_error is not None:
        yield _pair("undo error", _json(told.undo_error))


def _waits(told: RunStanding) -> Iterator[tuple[str, str]]:
    """What it holds, what it waits for, and what comes then."""
    if told.approval == "wanted":
        until = f" (it expires{_until(told.approval_until).removeprefix(',')})" if told.approval_until else ""
        yield "waits for", f"a person's approval{until}: `umbel approvals` shows for what"
    elif told.approval == "given":
        yield "approval", "given"
    ladder = told.ladder
    if ladder is None:
        return
    if held := [rung.key for rung in ladder.rungs if rung.where == "held" and rung.lock]:
        yield "holds", ", ".join(held)
    if told.status == "blocked":
        rest = ladder.open - (told.approval == "wanted")
        if rest > 0 or told.approval != "wanted":
            yield "waits for", _others(told, ladder, rest)
    elif told.status == "ready":
        yield "waits for", _WORDS.get(told.why or "", "a worker with room") + f" (queue {told.queue})"
    elif told.status == "waiting":
        yield from _rungs(told, ladder)


def _others(told: RunStanding, ladder: Ladder, rest: int) -> str:
    if ladder.joined:
        return f"{ladder.joined}, which is the same: it ends with its result"
    if told.why == "follow_ups":
        return "the runs that follow it up"
    return f"{rest} runs that have to end before" if rest > 1 else "the run before it"


def _rungs(told: RunStanding, ladder: Ladder) -> Iterator[tuple[str, str]]:
    here = [rung for rung in ladder.rungs if rung.where in {"here", "parked"}]
    for rung in here:
        yield "waits for", f"{_guard(rung)}; {_place(rung)}"
    if not here:
        yield "waits for", _WORDS.get(told.why or "", told.why or "its time") + _until(told.until)
    for rung in ladder.rungs:
        if rung.where == "ahead":
            yield "then", _guard(rung)


def _guard(rung: Rung) -> str:
    if rung.lock:
        return _lock(rung.lock)
    if rung.limit is None:
        return rung.key
    row = tables.standing_row(rung.limit)
    cooled = f", cooled for {tables.seconds(row['cooled_s'])}" if row["cooled_s"] else ""
    when = tables.next_start(row)
    free = (
        "closed by an operator"
        if when == "closed"
        else f"next start {when if when == 'now' else f'in {when}'}"
    )
    return f"limit {rung.key} ({row['used']} of {row['most']} used, {free}{cooled})"


def _lock(lock: LockStanding) -> str:
    row = tables.lock_row(lock)
    word = "cap" if lock.key.startswith("~") else "lock"
    if not row["holders"]:
        return f"{word} {lock.key} (free)"
    held = [
        f"{each['run']}{tables.holding(each)} for {tables.seconds(each['since_s'])}"
        for each in row["holders"][:_NAMED]
    ]
    more = [f"{len(row['holders']) - _NAMED} more"] if len(row["holders"]) > _NAMED else []
    return f"{word} {lock.key} (held by {', '.join(held + more)})"


def _place(rung: Rung) -> str:
    place = "its turn is next" if not rung.before else f"{rung.before} before it"
    return f"{place}; it waits for long and holds nothing" if rung.where == "parked" else place


def _turn(told: TurnStanding) -> Iterator[str]:
    yield f"{told.turn}  {told.status}"
    number = None if told.round is None else f"{told.round + 1}"
    left = f", {told.left} of its calls have no result yet" if told.left and told.status == "live" else ""
    yield from _pairs(
        {
            "conversation": told.conversation,
            "round": f"{number}{left}" if number else None,
            "waits for": "the turns before it" if told.status == "queued" else None,
            "began": _at(told.began),
            "ended": _at(told.ended),
        }
    )
    for run in told.runs:
        why = f" for {run.why}" if run.why and run.status == "waiting" else ""
        undo = f", undo {run.undo}" if run.undo else ""
        ask = " for a person's approval" if run.approval == "wanted" else ""
        yield f"  {run.run}  {plain(run.action)}  {run.status}{why}{ask}{undo}{_how_long(run)}"


def _conversation(told: ConversationStanding) -> Iterator[str]:
    yield f"{told.conversation}  {told.status}"
    yield from _pairs(
        {
            "principal": told.principal and plain(told.principal),
            "tenant": told.tenant,
            "mode": told.mode,
            "participants": ", ".join(_participant(*each) for each in told.participants.items()),
            "state": f"{told.state} (of {told.machine})" if told.machine else None,
            "queued turns": ", ".join(told.queued),
        }
    )
    if told.live_turn is not None:
        yield from _turn(told.live_turn)


def _participant(name: str, state: str) -> str:
    return f"{plain(name)} ({state})" if state else plain(name)


def _pairs(pairs: Mapping[str, str | None]) -> Iterator[str]:
    for name, value in pairs.items():
        if value:
            yield _pair(name, value)


def _pair(name: str, value: str) -> str:
    return f"  {name:<15}{value}"


def _how_long(told: RunStanding) -> str:
    if told.status not in _LIVE:
        return ""
    return f", for {tables.seconds(max(0.0, (datetime.now(UTC) - told.since).total_seconds()))}"


def _until(at: datetime | None) -> str:
    if at is None:
        return ""
    return f", in {tables.seconds(max(0.0, (at - datetime.now(UTC)).total_seconds()))}"


def _at(at: datetime | None) -> str | None:
    return None if at is None else moment(at)


def moment(at: datetime) -> str:
    """A point in time, in this machine's zone."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _json(value: object) -> str:
    text = plain(to_json(value).decode())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… (--json shows all)"
