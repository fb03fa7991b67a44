"""`umbel audit`: who asked for what, on whose behalf, what was decided and by whom, and how it ended.

In: perhaps an id and a time. Out: the lines of the audit, oldest first, as a table, as JSON, or into a file. They are
append-only: this command only reads.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO

import click

from umbel.cli import options
from umbel.cli.audit_lines import Meant

_PAGE: Final = 1_000
_LINES: Final = 200
"""Lines of the table, the newest, unless more are asked for."""
_FIRST: Final = (
    "at",
    "run",
    "what",
    "action",
    "called",
    "by",
    "decided",
    "status",
    "code",
    "tenant",
    "conversation",
)
"""The fields that lines have, most of them; others follow by name."""


@click.command()
@click.argument("id", metavar="[ID]", required=False)
@options.since
@click.option("--last", type=click.IntRange(1), metavar="N", help=f"The newest N; {_LINES} for a terminal.")
@click.option("--all", "everything", is_flag=True, help="All lines, not just the newest.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@click.option("--jsonl", is_flag=True, help="Print a JSON object a line.")
@click.option(
    "--export", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write a JSON object a line into a file that only you can read.",
)  # fmt: skip
def audit(
    id: str | None,  # noqa: A002 - the word on the command line
    since: datetime | None,
    last: int | None,
    *,
    everything: bool,
    as_json: bool,
    jsonl: bool,
    export: Path | None,
) -> None:
    """Show the audit: each call that was asked for, refused ones too, each decision and each end.

    With the ID of a run: its lines, and those of its undos, follow-ups and replays; of a turn or a conversation: those
    of all its runs. Arguments are masked but for those that an action shows.
    """
    if sum((as_json, jsonl, export is not None)) > 1:
        raise click.UsageError("one of --json, --jsonl and --export")
    if last and everything:
        raise click.UsageError("--last or --all, not both")
    table = not (as_json or jsonl or export)
    most = None if everything else last or (_LINES if table else None)
    found, left_out = asyncio.run(_read(id, since, most))
    if export is not None:
        with _private(export) as file:
            file.writelines(_jsonl(found))
        click.echo(f"{len(found):,} lines written to {export}", err=True)
    elif jsonl:
        for line in _jsonl(found):
            click.echo(line, nl=False)
    elif as_json:
        click.echo(json.dumps(list(found), indent=2))
    else:
        _table(found, left_out)


async def _read(
    given: str | None, since: datetime | None, most: int | None
) -> tuple[deque[dict[str, Any]], int]:
    """The newest lines that match, and how many older ones were left out."""
    meant = Meant(given) if given is not None else None
    kept: deque[dict[str, Any]] = deque(maxlen=most)
    count = 0
    async with aclosing(_lines(since)) as lines:
        async for line in lines:
            if meant is None or meant.has(line):
                kept.append(line)
                count += 1
    return kept, count - len(kept)


async def _lines(since: datetime | None) -> AsyncGenerator[dict[str, Any], None]:
    from umbel.cli.stores import opened

    start = max(0, round(since.timestamp() * 1_000)) if since else 0
    after = f"{start - 1}-{2**64 - 1}" if start else "0"
    async with opened() as store:
        while page := await store.audit.read(after, count=_PAGE):
            for each in page:
                at = datetime.fromtimestamp(each.at_ms / 1_000, UTC)
                yield {"at": at.isoformat(timespec="milliseconds"), **each.fields}
            after = page[-1].id


def _jsonl(lines: Iterable[dict[str, Any]]) -> Iterator[str]:
    return (f"{json.dumps(line)}\n" for line in lines)


@contextmanager
def _private(path: Path) -> Iterator[TextIO]:
    """A file for its owner alone, which is there whole or not at all."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    except OSError as error:
        raise click.UsageError(f"--export: {error}") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yield file
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _table(lines: Iterable[dict[str, Any]], left_out: int) -> None:
    from umbel.cli.plain import document, plain

    empty = True
    if left_out:
        click.secho(f"{left_out:,} older lines are not shown: --all shows them", err=True)
    for line in lines:
        empty = False
        rest = {name: line[name] for name in line if name not in {*_FIRST, "arguments"} and line[name]}
        if rest.get("digest") == "-":  # there was nothing to be looked at
            del rest["digest"]
        told = [
            _at(line["at"]),
            str(line.get("run") or "-"),
            str(line.get("what", "?")),
            str(line.get("action") or line.get("called") or ""),
            f"by {line['by']}" if line.get("by") else "",
            *dict.fromkeys(str(line[name]) for name in ("decided", "status", "code") if line.get(name)),
            *(f"{name}={value}" for name, value in rest.items()),
            document(line["arguments"]) if line.get("arguments") else "",
        ]
        click.echo("  ".join(plain(part) for part in told if part))
    if empty:
        click.echo("The audit has no such lines.")


def _at(text: str) -> str:
    from umbel.cli.layout import moment

    return moment(datetime.fromisoformat(text))
