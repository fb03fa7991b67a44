"""The board for people: a table that moves on a terminal, one line for each transition anywhere else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from umbel.demo.board import Board, Watched
from umbel.demo.wording import VOICES, call_text, line, manner_text, status_text, why_text

_ROWS_AROUND: Final = 12
_WIDE: Final = 110
"""From this width on there is room for the action's own name beside the one that the model wrote."""
_SHORT_S: Final = 10.0


class Screen(Protocol):
    """What shows the board while the play goes on."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...
    def update(self) -> None:
        """Show what is new."""
        ...


class Silent:
    """Shows nothing, for `--json`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to end."""

    def update(self) -> None:
        """Show nothing."""


class Lines:
    """One line for each transition, for logs and pipes."""

    def __init__(self, console: Console, board: Board) -> None:
        self._console = console
        self._board = board
        self._shown = 0
        self._mourned: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.update()

    def update(self) -> None:
        """Print what happened since the last time."""
        fresh = self._board.log[self._shown :]
        self._shown += len(fresh)
        for name, killed in self._board.workers.items():
            if killed is not None and name not in self._mourned:
                self._mourned.add(name)
                told = f"{killed:7.3f}  ✝ {name} is killed (kill -9); its runs start again when its lease ends (10 s)"
                self._console.print(told, style="bold red", soft_wrap=True)
        for run, step in fresh:
            self._console.print(line(run, step), soft_wrap=True)


class Moving:
    """A table that is drawn anew ten times a second."""

    def __init__(self, console: Console, board: Board, now: Callable[[], float], flower: str) -> None:
        self._board = board
        self._console = console
        self._now = now
        self._flower = flower
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=10, transient=True)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.__exit__(None, None, None)

    def update(self) -> None:
        """Nothing to do: it draws itself."""

    def _render(self) -> RenderableType:
        room = max(6, self._console.size.height - _ROWS_AROUND)
        return whole(self._board, self._now(), self._flower, self._console.width, room)


def whole(board: Board, now: float, flower: str, width: int, room: int | None = None) -> RenderableType:
    """Everything: workers, conversations, calls."""
    return Group(header(board, now, flower), table(board, now, width, room))


def header(board: Board, now: float, flower: str) -> RenderableType:
    """The workers and the conversations."""
    grid = Table.grid(padding=(0, 2))
    grid.add_row(Text("workers", "dim"), Text("   ").join(_workers(board, now)))
    for talk in board.talks.values():
        name = Text(talk.name, VOICES.get(talk.name, ""))
        state = manner_text(talk)
        state.append(f"  message {talk.turn} of {talk.turns}", "dim")
        if talk.ended:
            state.append(f"  {talk.ended}", "green")
        elif leading := board.leading(talk.name):
            state.append(f"  {_leading(leading)}", "blue")
        grid.add_row(name, state)
    return Panel(
        grid, title=f"umbel demo  {now:.1f} s", subtitle=flower, title_align="left", border_style="dim"
    )


def table(board: Board, now: float, width: int, room: int | None = None) -> Table:
    """The calls and their undos; the last `room` of them, but none that is still under way is left out."""
    shown, hidden = _window(board.work(), room)
    caption = f"{hidden} earlier calls are over" if hidden else None
    made = Table(caption=caption, caption_justify="left", box=None, pad_edge=False, expand=True)
    made.add_column("", no_wrap=True)
    made.add_column("the call, as the model wrote it", no_wrap=True, ratio=5)
    if width >= _WIDE:
        made.add_column("action", no_wrap=True, ratio=2)
    made.add_column("status", no_wrap=True, min_width=11)
    made.add_column("try", justify="right", no_wrap=True)
    made.add_column("worker", no_wrap=True, min_width=4)
    made.add_column("s", justify="right", no_wrap=True, min_width=5)
    made.add_column("why", no_wrap=True, ratio=4)
    for run in shown:
        made.add_row(*_cells(run, board, now, width))
    return made


def _cells(run: Watched, board: Board, now: float, width: int) -> Iterator[RenderableType]:
    lost = run.status == "running" and board.workers.get(run.worker) is not None
    seconds = run.seconds(now)
    yield Text(run.conversation, VOICES.get(run.conversation, ""))
    yield Text(call_text(run), overflow="ellipsis")
    if width >= _WIDE:
        yield Text(run.action or "-", "" if run.action else "dim", overflow="ellipsis")
    yield status_text(run)
    yield Text(str(run.attempt or ""), "yellow" if run.attempt > 1 else "dim")
    yield Text(run.worker.partition("@")[0], "red strike" if lost else "")
    yield Text(f"{seconds:.2f}" if seconds < _SHORT_S else f"{seconds:.1f}", "dim")
    if lost:
        yield Text("its worker is dead, its lease not over yet", "red", overflow="ellipsis")
    else:
        yield Text(why_text(run, run.steps[-1]), "dim", overflow="ellipsis")


def _window(calls: list[Watched], room: int | None) -> tuple[list[Watched], int]:
    if room is None or len(calls) <= room:
        return calls, 0
    over = len(calls) - room
    settled = [call for call in calls if call.is_over][:over]
    gone = {call.run for call in settled}
    return [call for call in calls if call.run not in gone][-room:], over


def _workers(board: Board, now: float) -> Iterable[Text]:
    for name, killed in board.workers.items():
        if killed is None:
            busy = len(board.running_on(name))
            yield Text(f"● {name} alive, {busy} running", "green")
        else:
            yield Text(f"✝ {name} killed {now - killed:.1f} s ago", "bold red")


def _leading(run: Watched) -> str:
    return (
        "the model is asked" if run.status == "running" else f"the next question to the model is {run.status}"
    )


def choose(console: Console, board: Board, now: Callable[[], float], flower: str) -> Screen:
    """A table where it can move, lines anywhere else."""
    if console.is_terminal and not console.is_dumb_terminal and not os.environ.get("CI"):
        return Moving(console, board, now, flower)
    return Lines(console, board)
