"""One question to a Redis or Valkey over a bare socket: an address and words in, the server's answer out.

For the supervisor and `umbel doctor`, which ask whether a server is there before any client library is of use
(the client lives behind the store's door). Speaks RESP2, a connection for each question.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import IO
from urllib.parse import unquote, urlsplit

from orchestrator.addresses import Tls, tls_of

Answer = str | int | list["Answer"] | None


class RefusedAnswer(Exception):
    """The server answered with an error; its first word says which (NOAUTH, WRONGPASS, LOADING)."""

    @property
    def word(self) -> str:
        """The first word of the answer."""
        return str(self).partition(" ")[0]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is and how to be let in."""

    host: str
    port: int
    password: str = ""
    user: str = ""
    tls: Tls | None = None

    @classmethod
    def of(cls, url: str) -> Address:
        """Read `redis://user:password@host:port/db`; the database does not matter for what is asked here."""
        parts = urlsplit(url)
        return cls(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 6379,
            password=unquote(parts.password or ""),
            user=unquote(parts.username or ""),
            tls=tls_of(url),
        )


def ask(address: Address, *words: str, timeout: float = 2.0) -> Answer:
    """Log in, send one command, return the answer.

    Raises:
        OSError: nobody listens there, or the answer took longer than `timeout` seconds.
        RefusedAnswer: the server said no, to the login or to the command.
    """
    with _connect(address, timeout) as connection, connection.makefile("rb") as answers:
        if address.password:
            login = [part for part in ("AUTH", address.user, address.password) if part]
            connection.sendall(_packed(login))
            _read(answers)
        connection.sendall(_packed(words))
        return _read(answers)


def _connect(address: Address, timeout: float) -> socket.socket:
    plain = socket.create_connection((address.host, address.port), timeout=timeout)
    if address.tls is None:
        return plain
    try:
        return address.tls.context().wrap_socket(plain, server_hostname=address.host)
    except BaseException:
        plain.close()  # or it stays open when there is no context for it
        raise


def _packed(words: list[str] | tuple[str, ...]) -> bytes:
    encoded = [word.encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)


def _read(answers: IO[bytes]) -> Answer:
    line = answers.readline()
    kind, rest = line[:1], line[1:].strip().decode(errors="replace")
    match kind:
        case b"+":
            return rest
        case b":":
            return int(rest)
        case b"$":
            return None if rest == "-1" else answers.read(int(rest) + 2)[:-2].decode(errors="replace")
        case b"*":
            return [_read(answers) for _ in range(int(rest))]
        case b"-":
            raise RefusedAnswer(rest)
        case _:
            raise ConnectionError(
                "the answer is not Redis's protocol" if line else "the connection was closed"
            )
