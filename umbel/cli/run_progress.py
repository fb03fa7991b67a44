"""Waiting for a run in sight of a person: its id in; how it ended out, and meanwhile, on stderr, what it does.

A terminal shows one line that moves; anything else gets a line for each change. The end itself is not among them.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from actions.messages import TERMINAL
from orchestrator.standings import RunStanding
from umbel.cli import follow_lines
from umbel.following import Change, following

if TYPE_CHECKING:
    from actions.registry import Registry
    from orchestrator.store.store import Store


async def ended(run: str, store: Store, registry: Registry, within: float | None) -> RunStanding | None:
    """How a run ended; None if it has not, after so many seconds.

    Raises:
        UnknownRecord: there is no record of it (any more).
        StoreUnavailable: Redis stays away.
    """
    last: RunStanding | None = None
    names: dict[str, str] = {}
    try:
        with _shown() as tell:
            async with asyncio.timeout(within), following(run, store, registry) as events:
                async for told in events:
                    if isinstance(told, Change):
                        if told.what.get("status") not in TERMINAL:  # how it ended is said by who asked
                            tell(follow_lines.line_of(told, names))
                    elif isinstance(told, RunStanding):
                        last = told
                        names[run] = told.action
                        if told.status not in TERMINAL:
                            tell(next(follow_lines.summary(told)))
    except TimeoutError:
        return None
    return last


@contextmanager
def _shown() -> Iterator[Callable[[str], None]]:
    """Where what happens is shown."""
    if not sys.stderr.isatty():
        yield lambda line: click.echo(line, err=True)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    with console.status("") as status:
        yield lambda line: status.update(Text.from_ansi(line))
