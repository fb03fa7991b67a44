"""Rate limits and locks as rows of a JSON document and as lines of tables: what store and actions say in, text out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from actions.limits import RateLimit
    from orchestrator.guard_standings import LimitStanding, LockStanding
    from orchestrator.store.limits import Changed

_US: Final = 1_000_000
_ROWS: Final = 50
"""Lines of a table, the busiest first, unless all are asked for."""
_NAMED: Final = 2
"""Holders of one lock that a line names."""


def declared_row(action: str, limit: RateLimit) -> dict[str, Any]:
    """A limit as an action declares it."""
    return {
        "name": limit.name,
        "action": action,
        "n": limit.n,
        "per_s": limit.per.total_seconds(),
        "burst": limit.burst or None,
        "key": limit.key,
        "over": limit.over,
    }


def changed_row(each: Changed, *, known: bool) -> dict[str, Any]:
    """Numbers that an operator gave; `known`: whether some action has such a limit, or that cannot be told."""
    return {
        "name": each.field.partition(":")[0],
        "key": each.field if ":" in each.field else None,
        "n": each.n,
        "per_s": each.per_us / _US,
        "burst": each.burst or None,
        "cost": each.cost,
        "known": known,
    }


def standing_row(each: LimitStanding) -> dict[str, Any]:
    """How one key stands; times in seconds from now."""
    return {
        "key": each.key,
        "used": each.used,
        "most": each.most,
        "next_start_in_s": _left(each.next_us, each.now_us),
        "cooled_s": _left(each.cooled_us, each.now_us),
        "waiting": each.waiting,
        "parked": each.parked,
        "first": each.first,
    }


def lock_row(each: LockStanding) -> dict[str, Any]:
    """How one lock stands; times in seconds until now."""
    return {
        "key": each.key,
        "places": each.places,
        "holders": [
            {
                "run": holder.run,
                "ghost": holder.ghost,
                "status": holder.status,
                "since_s": _left(each.now_us, holder.since_us),
            }
            for holder in each.holders
        ],
        "waiting": each.waiting,
    }


def show(told: dict[str, Any], *, whole: bool = False) -> None:
    """Tables; what is empty says so. Of what is in use the 50 busiest, or the `whole`."""
    most = None if whole else _ROWS
    if told["why"]:
        click.echo(f"The actions cannot be loaded here, so what they declare is not shown: {told['why']}\n")
    else:
        columns = ("limit", "action", "numbers", "key", "over")
        _table("Declared", columns, map(_declared_line, told["declared"]))
    _table("Changed", ("limit", "numbers", "cost"), map(_changed_line, told["changed"]))
    use = ("key", "used", "next start in", "cooled for", "waiting", "first in line")
    _table("In use", use, map(_standing_line, sorted(told["standing"], key=_idleness)), most)
    if told["locks"] is not None:
        busiest = sorted(told["locks"], key=lambda row: -row["waiting"])
        _table("Locks", ("key", "held by", "for", "waiting"), map(_lock_line, busiest), most)


def _numbers(row: dict[str, Any]) -> str:
    burst = f", {row['burst']} at once" if row["burst"] else ""
    return f"{row['n']} in {span(timedelta(seconds=row['per_s']))}{burst}"


def _declared_line(row: dict[str, Any]) -> tuple[str, ...]:
    return row["name"], row["action"], _numbers(row), row["key"] or "-", row["over"]


def _changed_line(row: dict[str, Any]) -> tuple[str, ...]:
    unknown = "" if row["known"] else "  (no action here has such a limit)"
    return row["key"] or row["name"], _numbers(row), f"{row['cost'] or '-'}{unknown}"


def _standing_line(row: dict[str, Any]) -> tuple[str, ...]:
    used = "-" if row["used"] is None else f"{row['used']} of {row['most']}"
    parked = f" and {row['parked']} for long" if row["parked"] else ""
    cooled = "-" if row["cooled_s"] is None else seconds(row["cooled_s"])
    return row["key"], used, next_start(row), cooled, f"{row['waiting']}{parked}", row["first"] or "-"


def next_start(row: dict[str, Any]) -> str:
    """When one more is free: "now", or in how many seconds."""
    if row["most"] == 0:
        return "closed"
    if row["next_start_in_s"] is None:
        return "-"
    return seconds(row["next_start_in_s"]) if row["next_start_in_s"] > 0 else "now"


def _lock_line(row: dict[str, Any]) -> tuple[str, ...]:
    holders = row["holders"]
    names = [f"{each['run']}{holding(each)}" for each in holders[:_NAMED]]
    more = [f"{len(holders) - _NAMED} more"] if len(holders) > _NAMED else []
    longest = seconds(max(each["since_s"] for each in holders))
    return row["key"], ", ".join(names + more), longest, str(row["waiting"])


def holding(holder: dict[str, Any]) -> str:
    """What is to be said of a holder that does not simply run."""
    if holder["ghost"]:
        return " (ended; its handler goes on)"
    return "" if holder["status"] == "running" else f" ({holder['status']})"


def seconds(given: float) -> str:
    """Seconds as people read them; more than two minutes and two hours in those units."""
    if given >= 7_200:  # noqa: PLR2004 - as the sentence says
        return f"{given / 3_600:.1f} h"
    return f"{given / 60:.1f} min" if given >= 120 else f"{given:.1f} s"  # noqa: PLR2004


def _left(until_us: int | None, now_us: int) -> float | None:
    return None if until_us is None else round(max(0, until_us - now_us) / _US, 3)


def span(window: timedelta) -> str:
    """A window as people write it."""
    seconds = window.total_seconds()
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def _idleness(row: dict[str, Any]) -> tuple[int, float]:
    """By how many wait, then by how much is used, most first."""
    return -(row["waiting"] + row["parked"]), -(row["used"] or 0) / (row["most"] or 1)


def _table(title: str, columns: tuple[str, ...], rows: Any, most: int | None = None) -> None:
    lines = [columns, *rows]
    rest = 0 if most is None else len(lines) - 1 - most
    lines = lines if most is None else lines[: most + 1]
    click.secho(title, bold=True)
    if len(lines) == 1:
        click.echo("  none\n")
        return
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for number, line in enumerate(lines):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        click.echo(f"  {click.style(text, dim=number == 0)}")
    if rest > 0:
        click.echo(f"  … and {rest} more (--all shows them)")
    click.echo("")
