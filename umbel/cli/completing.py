"""What a shell offers behind TAB: the beginning of a word in, the names of actions out.

Nothing here may fail or speak: a shell that asks while somebody types gets nothing rather than an error.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any

import click


def action_names(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Any]:
    """The actions whose names begin so, each with the first sentence of what it is for; no fuss about capitals."""
    from click.shell_completion import CompletionItem

    from umbel.cli.stores import registry_or_why

    # What a user's module prints while it is imported is no completion.
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            registry, _ = registry_or_why()
        except (Exception, SystemExit):  # noqa: BLE001 - as the module says
            return []
    wanted = incomplete.casefold()
    return [
        CompletionItem(action.name, help=action.description.partition("\n")[0])
        for action in registry.actions
        if action.name.casefold().startswith(wanted)
    ]
