"""The dead in lines for people: what `orchestrator.dead_calls` found in, text out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from umbel.cli.colours import coloured
from umbel.cli.layout import moment
from umbel.cli.plain import document, plain
from umbel.cli.run_lines import where_to_look

if TYPE_CHECKING:
    from orchestrator.dead_calls import DeadCall, StuckCall

_SHOWN: Final = 100
"""Characters of an error that a line of a list has room for."""


def row(each: DeadCall) -> str:
    """One of the dead as a line of a list."""
    tail = "  [edited]" if each.edited else ""
    head = f"{each.run}  {plain(each.action)}  {coloured(each.status)}"
    return f"{head}  {moment(each.ended)}{tail}  {_short(each.error)}"


def lines(each: DeadCall) -> Iterator[str]:
    """All there is to say of one of the dead."""
    yield f"{each.run}  {plain(each.action)}  {coloured(each.status)}"
    told = {
        "ended": moment(each.ended),
        "attempts": str(each.attempts),
        "on behalf of": plain(each.principal) if each.principal else None,
        "tenant": each.tenant,
        "conversation": each.conversation,
        "turn": each.turn,
        "arguments": arguments(each.arguments) + (" (edited)" if each.edited else ""),
        "error": document(each.error) + where_to_look(each.error),
    }
    yield from (f"  {name:<15}{text}" for name, text in told.items() if text)


def stuck(each: StuckCall) -> Iterator[str]:
    """An undo that rests as failed."""
    yield f"{each.run}  {plain(each.action)}  undo failed at {moment(each.failed)}"
    told = {
        "turn": each.turn,
        "arguments": arguments(each.arguments),
        "error": document(each.error) + where_to_look(each.error),
    }
    yield from (f"  {name:<15}{text}" for name, text in told.items() if text)


def arguments(masked: dict[str, str]) -> str:
    """Masked arguments, in one line."""
    return ", ".join(f"{plain(name)}={plain(value)}" for name, value in masked.items())


def counted(many: Sequence[Any], one: str, more: str) -> str:
    """How many, with the word that fits."""
    return f"{len(many):,} {one if len(many) == 1 else more}"


def _short(error: Any) -> str:
    if not isinstance(error, dict):
        return ""
    text = plain(f"{error.get('code', '?')}: {error.get('error', '')}")
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
