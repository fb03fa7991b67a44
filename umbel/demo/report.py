"""The end: what was played and checked in, the conversations and figures for people out, or one JSON document."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from umbel.demo.board import Watched
from umbel.demo.checks import Check
from umbel.demo.play import Kept, Played
from umbel.demo.stage import Stage
from umbel.demo.wording import VOICES, call_text, status_text

_ROLES: Final = {"user": "bold", "assistant": "bright_cyan", "tool": "dim"}
_RESULT_WIDTH: Final = 100
_REFUSED: Final = frozenset({"refused", "denied", "failed"})


def document(played: Played, checks: Sequence[Check], stage: Stage) -> dict[str, Any]:
    """Everything, as one JSON object."""
    recovery = played.board.recovery
    return {
        "ok": all(check.ok for check in checks),
        "checks": [asdict(check) for check in checks],
        "seconds": round(played.seconds, 3),
        "conversations": {name: _conversation(kept) for name, kept in played.kept.items()},
        "runs": [_run(run) for run in played.board.runs.values()],
        "refused": [_refusal(run) for run in _refused(played)],
        "undone": [_undoing(run, played) for run in played.board.undos()],
        "exchange": {"orders": [asdict(order) for order in played.orders], "times_busy": played.times_busy},
        "recovery": asdict(recovery) if recovery else None,
        "workers": {
            name: "alive" if killed is None else "killed" for name, killed in played.board.workers.items()
        },
        "flower": {"url": stage.flower.url, "runs": played.flower},
        "logs": str(stage.logs),
    }


def show(console: Console, played: Played, checks: Sequence[Check], stage: Stage) -> None:
    """Tell it to people."""
    for name, kept in played.kept.items():
        console.print(Rule(Text(name, VOICES.get(name, "")), align="left", style="dim"))
        for text in _transcript(kept):
            console.print(text)
    _show_refused(console, played)
    _show_undone(console, played)
    _show_checks(console, checks, stage)
    _show_next(console, stage)


def _conversation(kept: Kept) -> dict[str, Any]:
    return {
        "id": kept.record.id,
        "status": kept.record.status,
        "state": kept.record.state,
        "context": kept.context,
        "messages": kept.messages,
    }


def _run(run: Watched) -> dict[str, Any]:
    return {
        "run": run.run,
        "conversation": run.conversation,
        "called": run.called,
        "arguments": run.arguments,
        "action": run.action,
        "leads": run.leads,
        "undoes": run.undoes or None,
        "undo": run.undo or None,
        "status": run.status,
        "attempts": run.attempt,
        "result": run.result,
        "steps": [asdict(step) | {"at": round(step.at, 3)} for step in run.steps],
    }


def _refused(played: Played) -> list[Watched]:
    return [run for run in played.board.calls() if run.status in _REFUSED]


def _refusal(run: Watched) -> dict[str, Any]:
    told = run.result if isinstance(run.result, dict) else {}
    return {
        "conversation": run.conversation,
        "call": call_text(run),
        "status": run.status,
        "code": told.get("code"),
        "reason": told.get("error"),
    }


def _undoing(undo: Watched, played: Played) -> dict[str, Any]:
    """What one undo took back, and what the exchange's book says of it."""
    step = played.board.runs[undo.undoes]
    order = next((order for order in played.orders if order.key == step.key), None)
    told = step.result if isinstance(step.result, dict) else {}
    return {
        "conversation": step.conversation,
        "call": call_text(step),
        "status": undo.status,
        "reason": told.get("error"),
        "order": order.id if order else None,
        "cancelled": order.cancelled if order else 0,
    }


def _transcript(kept: Kept) -> Iterator[Text]:
    """The conversation as lines: who speaks, what is called, what came back."""
    for message in kept.messages:
        role = str(message.get("role"))
        style = _ROLES.get(role, "")
        if role == "tool":
            yield _result(str(message.get("content")))
            continue
        if content := message.get("content"):
            yield _block(role, str(content), style)
        for call in message.get("tool_calls") or ():
            function: Mapping[str, Any] = call["function"]
            yield Text.assemble(
                ("  calls      ", "dim"), f"{function['name']} {_one_line(function['arguments'])}"
            )


def _block(role: str, text: str, style: str) -> Text:
    first, *rest = [line for line in text.splitlines() if line.strip()]
    made = Text.assemble((f"{role:<11}", style), first)
    for line in rest:
        made.append(f"\n{'':<11}{line}")
    return made


def _result(content: str) -> Text:
    is_error = content.startswith('{"error"') or '"error":' in content[:200]
    return Text.assemble(("  gets       ", "dim"), (_one_line(content), "magenta" if is_error else "green"))


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _RESULT_WIDTH else f"{line[: _RESULT_WIDTH - 1]}…"


def _show_refused(console: Console, played: Played) -> None:
    console.print(Rule("what was refused, and what the model was told", align="left", style="dim"))
    made = Table.grid(padding=(0, 2))
    for run in _refused(played):
        who = Text(run.conversation, VOICES.get(run.conversation, ""))
        made.add_row(who, status_text(run), Text(call_text(run)), Text(run.note, "dim"))
    console.print(made)


def _show_undone(console: Console, played: Played) -> None:
    console.print(Rule("what a failed chain took back, the last step first", align="left", style="dim"))
    made = Table.grid(padding=(0, 2))
    for undo in played.board.undos():
        step, told = played.board.runs[undo.undoes], _undoing(undo, played)
        who = Text(step.conversation, VOICES.get(step.conversation, ""))
        made.add_row(who, status_text(step), Text(call_text(step)), Text(_fate(told), "dim"))
    console.print(made)


def _fate(told: Mapping[str, Any]) -> str:
    """What became of the order, by the exchange's book."""
    if told["order"] is None:
        return "the exchange has no order to cancel"
    return f"{told['order']} is cancelled" if told["cancelled"] else f"{told['order']} still stands"


def _show_checks(console: Console, checks: Sequence[Check], stage: Stage) -> None:
    console.print(Rule("what was measured", align="left", style="dim"))
    made = Table.grid(padding=(0, 2))
    for check in checks:
        sign = Text("✔", "green") if check.ok else Text("✘", "bold red")
        made.add_row(sign, Text(check.name), Text(check.detail, "dim" if check.ok else "red"))
    console.print(made)
    if not all(check.ok for check in checks):
        console.print(Text(f"Something did not come out as it should. The logs: {stage.logs}", "bold red"))


def _show_next(console: Console, stage: Stage) -> None:
    console.print(Rule("how to go on", align="left", style="dim"))
    made = Table.grid(padding=(0, 2))
    umbel = _command()
    made.add_row(f"{umbel} up", "Valkey, workers and Flower for yourself, until Ctrl-C")
    made.add_row(f"UMBEL_ACTIONS=mypackage.actions {umbel} up", "the same with your own actions")
    made.add_row(f"UMBEL_REDIS_URL=redis://… {umbel} up", "on the Redis that you have")
    made.add_row("README.md, docs/", "twenty lines that declare an action, and what always holds")
    console.print(Padding(made, (0, 0, 1, 0)))
    console.print(Text(f"Flower's URL was {stage.flower.url}; the logs are in {stage.logs}", "dim"))


def _command() -> str:
    """How this very command is called from here."""
    if shutil.which("umbel"):
        return "umbel"
    called = Path(sys.argv[0])
    return os.path.relpath(called) if called.name == "umbel" else "python -m umbel"


def as_json(told: Mapping[str, Any]) -> str:
    """The document as text, readable by people too."""
    return json.dumps(told, indent=2, ensure_ascii=False)
