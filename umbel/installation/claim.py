"""One `umbel up` for a home folder: the folder in; the right to write into it out, until the end, or who has it.

Its files (the env file, the first key, Flower's login, the logs) belong to the one that runs, whichever Redis it uses.
A lock of the kernel ends with the process that has it, so no killed one stands in the way of the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from actions.errors import ConfigError
from umbel.home import ENV_FILE
from umbel.private import make_folder
from umbel.supervisor.lock import FolderLock


def refuse_second(home: Path) -> None:
    """Refuse if another one runs for this folder; nothing is made or changed in it.

    Raises:
        ConfigError: another one does.
    """
    if (home / "owner").exists() and FolderLock(home).owner_lives():
        raise occupied(home)


@contextmanager
def claimed(home: Path) -> Iterator[None]:
    """Have the folder during the block.

    Raises:
        ConfigError: another one has it, or it cannot be written.
    """
    lock = FolderLock(home)
    try:
        make_folder(home)
        taken = lock.take()
    except OSError as error:
        raise ConfigError(
            f"the home folder cannot be written: {error.strerror}",
            where=str(home),
            fix="Set UMBEL_HOME to a folder of your own",
        ) from None
    if not taken:
        raise occupied(home)
    try:
        yield
    finally:
        lock.free()


def occupied(home: Path) -> ConfigError:
    """What is said to the second one."""
    try:
        process = f" (process {FolderLock(home).owner()})"
    except OSError:  # its server alone is known: no `umbel up` that took the lock
        process = ""
    return ConfigError(
        f"`umbel up` runs already for this home folder{process}",
        where=str(home),
        fix=f"Run `. {home / ENV_FILE}`, then use that one, or add a worker to it: umbel worker --name two; "
        "for another beside it set UMBEL_HOME to another folder, with ports of its own",
    )
