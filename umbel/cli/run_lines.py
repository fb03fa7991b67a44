"""How a run stands, in lines for people: what `orchestrator.reading` found in, text out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from orchestrator.guard_standings import Ladder, LockStanding, Rung
from orchestrator.reading import RunStanding
from umbel.cli import limit_tables as tables
from umbel.cli.colours import coloured
from umbel.cli.layout import moment, moment_or_none, pair, pairs, short
from umbel.cli.plain import plain

_LIVE: Final = frozenset({"blocked", "ready", "waiting", "running", "cancelling"})
_NAMED: Final = 3
_CODE: Final = 40
"""Characters of a code that a line has room for."""
_SURPRISE: Final = re.compile(r"failed with \w+$")
"""An exception that nobody foresaw: its text is not for the model, so records only name its type."""
_WHERE: Final = "in the log of the worker that ran it, with this id (of `umbel up`: logs/ in its home folder)"
LOGGED: Final = "the log of the worker that ran it has the traceback"
_WORDS: Final = {
    "backoff": "its next attempt",
    "delay": "its delay",
    "worker_died": "a worker with room: the one before died",
    "handed_back": "a worker with room: the one before was stopped",
}


def lines(told: RunStanding) -> Iterator[str]:
    """All there is to say of a run."""
    yield f"{told.run}  {plain(told.action)}  {coloured(told.status)}{_how_long(told)}"
    yield from pairs(
        {
            "what": "it has the locks of a chain" if told.action == "umbel.chain" else None,
            "attempts": _attempts(told),
            "principal": told.principal and plain(told.principal),
            "tenant": told.tenant,
            "conversation": told.conversation,
            "turn": told.turn,
            "queue": told.queue if told.status in _LIVE else None,
            "arguments": _arguments(told),
            "recorded": moment_or_none(told.created),
            "first attempt": moment_or_none(told.began) if told.attempts else None,
            "ended": None if told.status in _LIVE else moment(told.since),
            "expires": moment_or_none(told.deadline),
            "follows up": told.parent,
            "followed up by": ", ".join(told.children),
            "undoes": _undoes(told),
            "replay of": told.replay_of,
            "replayed as": told.replayed,
        }
    )
    for name, text in _waits(told):
        yield pair(name, text)
    if told.error is not None:
        yield pair("last attempt", short(told.error))
    if told.result is not None:
        yield pair("result", short(told.result))
        yield from logged(told.result)
    if told.told is not None:
        yield pair("model was told", short(told.told))
    if told.now is not None:
        yield pair("true now", short(told.now))
    yield from _undo(told)
    if told.late is not None:
        yield pair("afterwards", told.late)


def _undo(told: RunStanding) -> Iterator[str]:
    if told.undo is None:
        return
    more = {
        "failed": " (`umbel undo retry` tries again)",
        "pending": f" (it waits for `umbel undo retry {told.undo_waits}`)" if told.undo_waits else "",
    }.get(told.undo, "")
    yield pair("undo", f"{told.undo}{more}")
    if told.undo_error is not None:
        yield pair("undo error", f"{short(told.undo_error)}{where_to_look(told.undo_error)}")


def _attempts(told: RunStanding) -> str:
    most = told.most_attempts
    if most is None:
        return f"{told.attempts}"
    if told.attempts <= most:
        return f"{told.attempts} of {most}"
    return f"{told.attempts} (at least {told.attempts - most} lost with its worker)"


def _arguments(told: RunStanding) -> str:
    if not told.known and told.arguments:
        return f"{', '.join(told.arguments.values())} (its action is not loaded here: UMBEL_ACTIONS)"
    return ", ".join(f"{name}={plain(value)}" for name, value in told.arguments.items())


def _undoes(told: RunStanding) -> str | None:
    if told.undo_of is None or told.undo_of_undo is None:
        return told.undo_of
    return (
        f"{told.undo_of} (the undo of that is {told.undo_of_undo} by now)"
        if _has_ended(told)
        else told.undo_of
    )


def _waits(told: RunStanding) -> Iterator[tuple[str, str]]:
    """What it holds, what it waits for, and what comes then."""
    if told.approval == "wanted" and told.status == "blocked":
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


def row(told: RunStanding) -> str:
    """A run as a line of its turn."""
    why = f" for {told.why}" if told.why and told.status == "waiting" else ""
    ask = " for a person's approval" if told.approval == "wanted" and told.status == "blocked" else ""
    by = f" ({_code(told)})" if _code(told) not in {None, told.status} else ""
    action = f"undo of {plain(told.action)}" if told.undo_of else plain(told.action)
    return f"{told.run}  {action}  {coloured(told.status)}{by}{why}{ask}{_then(told)}{_how_long(told)}"


def where_to_look(error: Any) -> str:
    """Where an error stands whole whose text is kept from the model: only the log of a worker has it."""
    text = error.get("error") if isinstance(error, dict) else None
    if isinstance(text, str) and _SURPRISE.search(text):
        return f" ({LOGGED})"
    return ""


def logged(result: Any) -> Iterator[str]:
    """The line below a result that says no more than the type of an exception."""
    if where_to_look(result):
        yield pair("traceback", _WHERE)


def _code(told: RunStanding) -> str | None:
    """Why it did not succeed, in a word."""
    if told.status == "succeeded" or not isinstance(told.result, dict):
        return None
    code = told.result.get("code")
    return plain(code[:_CODE]) if isinstance(code, str) else None


def _then(told: RunStanding) -> str:
    """What became of its effect."""
    if told.undo is None:
        return ""
    if told.undo == "pending":
        return ", its undo waits for that of a later step" if told.undo_waits else ", is being undone"
    return ", then undone" if told.undo == "undone" else ", its undo failed"


def _has_ended(told: RunStanding) -> bool:
    return told.status not in _LIVE


def _how_long(told: RunStanding) -> str:
    if told.status not in _LIVE:
        return ""
    return f", for {tables.seconds(max(0.0, (datetime.now(UTC) - told.since).total_seconds()))}"


def _until(at: datetime | None) -> str:
    if at is None:
        return ""
    return f", in {tables.seconds(max(0.0, (at - datetime.now(UTC)).total_seconds()))}"
