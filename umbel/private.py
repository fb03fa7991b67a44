"""Files that only their owner may read: a path in, a file of mode 0600 out, in a folder of mode 0700 if it is new.

Nobody else may read them, not even for a moment: the mode is there before the first byte.
"""

from __future__ import annotations

import os
import tempfile
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
    try:
        make_folder(path.parent)
        replace_private(path, text)
    except OSError as error:
        raise ConfigError(
            f"the home folder cannot be written: {error.strerror}",
            where=str(path.parent),
            fix=f"Set {PREFIX}HOME to a folder of your own",
        ) from None


def replace_private(path: Path, text: str) -> None:
    """Replace a file in one step, in a folder that is there.

    Raises:
        OSError: it cannot be written.
    """
    # A new name that nobody knows before, and no file that was there: others may write in such a folder.
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
        Path(fresh).replace(path)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise


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
