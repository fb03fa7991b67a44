"""A run in words and colours: what the board knows of it in, short texts out. The screen and the report share them."""

from __future__ import annotations

import json
from typing import Any, Final

from rich.text import Text

from umbel.demo.board import WORKER_DIED, Step, Talk, Watched

LOOKS: Final[dict[str, tuple[str, str]]] = {
    "blocked": ("◌", "dim"),
    "ready": ("○", "cyan"),
    "waiting": ("◔", "yellow"),
    "running": ("▶", "bold blue"),
    "cancelling": ("◑", "yellow"),
    "succeeded": ("✔", "green"),
    "failed": ("✘", "red"),
    "timed_out": ("✘", "red"),
    "cancelled": ("■", "yellow"),
    "expired": ("■", "yellow"),
    "refused": ("⊘", "magenta"),
    "denied": ("⊘", "magenta"),
    "dead": ("✝", "bold red"),
}
"""A glyph and a colour for each status."""

VOICES: Final = {"coach": "bright_cyan", "trader": "bright_yellow", "broker": "bright_magenta"}
"""A colour for each conversation."""

_VALUE_WIDTH: Final = 44


def status_text(run: Watched) -> Text:
    """Where it stands; a step that its chain took back says so."""
    if run.is_undone:
        return Text("↩ undone", "yellow")
    glyph, colour = LOOKS.get(run.status, ("?", ""))
    return Text(f"{glyph} {run.status}", colour)


def call_text(run: Watched) -> str:
    """The call as the model wrote it, in the form of a function's call; of an undo the call that it takes back."""
    if run.leads:
        return "the model is asked"
    read = ", ".join(f"{key}={_short(value)}" for key, value in run.arguments.items())
    call = f"{run.called or '(no name)'}({read or ' '.join(run.written.split())})"
    return f"undo of {call}" if run.undoes else call


def line(run: Watched, step: Step) -> Text:
    """One transition on one line."""
    glyph, colour = LOOKS.get(step.status, ("?", ""))
    text = Text(f"{step.at:7.3f}  ", style="dim")
    text.append(f"{run.conversation:<8}", VOICES.get(run.conversation, ""))
    text.append(f"{glyph} {step.status:<10}", colour)
    text.append(call_text(run))
    if step.attempt > 1:
        text.append(f"  attempt {step.attempt}", "yellow")
    if step.worker:
        text.append(f"  on {step.worker}", "dim")
    if why := why_text(run, step):
        text.append(f"  {why}", "dim")
    return text


def why_text(run: Watched, step: Step) -> str:
    """Why it waits, why it did not succeed, or why it was undone."""
    is_last = step is run.steps[-1]
    if step.why == WORKER_DIED:
        return "its worker died"
    if step.status == "blocked":
        return "waits for calls before it"
    if step.status == "waiting":
        return f"{step.why}: {step.note}" if step.note else step.why
    if step.status == "running" and any(each.why == WORKER_DIED for each in run.steps):
        return "again, after its worker's death"
    return run.note if run.is_over and is_last and (run.undo or step.status != "succeeded") else ""


def manner_text(talk: Talk) -> Text:
    """By what a conversation goes: the state of its machine, or how its calls are run."""
    if talk.state:
        return Text(talk.state, "bold")
    return Text("a chain: all of it or nothing" if talk.mode == "chain" else "no state machine", "dim")


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _VALUE_WIDTH else f"{text[: _VALUE_WIDTH - 1]}…"
