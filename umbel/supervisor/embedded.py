"""The Valkey that a home folder brings along: a folder in, a running server with its URL out.

Its data, port and password live in the folder, so they are the same at the next start; what it acknowledged
is on disk within a second (append-only file). One server for a folder at a time: the holder of its lock
runs it, a second supervisor uses that one. A server that lost its supervisor is stopped before a new one
opens the same files.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from datetime import timedelta
from pathlib import Path
from typing import Self

from actions.errors import ConfigError, OperatorError, PortInUse
from umbel.private import make_folder, write_private
from umbel.supervisor.binary import find_server
from umbel.supervisor.lock import FolderLock
from umbel.supervisor.ports import LOOPBACK, free_port, is_free
from umbel.supervisor.process import Process
from umbel.supervisor.wire import Address, RefusedAnswer, ask

_READY_LIMIT = timedelta(seconds=60)
_OTHERS_LIMIT = 20.0
_ATTEMPTS = 4

_CONFIG = """\
# Written at each start of the embedded server: changes made here do not last.
bind {host}
port {port}
requirepass {password}
dir {folder}
daemonize no
supervised no
logfile ""
loglevel notice
# The records are the truth: every accepted run is on disk within a second, and nothing is evicted for space.
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
# Records stay in the compact form although their values are longer than the default 64 bytes.
hash-max-listpack-value 1024
"""


class EmbeddedRedis:
    """A Valkey or Redis for one home folder. Use it as a context manager, or `start` and `stop` it."""

    def __init__(self, home: Path, *, port: int | None = None) -> None:
        """Describe the server of `home`; `port` asks for a port, else the last or a free one is taken."""
        self.folder = home / "redis"
        self.log = home / "logs" / "redis.log"
        self._wanted = port
        self._port = 0
        self._password = ""
        self._lock = FolderLock(self.folder)
        self._process: Process | None = None

    @property
    def url(self) -> str:
        """Where the server is, with its password: `redis://:secret@127.0.0.1:port/0`."""
        return f"redis://:{self._password}@{LOOPBACK}:{self._port}/0"

    @property
    def process(self) -> Process | None:
        """The server's process; None when another supervisor runs it."""
        return self._process

    @property
    def is_shared(self) -> bool:
        """Whether the server is run by another supervisor: it ends with that one."""
        return self._process is None and self._port != 0

    def find(self) -> str | None:
        """The URL of the server that runs for this folder already (by `umbel up`); None if there is none."""
        try:
            self._password = (self.folder / "password").read_text().strip()
        except OSError:
            return None
        self._port = self._last_port()
        return self.url if self._port and _answers(self._address(self._port)) else None

    def start(self) -> Self:
        """Start the server, or find the one that runs for this folder; returns when it answers.

        Raises:
            ConfigError: no server program is found, or the folder cannot be written.
            PortInUse: another program listens on the port that was asked for.
            OperatorError: the server does not start; the message holds its last lines.
        """
        if self._process is not None and self._process.is_alive:
            return self
        self._prepare()
        limit = time.monotonic() + _OTHERS_LIMIT
        while not self._lock.take():
            if self._join():
                return self
            if time.monotonic() > limit:
                raise OperatorError(
                    f"process {self._lock.owner()} holds this folder; its server does not answer",
                    where=str(self.folder),
                    fix="End that process, or set UMBEL_HOME to another folder.",
                )
            time.sleep(0.05)
        try:
            self._run()
        except BaseException:
            self._lock.free()
            raise
        return self

    def stop(self) -> None:
        """Stop the server if it is ours; its data stays."""
        if self._process is not None:
            self._process.stop()
        self._process = None
        self._port = 0
        self._lock.free()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _prepare(self) -> None:
        """Make the folder and the password, both for this user alone."""
        try:
            make_folder(self.folder)
            if not (self.folder / "password").exists():
                write_private(self.folder / "password", secrets.token_urlsafe(32))
            self._password = (self.folder / "password").read_text().strip()
        except OSError as error:
            raise ConfigError(
                f"the home folder cannot be written: {error.strerror}",
                where=str(self.folder),
                fix="Set UMBEL_HOME to a folder of your own.",
            ) from None

    def _join(self) -> bool:
        """Whether the server that somebody else runs for this folder answers."""
        port = self._last_port()
        if self._lock.owner_lives() and port and _answers(self._address(port)):
            self._port = port
            return True
        return False

    def _run(self) -> None:
        """Start the server on the first port that works."""
        binary = find_server()
        self._end_orphan()
        for left in reversed(range(_ATTEMPTS)):
            port = self._choose_port()
            process = self._describe(binary, port)
            try:
                process.start()
                process.wait_until(lambda port=port: _answers(self._address(port)), _READY_LIMIT)  # type: ignore[misc]
            except OperatorError as error:
                process.stop()
                if left and not self._wanted and "ddress already in use" in str(error):
                    continue
                raise self._explained(error, port) from None
            self._process, self._port = process, port
            return

    def _describe(self, binary: Path, port: int) -> Process:
        """The server's process, its configuration written."""
        values = {"host": LOOPBACK, "port": port, "password": self._password, "folder": _quoted(self.folder)}
        config = self.folder / "valkey.conf"
        write_private(config, _CONFIG.format(**values))
        write_private(self.folder / "port", str(port))
        return Process("the embedded server", [binary, config], log=self.log, keep=[self._lock.to_pass_on()])

    def _choose_port(self) -> int:
        """The port that was asked for, else the one of the last time, else any that is free.

        One that ended by itself comes back on its own port, or not at all: its clients know no other.
        """
        if self._process is not None:
            return self._port
        if self._wanted:
            if not is_free(self._wanted):
                raise PortInUse(
                    f"port {self._wanted} is in use by another program",
                    fix="Choose another, or end that program.",
                )
            return self._wanted
        last = self._last_port()
        return last if last and is_free(last) else free_port()

    def _last_port(self) -> int:
        try:
            return int((self.folder / "port").read_text())
        except (OSError, ValueError):
            return 0

    def _end_orphan(self) -> None:
        """Stop a server that still runs on our files though its supervisor and guard are gone.

        It knows the password of this folder, so it is ours.
        """
        address = self._address(self._last_port())
        if not address.port or not _answers(address):
            return
        with contextlib.suppress(OSError, RefusedAnswer):
            ask(address, "SHUTDOWN")
        limit = time.monotonic() + _OTHERS_LIMIT
        while not is_free(address.port) and time.monotonic() < limit:
            time.sleep(0.02)

    def _address(self, port: int) -> Address:
        return Address(LOOPBACK, port, self._password)

    def _explained(self, error: OperatorError, port: int) -> OperatorError:
        """The server's own last words, turned into what to do."""
        text = str(error)
        if "ddress already in use" in text:
            return PortInUse(
                f"port {port} is in use by another program", fix="Choose another, or end that program."
            )
        if "append only file" in text or "RDB format version" in text or "AOF" in text:
            return OperatorError(
                "the embedded server cannot read its data: it is damaged, or from a newer server",
                where=str(self.folder / "appendonlydir"),
                fix=f"Move that folder away to start empty, or repair it (valkey-check-aof). Log: {self.log}",
            )
        return error


def _answers(address: Address) -> bool:
    """Whether a server is there, lets us in, and has loaded its data."""
    try:
        return ask(address, "PING", timeout=1.0) == "PONG"
    except (OSError, RefusedAnswer):
        return False


def _quoted(path: Path) -> str:
    """A path as the server's configuration wants it when it holds spaces."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
