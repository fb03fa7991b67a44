"""How a run, a turn or a conversation stands, in lines for people: what `orchestrator.reading` found in, text out."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.reading import ConversationStanding, RunStanding, Standing, TurnStanding
from umbel.cli import run_lines
from umbel.cli.colours import coloured
from umbel.cli.layout import moment_or_none, pairs
from umbel.cli.plain import plain


def lines(told: Standing) -> Iterator[str]:
    """The lines of one of them."""
    match told:
        case RunStanding():
            yield from run_lines.lines(told)
        case TurnStanding():
            yield from _turn(told)
        case ConversationStanding():
            yield from _conversation(told)


def _turn(told: TurnStanding) -> Iterator[str]:
    yield f"{told.turn}  {coloured(told.status)}"
    number = None if told.round is None else f"{told.round + 1}"
    left = f", {told.left} of its calls have no result yet" if told.left and told.status == "live" else ""
    yield from pairs(
        {
            "conversation": told.conversation,
            "round": f"{number}{left}" if number else None,
            "waits for": "the turns before it" if told.status == "queued" else None,
            "began": moment_or_none(told.began),
            "ended": moment_or_none(told.ended),
        }
    )
    rest = list(told.aside)
    for run in told.runs:
        yield f"  {run_lines.row(run)}"
        yield from (f"    {run_lines.row(each)}" for each in rest if each.run.startswith(f"{run.run}."))
        rest = [each for each in rest if not each.run.startswith(f"{run.run}.")]
    yield from (f"  {run_lines.row(each)}" for each in rest)


def _conversation(told: ConversationStanding) -> Iterator[str]:
    yield f"{told.conversation}  {coloured(told.status)}"
    yield from pairs(
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
