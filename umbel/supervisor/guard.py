"""The tiny process between a parent and its child: a command in, the child's exit code out.

Started as `python -I -S guard.py LINK GRACE COMMAND...`, LINK being one end of a socket pair. The kernel
closes the other end when the parent dies, however it dies; then the child is told to stop, and after GRACE
seconds its whole process group is killed. It works alike on Linux and macOS, which has no PR_SET_PDEATHSIG.
Over LINK go `pid N` or `error TEXT` to the parent, and from it T (terminate) and K (kill the group): the
guard alone sends signals, since it alone reaps the child and so knows that the number is still the child's.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time

TERMINATE = b"T"
KILL = b"K"
CANNOT_START = 127
_WATCHED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# Not ours to act on: a terminal's Ctrl-C goes to the parent, which decides in what order its children stop.
_STOPPING = {signal.SIGTERM, signal.SIGHUP}


class Guard:
    """One child under watch, until it has ended and nothing of its group is left."""

    def __init__(self, link: socket.socket, grace: float, command: list[str]) -> None:
        self._link: socket.socket | None = link
        self._grace = grace
        self._deadline: float | None = None
        self._wakeups = _signals_as_bytes()
        # A group of its own: what the child forks can be killed with it, and we are not in it.
        self._child = subprocess.Popen(command, process_group=0)
        link.sendall(b"pid %d\n" % self._child.pid)

    def run(self) -> int:
        """Watch until the end; the child's exit code, or 128 and the number of its signal, as shells do."""
        while (code := self._child.poll()) is None:
            self._step()
        self._kill_group()
        return code if code >= 0 else 128 - code

    def _step(self) -> None:
        sources = [self._wakeups, *([self._link] if self._link else [])]
        ready, _, _ = select.select(sources, [], [], self._time_left())
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self._kill()
        if self._wakeups in ready and _STOPPING & set(self._wakeups.recv(64)):
            self._terminate(self._grace)
        if self._link in ready:
            self._obey()

    def _obey(self) -> None:
        """Do what the parent says; its silence for ever (end of file) means that it died."""
        assert self._link is not None  # noqa: S101 - for the type checker: it was just found readable
        try:
            order = self._link.recv(1)
        except ConnectionError:
            order = b""
        if not order:
            self._link = None
            self._terminate(self._grace)
        elif order == KILL:
            self._kill()
        else:
            self._terminate(None)

    def _terminate(self, grace: float | None) -> None:
        """Ask the child alone: what it forked is its own to end. `grace` None: the parent keeps the time."""
        with contextlib.suppress(ProcessLookupError):
            self._child.send_signal(signal.SIGTERM)
        if grace is not None and self._deadline is None:
            self._deadline = time.monotonic() + grace

    def _kill(self) -> None:
        self._deadline = None
        self._kill_group()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)

    def _time_left(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())


def _signals_as_bytes() -> socket.socket:
    """A socket on which each signal arrives as a byte, so that one `select` hears everything."""
    reader, writer = socket.socketpair()
    reader.settimeout(0)
    writer.settimeout(0)
    signal.set_wakeup_fd(writer.detach())
    for number in _WATCHED:
        # A handler, not SIG_IGN: an ignored signal would stay ignored in the child.
        signal.signal(number, lambda *_: None)
    return reader


def main(arguments: list[str]) -> int:
    """Guard one command."""
    link = socket.socket(fileno=int(arguments[0]))
    try:
        guard = Guard(link, float(arguments[1]), arguments[2:])
    except OSError as error:
        link.sendall(f"error {error.strerror}: {error.filename}\n".encode())
        return CANNOT_START
    return guard.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
