"""Arguments on a command line: JSON, a file of it, or NAME=JSON pairs in; the values out, or an error in usage."""

from __future__ import annotations

from typing import Any

import click


def whole(given: str) -> dict[str, Any]:
    """The object that `--arguments` gives: JSON, or where it stands (`@FILE`, `-`)."""
    try:
        if given == "-" or given.startswith("@"):
            with click.open_file(given.removeprefix("@"), encoding="utf-8") as file:
                given = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"--arguments: {error}") from None
    found = _read(given, "--arguments")
    if not isinstance(found, dict):
        raise click.UsageError('--arguments: a JSON object is wanted, such as {"quantity": 5}')
    return found


def pair(given: str) -> tuple[str, Any]:
    """One argument, as `--set` takes it."""
    name, mark, text = given.partition("=")
    if not name or not mark:
        raise click.UsageError(f"--set: NAME=JSON is wanted, such as quantity=5, not {given!r:.80}")
    return name, _read(text, f"--set {name}")


def _read(text: str, option: str) -> Any:
    from pydantic_core import from_json

    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise click.UsageError(f"{option}: this is no JSON ({error}); a text needs its quotes") from None
