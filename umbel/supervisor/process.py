"""One child process: a command in, a running process with a log file out.

It ends with us: a guard between us and it stops it when we die. What it forks is killed with it. Its output
goes to its log, and when it ends too early the last lines of that stand in the error.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import IO, Self

from actions.errors import OperatorError
from umbel.private import open_log
from umbel.supervisor import guard

_GUARD = Path(guard.__file__)
_START_LIMIT = 15.0
_LOG_CAP = 10 * 1024 * 1024
_TAIL = 4096
# How shells, and our guard, say that a signal ended a program: this and its number.
_BY_SIGNAL = 128


class Process:
    """A named child. Use it as a context manager, or `start` and `stop` it."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        grace: timedelta = timedelta(seconds=5),
        keep: Sequence[int] = (),
    ) -> None:
        """Describe the child; nothing runs yet.

        Args:
            name: what people call it.
            command: the program and its arguments; no shell reads them.
            log: the file that its output is appended to.
            env: its whole environment; this process's own when not given.
            cwd: its working folder; this process's own when not given.
            grace: how long it may take to stop when asked, before it is killed.
            keep: file descriptors that stay open until it has ended (a lock), without reaching it.
        """
        self.name = name
        self.log = log
        self.grace = grace
        self.pid = 0
        """The child's own number (not the guard's), which is also its process group's. 0 before the start."""
        self.command = tuple(str(part) for part in command)
        """Its command line."""
        self._env = None if env is None else dict(env)
        self._cwd = cwd
        self._keep = tuple(keep)
        self._guard: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None
        self._asked = False

    def start(self) -> Self:
        """Start it.

        Raises:
            OperatorError: the program cannot be run, or the log cannot be written.
        """
        if self.is_alive:
            return self
        self._asked = False
        with self._open_log() as log:
            self._link, theirs = socket.socketpair()
            with theirs:
                self._guard = self._spawn(theirs, log)
        self._link.settimeout(_START_LIMIT)
        word, _, rest = self._first_line().partition(" ")
        if word != "pid":
            self._guard.wait()
            self._release()
            raise OperatorError(
                f"{self.name} cannot be started: {rest or 'its guard ended'}", where=str(self.log)
            )
        self.pid = int(rest)
        return self

    @property
    def returncode(self) -> int | None:
        """None while it runs; then its exit code, negative when a signal ended it."""
        if self._guard is None:
            return None
        code = self._guard.poll()
        if code is None:
            return None
        self._release()
        if code < 0:
            # Somebody killed the guard, so nobody watches the child any more.
            self._kill_group()
        return _BY_SIGNAL - code if _BY_SIGNAL < code <= _BY_SIGNAL + signal.NSIG else code

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._guard is not None and self.returncode is None

    def wait(self, timeout: timedelta | None = None) -> int | None:
        """Wait for its end, at most for `timeout`; its exit code, or None when it still runs."""
        if self._guard is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._guard.wait(None if timeout is None else timeout.total_seconds())
        return self.returncode

    def wait_until(self, ready: Callable[[], bool], within: timedelta) -> None:
        """Wait until `ready()` is true.

        Raises:
            OperatorError: it ended before that, or was not ready in time; the message holds its last lines.
        """
        limit = time.monotonic() + within.total_seconds()
        while not ready():
            if not self.is_alive:
                raise self.ended_early()
            if time.monotonic() > limit:
                raise OperatorError(
                    f"{self.name} was not ready within {within.total_seconds():g} s",
                    where=str(self.log),
                    fix=self.tail(),
                )
            time.sleep(0.01)

    def terminate(self) -> None:
        """Ask it to stop, and come back at once; once, since many programs take a second time for haste."""
        if not self._asked:
            self._order(guard.TERMINATE)
            self._asked = True

    def kill(self) -> None:
        """Kill it and all that it forked, without a chance to tidy up."""
        self._order(guard.KILL)
        self.wait(timedelta(seconds=5))

    def stop(self, *, within: timedelta | None = None) -> int | None:
        """Ask it to stop, wait for the grace (or `within`), kill what is left; its exit code."""
        self.terminate()
        if self.wait(self.grace if within is None else within) is None:
            self.kill()
        return self.returncode

    def tail(self, lines: int = 8) -> str:
        """The last lines of its log, on one line."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
                text = file.read().decode(errors="replace")
        except OSError:
            return ""
        return " | ".join(line.strip() for line in text.splitlines()[-lines:] if line.strip())

    def ended_early(self) -> OperatorError:
        """The error for an end that nobody asked for."""
        return OperatorError(
            f"{self.name} ended by itself with exit code {self.returncode}",
            where=str(self.log),
            fix=self.tail(),
        )

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _spawn(self, theirs: socket.socket, log: IO[bytes]) -> subprocess.Popen[bytes]:
        grace = f"{self.grace.total_seconds():.3f}"
        # -I -S: the guard reads no PYTHON variable and no site folder; it needs neither and starts faster.
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(_GUARD), str(theirs.fileno()), grace, *self.command],
            pass_fds=(theirs.fileno(), *self._keep),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=self._env,
            cwd=self._cwd,
            # Out of the terminal's session: Ctrl-C reaches us, and we stop our children in order.
            start_new_session=True,
        )

    def _first_line(self) -> str:
        assert self._link is not None  # noqa: S101 - for the type checker: `start` has just made it
        with self._link.makefile("r", encoding="utf-8") as lines:
            try:
                return lines.readline().strip()
            except TimeoutError:
                return ""

    def _open_log(self) -> IO[bytes]:
        try:
            if self.log.exists() and self.log.stat().st_size > _LOG_CAP:
                self.log.replace(self.log.with_suffix(".old.log"))
            return open_log(self.log)
        except OSError as error:
            raise OperatorError(
                f"the log of {self.name} cannot be written: {error.strerror}", where=str(self.log)
            ) from error

    def _order(self, order: bytes) -> None:
        if self._link is None or not self.is_alive:
            return
        with contextlib.suppress(OSError):
            self._link.sendall(order)

    def _kill_group(self) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self.pid = 0

    def _release(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
