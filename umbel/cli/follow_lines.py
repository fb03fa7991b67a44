"""What happens to something that is followed, in lines for people or as JSON: standings and changes in, text out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic_core import from_json, to_json

from orchestrator.standings import ConversationStanding, RunStanding, Standing, TurnStanding
from umbel.cli.colours import coloured
from umbel.cli.plain import plain
from umbel.following import Change


def line_of(change: Change, names: Mapping[str, str]) -> str:
    """One change as a line; `names` has the actions of runs, where they are known."""
    what = change.what
    told = [_clock(change.at)]
    if "state" in what:
        return "  ".join([*told, f"state {plain(str(what['state']))}"])
    name = str(what.get("run") or what.get("turn"))
    told += [name, *([plain(names[name])] if name in names else []), coloured(str(what["status"]))]
    if "why" in what:
        told.append(plain(str(what["why"])))
    if "round" in what:
        told.append(f"round {what['round'] + 1}")
    if "into" in what:
        told.append(f"into {what['into']}")
    if what.get("attempt", 0) > 1:
        told.append(f"attempt {what['attempt']}")
    if "worker" in what:
        told.append(f"on {plain(str(what['worker']))}")
    return "  ".join(told)


def summary(told: Standing) -> Iterator[str]:
    """How something stands, in few lines; `umbel show` tells more."""
    match told:
        case RunStanding():
            yield f"{told.run}  {plain(told.action)}  {coloured(told.status)}{_why(told)}"
        case TurnStanding():
            yield f"{told.turn}  {coloured(told.status)}"
            for run in (*told.runs, *told.aside):
                yield f"  {next(summary(run))}"
        case ConversationStanding():
            yield f"{told.conversation}  {coloured(told.status)}" + (
                f"  state {told.state}" if told.state else ""
            )
            if told.live_turn is not None:
                yield from (f"  {line}" for line in summary(told.live_turn))


def names_in(told: Standing) -> dict[str, str]:
    """The actions of the runs that it tells of."""
    match told:
        case RunStanding():
            return {told.run: told.action}
        case TurnStanding():
            return {run.run: run.action for run in (*told.runs, *told.aside)}
        case ConversationStanding():
            return {} if told.live_turn is None else names_in(told.live_turn)


def as_json(told: Standing | Change) -> str:
    """One JSON object: `{"what": "standing", "standing": …}` or `{"what": "change", "at": …, …}`."""
    if isinstance(told, Change):
        return json.dumps({"what": "change", "at": told.at.isoformat(timespec="milliseconds"), **told.what})
    return json.dumps({"what": "standing", "standing": from_json(to_json(told))})


def _why(told: RunStanding) -> str:
    if told.approval == "wanted" and told.status == "blocked":
        return f"  waits for a person: umbel approve {told.run}"
    waits: dict[str, Any] = {"waiting": told.why, "ready": told.why}
    return f"  {plain(why)}" if (why := waits.get(told.status)) else ""


def _clock(at: datetime) -> str:
    return at.astimezone().strftime("%H:%M:%S.%f")[:-3]
