"""The figures for people and for programs: results in, a table or one JSON document out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.box import SIMPLE
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from umbel.bench.figures import CALLS, COMMANDS, Pair, Sample, Workload, cpu_per_thousand, middle, per_unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from umbel.bench.rounds import Results

_LISTED: Final = 3
"""Commands that are named one by one."""


def document(results: Results, *, calls: int, mode: str) -> dict[str, Any]:
    """Everything as one JSON object; rates a second, times in ms, CPU in seconds for 1,000, memory in MiB."""
    return {
        "mode": mode,
        "server": results.server,
        "actions_per_turn": calls,
        "figures": [_row(pair) for pair in results.pairs],
        "guards": guards_cost(results),
        "memory_mib": {name: round(value, 1) for name, value in results.memory_mib.items()},
    }


def _row(pair: Pair) -> dict[str, Any]:
    return {
        "key": pair.figure.key,
        "title": pair.figure.title,
        "unit": pair.figure.unit,
        "ratio": _rounded(pair.ratio),
        "aim": pair.figure.aim,
        "met": pair.is_met,
        "alarm": pair.alarms,
        "ours": _side(pair, ours=True),
        "floor": _side(pair, ours=False),
    }


def _side(pair: Pair, *, ours: bool) -> dict[str, Any] | None:
    samples = pair.ours if ours else pair.floor
    chosen = middle(samples)
    if chosen is None:
        return None
    commands = per_unit(samples)
    return {
        "value": _rounded(chosen.value),
        "p99": _rounded(chosen.tail),
        "rounds": [_rounded(sample.value) for sample in samples],
        "cpu_s_per_1000": {part: round(value, 5) for part, value in cpu_per_thousand(samples).items()},
        "commands": _rounded(sum(commands.values())) if commands else None,
        "commands_by_name": {name: _rounded(value) for name, value in commands.items()},
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4 if value < 10 else 1)  # noqa: PLR2004 - four digits are enough to read


def show(results: Results, console: Console, *, calls: int) -> None:
    """Print the tables."""
    tables = [_speed(results), _cpu(results), _commands(results, calls)]
    console.print(Group(*tables, *_guards(results), *_memory(results)))


def _table(title: str, *columns: str) -> Table:
    """A table whose first column is text and whose others are figures."""
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE, pad_edge=False)
    for at, name in enumerate(columns):
        table.add_column(name, justify="right" if at else "left", no_wrap=True)
    return table


def _speed(results: Results) -> Table:
    title = f"Umbel against the raw floor on {results.server}"
    table = _table(title, "", "Umbel", "floor", "ratio", "aim", "")
    for pair in results.pairs:
        sign = "≥" if pair.figure.unit == "/s" else "≤"
        table.add_row(
            pair.figure.title,
            _value(pair, ours=True),
            _value(pair, ours=False),
            "" if pair.ratio is None else f"{pair.ratio:.2f}",
            f"{sign} {pair.figure.aim:g}",
            _verdict(is_met=pair.is_met, alarms=pair.alarms),
        )
    return table


def _value(pair: Pair, *, ours: bool) -> str:
    chosen = middle(pair.ours if ours else pair.floor)
    if chosen is None:
        return ""
    if pair.figure.unit == "/s":
        return f"{chosen.value:,.0f} /s"
    return f"{chosen.value:.2f} ms" if pair.figure.unit == "ms" else f"{chosen.value:.3f} s"


def _verdict(*, is_met: bool | None, alarms: bool = False) -> Text:
    if is_met is None:
        return Text("")
    if alarms:
        return Text("alarm", style="bold red")
    return Text("ok", style="green") if is_met else Text("below", style="yellow")


def _loaded(results: Results) -> Iterator[tuple[Pair, str, list[Sample]]]:
    """The sides that were measured under load, with a name for people."""
    for pair in results.pairs:
        for name, samples in (("Umbel", pair.ours), ("floor", pair.floor)):
            if samples and samples[0].load is not None:
                yield pair, f"{pair.figure.title}: {name}", samples


def _cpu(results: Results) -> Table:
    """Seconds for 1,000 are milliseconds for one; microseconds are what people can place."""
    table = _table("CPU, µs for one", "", "producer", "workers", "Redis", "(scripts)", "all")
    for _, name, samples in _loaded(results):
        cpu = {part: seconds * 1000 for part, seconds in cpu_per_thousand(samples).items()}
        total = cpu["producer"] + cpu["workers"] + cpu["server"]
        shown = (cpu["producer"], cpu["workers"], cpu["server"], cpu["scripts"], total)
        table.add_row(name, *(f"{value:,.0f}" for value in shown))
    return table


def _commands(results: Results, calls: int) -> Table:
    table = _table("Redis commands for one", "", "all", "aim", "")
    table.add_column("most frequent", justify="left")
    for pair, name, samples in _loaded(results):
        commands = per_unit(samples)
        total = sum(commands.values())
        aim = COMMANDS.get(pair.figure.key) if samples is pair.ours and _has_aim(pair, calls) else None
        table.add_row(
            name,
            f"{total:.1f}",
            "" if aim is None else f"≤ {aim:g}",
            _verdict(is_met=None if aim is None else total <= aim),
            " ".join(f"{command} {count:.1f}" for command, count in list(commands.items())[:_LISTED]),
        )
    return table


def _has_aim(pair: Pair, calls: int) -> bool:
    return pair.figure.workload is Workload.W1 or calls == CALLS


def guards_cost(results: Results) -> dict[str, float] | None:
    """What a lock and a limit add to one run that waits for neither: µs of CPU, and Redis commands; None if unknown."""
    plain, guarded = (
        next((pair.ours for pair in results.pairs if pair.figure.key == key), [])
        for key in ("w1_batched", "guards")
    )
    if not plain or not guarded:
        return None
    cpu = [cpu_per_thousand(samples) for samples in (plain, guarded)]
    totals = [1000 * (each["producer"] + each["workers"] + each["server"]) for each in cpu]
    commands = [sum(per_unit(samples).values()) for samples in (plain, guarded)]
    return {"cpu_us": round(totals[1] - totals[0], 1), "commands": round(commands[1] - commands[0], 2)}


def _guards(results: Results) -> list[Text]:
    cost = guards_cost(results)
    if cost is None:
        return []
    told = f"a lock and a limit add {cost['cpu_us']:.0f} µs of CPU and {cost['commands']:.1f} Redis commands to a run"
    return [Text(f"Guards: {told}")]


def _memory(results: Results) -> list[Text]:
    told = ", ".join(f"{name} {value:.0f} MiB" for name, value in results.memory_mib.items() if value)
    return [Text(f"Memory (PSS): {told}")] if told else []
