"""The root of every error of the project, alone so that each branch of the tree can stand in a file of its own."""

from __future__ import annotations

from typing import ClassVar


class UmbelError(Exception):
    """Root of the tree. `code` is stable; `exit_code` is what a command ends with (as in sysexits.h)."""

    code: str = "error"  # of each class; what a service answered brings its own (orchestrator.clients.errors)
    exit_code: ClassVar[int] = 70
