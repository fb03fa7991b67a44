"""Files that only their owner may read: a path in, a file of mode 0600 out, in a folder of mode 0700 if it is new.

Nobody else may read them, not even for a moment: the mode is there before the first byte.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from actions.errors import ConfigError
from orchestrator.settings import PREFIX

_FOLDER = 0o700
_FILE = 0o600


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step.

    Raises:
        ConfigError: its folder, which is one of the home folder, cannot be written.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        make_folder(path.parent)
        with _open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, "wb") as file:
            file.write(text.encode())
        fresh.replace(path)
    except OSError as error:
        raise ConfigError(
            f"the home folder cannot be written: {error.strerror}",
            where=str(path.parent),
            fix=f"Set {PREFIX}HOME to a folder of your own",
        ) from None


def open_log(path: Path) -> IO[bytes]:
    """Open a log for lines at its end; one of an older version, which others may read, becomes private too.

    Raises:
        OSError: it cannot be written.
    """
    make_folder(path.parent)
    log = _open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, "ab")
    if os.fstat(log.fileno()).st_uid == os.geteuid():
        os.fchmod(log.fileno(), _FILE)
    return log


def make_folder(path: Path) -> None:
    """Make a folder that only its owner may enter; one that is there stays as it is."""
    path.mkdir(parents=True, exist_ok=True, mode=_FOLDER)


def _open(path: Path, flags: int, mode: str) -> IO[bytes]:
    return os.fdopen(os.open(path, flags, _FILE), mode)
