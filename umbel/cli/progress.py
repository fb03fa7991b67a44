"""What takes long moves: a label in, a spinner on stderr out for as long as the block lasts, on a terminal alone."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext


def spinner(label: str) -> AbstractContextManager[object]:
    """Show that something goes on."""
    if not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console

    return Console(stderr=True).status(label)
