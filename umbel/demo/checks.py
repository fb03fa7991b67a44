"""What has to be true at the end: what was played and the scripts in, one `Check` for each promise out. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from umbel.demo.board import Watched
from umbel.demo.play import Kept, Played
from umbel.demo.script import Script

RECOVERY_LIMIT_S: Final = 15.0
"""A dead worker's runs start again within this time."""

_ORDER: Final = "TAKE_ORDER"


@dataclass(frozen=True, slots=True)
class Check:
    """One promise."""

    name: str
    """What is promised."""
    ok: bool
    """Whether it was kept."""
    detail: str
    """The figures, or what is wrong."""


def examine(played: Played, scripts: Mapping[str, Script]) -> list[Check]:
    """Every promise of the demo, in the order in which they are told."""
    return [
        _check("every turn ended", played.board.problems, f"in {played.seconds:.1f} s"),
        _one_result_each(played.kept),
        _as_written(played, scripts),
        _one_order_each(played),
        _undone_in_reverse(played, scripts),
        _recovered(played),
        _as_it_should_end(played, scripts),
        _in_flower(played),
    ]


def _check(name: str, problems: list[str], detail: str) -> Check:
    return Check(name, not problems, "; ".join(problems) or detail)


def _one_result_each(kept: Mapping[str, Kept]) -> Check:
    problems: list[str] = []
    calls = 0
    for name, one in kept.items():
        for asked, answered in _rounds(one.messages):
            calls += len(asked)
            if asked != answered:
                problems.append(f"{name}: calls {asked} have the results {answered}")
    if not calls:
        problems.append("no message has calls")
    return _check("one result for each call, in call order", problems, f"{calls} calls, {calls} results")


def _rounds(messages: list[dict[str, Any]]) -> Iterator[tuple[list[str], list[str]]]:
    """For each message with calls the ids of those, and of the tool messages right behind it."""
    for at, message in enumerate(messages):
        if asked := [call["id"] for call in message.get("tool_calls") or ()]:
            answered: list[str] = []
            for after in messages[at + 1 :]:
                if after.get("role") != "tool":
                    break
                answered.append(after["tool_call_id"])
            yield asked, answered


def _as_written(played: Played, scripts: Mapping[str, Script]) -> Check:
    problems: list[str] = []
    counts: Counter[str] = Counter()
    for name, script in scripts.items():
        calls = played.board.calls(name)
        counts.update("undone" if call.is_undone else call.status for call in calls)
        wanted = [expected for reply in script.replies for expected in reply.expect]
        got = [call.outcome for call in calls]
        problems += [
            f"{name}: {call.called} ended as {call.outcome}, not {expected}"
            for call, expected in zip(calls, wanted, strict=False)
            if call.outcome != expected
        ]
        if len(got) != len(wanted):
            problems.append(f"{name}: {len(got)} calls instead of {len(wanted)}")
    found = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    return _check("each call ended as it should", problems, found)


def _one_order_each(played: Played) -> Check:
    runs = [run for run in played.board.calls() if run.action == _ORDER and run.status == "succeeded"]
    placed = Counter(order.key for order in played.orders)
    problems = [
        f"{run.called} {run.arguments}: {placed[run.key]} orders" for run in runs if placed[run.key] != 1
    ]
    problems += [f"{order.id}: no run's order" for order in played.orders if order.key not in _keys(runs)]
    if not runs:
        problems.append("no order was taken")
    asked = sum(order.asked for order in played.orders)
    detail = f"{len(placed)} orders for {len(runs)} runs, though {asked} requests asked for them"
    return _check("one order for each run at the exchange", problems, detail)


def _keys(runs: list[Watched]) -> set[str]:
    return {run.key for run in runs}


def _undone_in_reverse(played: Played, scripts: Mapping[str, Script]) -> Check:
    """By the exchange's book, the undos that ran, and what the model was told."""
    problems: list[str] = []
    told: list[str] = []
    chained: set[str] = set()
    for name, script in scripts.items():
        steps = played.board.calls(name) if script.mode == "chain" else []
        chained.update(step.key for step in steps)
        if any(step.status != "succeeded" for step in steps):
            done = [step for step in steps if step.status == "succeeded"]
            problems += [f"{name}: {problem}" for problem in _not_taken_back(played, name, done)]
            told.append(f"a failed chain of {len(steps)} was undone in reverse: {len(done)} orders cancelled")
    stray = [order.id for order in played.orders if order.cancelled and order.key not in chained]
    problems += [f"{order}: cancelled, and no chain asked for that" for order in stray]
    if not told:
        problems.append("no chain failed")
    return _check("a failed chain takes back what it did", problems, "; ".join(told))


def _not_taken_back(played: Played, name: str, done: list[Watched]) -> Iterator[str]:
    """What is wrong with how these steps of a failed chain, in call order, were undone."""
    if not done:
        yield "nothing had been done before it failed"
    book = {order.key: order for order in played.orders}
    times = [book[step.key].cancelled if step.key in book else 0 for step in done]
    if 0 in times:
        yield f"orders stand: {[step.called for step, at in zip(done, times, strict=True) if not at]}"
    elif times != sorted(set(times), reverse=True):
        yield f"cancelled in the order {times}, not in reverse"
    undos = Counter(undo.undoes for undo in played.board.undos(name) if undo.status == "succeeded")
    for step in done:
        if undos[step.run] != 1:
            yield f"{step.called}: {undos[step.run]} undos"
        if step.outcome != "succeeded undone":
            yield f"{step.called}: the model was told {step.result}"


def _recovered(played: Played) -> Check:
    name = f"a dead worker's runs start again within {RECOVERY_LIMIT_S:g} s"
    recovery = played.board.recovery
    if recovery is None:
        return Check(name, ok=False, detail="no worker was killed")
    if not recovery.runs:
        return Check(name, ok=False, detail=f"{recovery.worker} had no runs when it was killed")
    if recovery.seconds is None:
        return Check(name, ok=False, detail=f"not all runs of {recovery.worker} came back")
    detail = f"{len(recovery.runs)} runs of {recovery.worker}, after {recovery.seconds:.1f} s"
    return Check(name, recovery.seconds <= RECOVERY_LIMIT_S, detail)


def _as_it_should_end(played: Played, scripts: Mapping[str, Script]) -> Check:
    problems: list[str] = []
    for name, script in scripts.items():
        if (kept := played.kept.get(name)) is None:
            problems.append(f"{name}: not there")
            continue
        pairs = (
            ("status", kept.record.status, script.ends.status),
            ("state", kept.record.state, script.ends.state),
            ("context", kept.context, script.ends.context),
        )
        problems += [f"{name}: {what} is {got}, not {want}" for what, got, want in pairs if got != want]
    detail = ", ".join(
        f"{name} {kept.record.state or kept.record.status}" for name, kept in played.kept.items()
    )
    return _check("the conversations stand as they should", problems, detail)


def _in_flower(played: Played) -> Check:
    wanted = Counter(run.task for run in played.board.started())
    problems = [
        f"{name}: {played.flower.get(name, 0)} of {count}"
        for name, count in wanted.items()
        if played.flower.get(name, 0) < count
    ]
    if not wanted:
        problems.append("no run was started")
    detail = ", ".join(f"{count} {name}" for name, count in sorted(played.flower.items()))
    return _check("Flower lists the runs under their actions' names", problems, detail)
