"""What must hold whatever was killed, stopped or cut: a case (what was asked, what the store says, what handlers noted)
goes in, what does not hold comes out. Pure: it reads nothing and waits for nothing.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from actions.messages import TERMINAL
from faults.case import Case, Finding
from faults.history import Entry

SLACK_MS: Final = 5
"""By so much two servers on one machine may name the same moment differently: each keeps the time of its last turn."""


def judge(case: Case) -> list[Finding]:
    """All that does not hold."""
    rules = {
        "lost": lost(case),
        "death": deaths(case),
        "ending": wrong_endings(case),
        "doubled": doubled(case),
        "once": begun_twice(case),
        "stale": stale(case),
        "limit": over_limits(case),
        "lock": broken_locks(case),
        "messages": wrong_messages(case),
        "endless": (f"{key} has no end" for key in case.endless),
    }
    return [Finding(rule, what) for rule, found in rules.items() for what in found]


def lost(case: Case) -> Iterator[str]:
    """Every accepted run is terminal."""
    for asked in case.asked:
        record = case.records.get(asked.run)
        if record is None:
            yield f"{asked.run} ({asked.tag}) has no record"
        elif record.status not in TERMINAL:
            yield f"{asked.run} ({asked.tag}) is {record.status} after {record.attempts} attempts"


def deaths(case: Case) -> Iterator[str]:
    """A worker that is asked to stop hands its runs back; none of them is taken for the victim of a death."""
    for run, record in case.records.items():
        if case.nobody_died and record is not None and record.deaths:
            yield f"{run} is said to have seen {record.deaths} deaths"


def wrong_endings(case: Case) -> Iterator[str]:
    """It ended as it had to: none is dead but the poison, and a success is its own handler's."""
    for asked in case.asked:
        record = case.records.get(asked.run)
        if record is None or record.status not in TERMINAL:
            continue
        if record.status not in asked.expects:
            wanted = " or ".join(sorted(asked.expects))
            yield f"{asked.run} ({asked.tag}) is {record.status}, not {wanted}: {record.result}"
        elif record.status == "succeeded" and _said(record.result).get("tag") != asked.tag:
            yield f"{asked.run} ({asked.tag}) has the result of another: {record.result}"


def doubled(case: Case) -> Iterator[str]:
    """An end is told once, stays as it was told, and its effect was applied once."""
    for run, ends in case.told.items():
        record = case.records.get(run)
        if len(ends) > 1:
            yield f"the end of {run} was told {len(ends)} times"
        for status, result in ends[:1]:
            if record is not None and (record.status, record.result) != (status, result):
                yield f"{run} ended as {status} {result} and is now {record.status} {record.result}"
    if case.every_end_told:
        for run in sorted(case.listens_to - set(case.told)):
            yield f"the end of {run} was not told"
    for talk in case.talks:
        for tag, count in Counter(talk.seen).items():
            if count > 1:
                yield f"the effect of {tag} was applied {count} times in {talk.id}"


def stale(case: Case) -> Iterator[str]:
    """The result that stands is that of the newest claim: none came in under an older fence."""
    newest: dict[str, int] = {}
    claims: Counter[tuple[str, int]] = Counter()
    for entry in case.entries:
        if entry.kind == "start":
            newest[entry.run] = max(entry.fence, newest.get(entry.run, 0))
            claims[entry.run, entry.fence] += 1
    for (run, fence), count in claims.items():
        if count > 1:
            yield f"{run} was started {count} times under the fence {fence}"
    for run, record in case.records.items():
        fence = _said(record.result).get("fence") if record is not None else None
        if fence is not None and fence != newest.get(run):
            yield f"{run} has the result of fence {fence}, claimed last under {newest.get(run)}"


def begun_twice(case: Case) -> Iterator[str]:
    """What may not begin twice has not."""
    starts = Counter(entry.run for entry in case.entries if entry.kind == "start")
    for asked in case.asked:
        judged = asked.once == "always" or (asked.once == "in touch" and not case.out_of_touch)
        if judged and starts[asked.run] > 1:
            yield f"{asked.run} ({asked.tag}) began {starts[asked.run]} times"


def over_limits(case: Case) -> Iterator[str]:
    """In no window of its length has a limit let through more starts than it allows; starts count when claimed."""
    starts: dict[tuple[str, int, int], list[int]] = defaultdict(list)
    for entry in case.entries:
        for limit in entry.limits:
            starts[limit].append(entry.fence)
    for (key, n, per_ms), fences in starts.items():
        fences.sort()
        for first, next_one in zip(fences, fences[n:], strict=False):
            if next_one - first < per_ms * 1000:
                yield f"{key} let {n + 1} starts through in {(next_one - first) / 1e6:.3f} s from {first}"
                break


@dataclass(frozen=True, slots=True)
class _Hold:
    """An attempt that held a lock and whose end counted."""

    run: str
    fence: int
    start: Entry
    end: Entry


def broken_locks(case: Case) -> Iterator[str]:
    """A lock's next claim came after the end of the one before, and its handler started after that.

    Only attempts whose end counted are looked at: a handler whose worker lost the run, or was stopped meanwhile, may
    go on beside the next holder, as long as nothing comes of it (which `stale` shows).
    """
    for key, places in sorted({lock for entry in case.entries for lock in entry.locks}):
        holds = sorted(_holds(case, key), key=lambda hold: hold.fence)
        for at, hold in enumerate(holds):
            beside = [each for each in holds[:at] if each.end.order > hold.start.order]
            before = [each for each in holds[:at] if each.end.at_ms > hold.fence // 1000 + SLACK_MS]
            if len(beside) >= places:
                yield f"{hold.run} started with {key} while {beside[0].run} had it"
            elif len(before) >= places:
                yield f"{hold.run} was given {key} while {before[0].run} had it"


def _holds(case: Case, key: str) -> Iterator[_Hold]:
    starts: dict[tuple[str, int], Entry] = {}
    ends: dict[tuple[str, int], Entry] = {}
    newest: dict[str, int] = {}
    for entry in case.entries:
        if entry.kind == "start" and key in {lock for lock, _ in entry.locks}:
            starts[entry.run, entry.fence] = entry
            newest[entry.run] = max(entry.fence, newest.get(entry.run, 0))
        elif entry.kind == "end":
            ends[entry.run, entry.fence] = entry
    for (run, fence), start in starts.items():
        end = ends.get((run, fence))
        if end is None:
            continue
        if any(pid == start.pid and start.at_ms <= at <= end.at_ms for pid, at in case.stopped):
            continue
        record = case.records.get(run)
        repeated = end.how == "again" and record is not None and not record.deaths
        if fence == newest[run] or repeated:
            yield _Hold(run, fence, start, end)


def wrong_messages(case: Case) -> Iterator[str]:
    """Behind each reply stand the results of its calls: all, once, in call order, each the run's own."""
    for talk in case.talks:
        told = [message for message in talk.messages if message["role"] in {"assistant", "tool"}]
        expected = [
            step
            for calls in talk.rounds
            for step in [("", ""), *((call, _text(case, run)) for call, run in calls)]
        ]
        found = [
            ("", "") if message["role"] == "assistant" else (message["tool_call_id"], message["content"])
            for message in told
        ]
        for place, (want, have) in enumerate(zip(expected, found, strict=False)):
            if want != have:
                yield f"message {place} of {talk.id} is {have}, not {want}"
                break
        else:
            if len(expected) != len(found):
                yield f"{talk.id} has {len(found)} messages, not {len(expected)}"


def _text(case: Case, run: str) -> str:
    record = case.records.get(run)
    return (record.result if record is not None else None) or ""


def _said(result: str | None) -> dict[str, Any]:
    """What a handler of ours said, if it is that."""
    try:
        value = json.loads(result or "")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
