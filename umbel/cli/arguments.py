"""Arguments on a command line: JSON, a file of it, or NAME=JSON pairs in; the values out, or an error in usage.

Where a text is wanted, what is no JSON is the text itself: a shell eats the quotes that JSON wants.
"""

from __future__ import annotations

from collections.abc import Callable
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


def pair(
    given: str, option: str = "--set ", takes_text: Callable[[str], bool] | None = None
) -> tuple[str, Any]:
    """One argument as NAME=JSON; `option` is where it stands on the command line.

    `takes_text` says whether the parameter of this name takes a text; only what is no JSON is asked for.
    """
    name, mark, text = given.partition("=")
    if not name or not mark:
        where = f"{option.strip()}: " if option else ""
        raise click.UsageError(f"{where}NAME=JSON is wanted, such as quantity=5, not {given!r:.80}")
    try:
        return name, _read(text, f"{option}{name}")
    except click.UsageError:
        if takes_text is None or not _is_bare(text) or not takes_text(name):
            raise
        return name, text


def _is_bare(text: str) -> bool:
    """Whether it can only be meant as a text: no JSON that went wrong, and no bytes that are no text."""
    return bool(text) and text[0] not in '"[{' and not any("\ud800" <= each <= "\udfff" for each in text)


def _read(text: str, option: str) -> Any:
    from pydantic_core import from_json

    try:
        return from_json(text, allow_inf_nan=False)
    except (ValueError, TypeError) as error:  # TypeError: bytes on the command line that are no text
        raise click.UsageError(
            f"{option}: this is no JSON ({error}); a text needs its quotes, and those need others: '\"text\"'"
        ) from None
