"""Who runs the server of a folder: a file in, one holder out.

Two locks of the kernel on open files (`flock`), which end with the last process that holds them open.
`lock` is held by the supervisor and the guard of its server: it is free when the server is gone, and not
before. `owner` is held by the supervisor alone: it is free as soon as that has died, while its server may
still be ending.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class FolderLock:
    """The right to run the server of a folder."""

    def __init__(self, folder: Path) -> None:
        self._lock = folder / "lock"
        self._owner = folder / "owner"
        self._files: list[int] = []

    def take(self) -> bool:
        """Whether the right is ours now; does not wait for the server of another."""
        if self._files:
            return True
        lock = _open(self._lock)
        if not _try(lock, fcntl.LOCK_EX):
            os.close(lock)
            return False
        owner = _open(self._owner)
        # Waits a moment at most: only for somebody who is just asking whether the owner lives.
        fcntl.flock(owner, fcntl.LOCK_EX)
        os.ftruncate(owner, 0)
        os.write(owner, str(os.getpid()).encode())
        self._files = [lock, owner]
        return True

    def owner_lives(self) -> bool:
        """Whether the supervisor that took the lock runs; when it does not, its server will be gone soon."""
        owner = _open(self._owner)
        try:
            return not _try(owner, fcntl.LOCK_SH)
        finally:
            os.close(owner)

    def owner(self) -> str:
        """The number of the process that has the right, for people."""
        return self._owner.read_text() or "unknown"

    def to_pass_on(self) -> int:
        """The open file that keeps the lock taken while a guard has it open, too.

        Raises:
            ValueError: the lock is not ours.
        """
        if not self._files:
            raise ValueError("the lock is not taken")
        return self._files[0]

    def free(self) -> None:
        """Let go; the guard's copy keeps the lock until its server is gone."""
        for file in self._files:
            os.close(file)
        self._files = []


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _try(file: int, mode: int) -> bool:
    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
