"""Rate limits as rows of a JSON document and as lines of tables: what the store and the actions say in, text out."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from actions.limits import RateLimit
    from orchestrator.store.limits import Changed, Standing

_US: Final = 1_000_000


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


def changed_row(each: Changed) -> dict[str, Any]:
    """Numbers that an operator gave."""
    return {
        "name": each.field.partition(":")[0],
        "key": each.field if ":" in each.field else None,
        "n": each.n,
        "per_s": each.per_us / _US,
        "burst": each.burst or None,
        "cost": each.cost,
    }


def standing_row(each: Standing) -> dict[str, Any]:
    """How one key stands; times in seconds from now."""
    now = time.time_ns() // 1000
    row = asdict(each)
    for field in ("busy", "cooled"):
        until = row.pop(f"{field}_us")
        row[f"{field}_s"] = None if until is None else round(max(0, until - now) / _US, 3)
    return row


def show(told: dict[str, Any]) -> None:
    """Three short tables; what is empty says so."""
    if told["declared"] is None:
        click.echo("The actions cannot be loaded here, so what they declare is not shown (UMBEL_ACTIONS).\n")
    else:
        _table(
            "Declared", ("limit", "action", "numbers", "key", "over"), map(_declared_line, told["declared"])
        )
    _table("Changed", ("limit", "numbers", "cost"), map(_changed_line, told["changed"]))
    _table(
        "In use", ("key", "starts", "free in", "cooled for", "waiting"), map(_standing_line, told["standing"])
    )


def _numbers(row: dict[str, Any]) -> str:
    burst = f", {row['burst']} at once" if row["burst"] else ""
    return f"{row['n']} in {span(timedelta(seconds=row['per_s']))}{burst}"


def _declared_line(row: dict[str, Any]) -> tuple[str, ...]:
    return row["name"], row["action"], _numbers(row), row["key"] or "-", row["over"]


def _changed_line(row: dict[str, Any]) -> tuple[str, ...]:
    return row["key"] or row["name"], _numbers(row), str(row["cost"] or "-")


def _standing_line(row: dict[str, Any]) -> tuple[str, ...]:
    waiting = str(row["waiting"]) + (f" and {row['parked']} for long" if row["parked"] else "")
    return row["key"], str(row["starts"] or "-"), _seconds(row["busy_s"]), _seconds(row["cooled_s"]), waiting


def _seconds(given: float | None) -> str:
    return "-" if given is None else f"{given:.1f} s"


def span(window: timedelta) -> str:
    """A window as people write it."""
    seconds = window.total_seconds()
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def _table(title: str, columns: tuple[str, ...], rows: Any) -> None:
    lines = [columns, *rows]
    click.secho(title, bold=True)
    if len(lines) == 1:
        click.echo("  none\n")
        return
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for number, line in enumerate(lines):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        click.echo(f"  {click.style(text, dim=number == 0)}")
    click.echo("")
