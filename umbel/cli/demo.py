"""`umbel demo`: nothing in, three conversations on real workers out, to watch.

Ends with 0 only when everything held that is promised (see `umbel.demo.checks`), with 1 when something did
not, and with an error's own code when it could not be played. Whatever it started ends with it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from umbel.demo.play import Play, Played
    from umbel.demo.screen import Screen
    from umbel.demo.stage import Stage

EX_INTERRUPTED = 130
_DRAW_S = 0.1
_PIPE_WIDTH = 160


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document at the end, and nothing else.")
@click.option("--stay", is_flag=True, help="Leave everything running at the end, to look around in Flower.")
@click.pass_context
def demo(ctx: click.Context, *, as_json: bool, stay: bool) -> None:
    """Lead three conversations on real workers, and watch.

    Starts Valkey (or uses UMBEL_REDIS_URL), two Celery workers and Flower. One worker is killed while it works;
    its runs go on elsewhere. Takes about half a minute and leaves nothing running.
    """
    from actions.errors import UmbelError
    from orchestrator.settings import load_settings
    from umbel import extras, starting

    extras.need("worker")
    from umbel.demo.script import load_all
    from umbel.demo.stage import Stage

    console = _console(quiet=as_json)
    scripts = load_all()
    console.print("[bold]Umbel[/]: three conversations on two Celery workers, one of which will be killed.")
    stage = Stage(load_settings(), scripts, lambda text: console.print(f"  [green]✔[/] {text}"))
    try:
        with starting.stops_on_sigterm(), stage:
            ok = _perform(console, stage, as_json=as_json)
            if stay:
                console.print("Everything still runs. Ctrl-C ends it.")
                _wait_for_ctrl_c()
            console.print("[dim]Stopping …[/]")
    except UmbelError:
        if stage.logs.exists():
            click.echo(f"umbel: the logs are in {stage.logs}", err=True)
        raise
    except KeyboardInterrupt:
        click.echo("\numbel: interrupted; nothing is left running", err=True)
        ctx.exit(EX_INTERRUPTED)
    ctx.exit(0 if ok else 1)


def _console(*, quiet: bool) -> Console:
    from rich.console import Console

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that does not know ✔ shows ? and goes on
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPE_WIDTH
    return Console(highlight=False, quiet=quiet, width=width)


def _perform(console: Console, stage: Stage, *, as_json: bool) -> bool:
    """Play it, show it, and say whether everything held."""
    from umbel.demo import checks, report, screen
    from umbel.demo.board import Board
    from umbel.demo.play import Play
    from umbel.demo.script import load_all

    scripts, board = load_all(), Board()
    play = Play(stage, scripts, board)
    flower = f"Flower: {stage.flower.url}"
    console.print("  {} (user {}, password {})\n".format(flower, *stage.flower.login))
    chosen = screen.Silent() if as_json else screen.choose(console, board, play.now, flower)
    played = asyncio.run(_watched(play, chosen))
    told = checks.examine(played, scripts)
    if as_json:
        click.echo(report.as_json(report.document(played, told, stage)))
    else:
        if isinstance(chosen, screen.Moving):
            console.print(screen.whole(board, played.seconds, flower, console.width))
        report.show(console, played, told, stage)
    return all(check.ok for check in told)


async def _watched(play: Play, screen: Screen) -> Played:
    """The play, shown while it goes on."""
    with screen:
        performance = asyncio.ensure_future(play.perform())
        try:
            while not performance.done():
                screen.update()
                await asyncio.wait([performance], timeout=_DRAW_S)
        finally:
            performance.cancel()
        return await performance


def _wait_for_ctrl_c() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return
