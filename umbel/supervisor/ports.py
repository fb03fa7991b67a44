"""Ports on this machine: a number in, whether a server could listen there out; or a free one.

Free now may be taken a moment later: who starts a server on it still has to hear the server's own refusal.
"""

from __future__ import annotations

import errno
import socket

LOOPBACK = "127.0.0.1"
_WHY = {
    errno.EADDRINUSE: "in use by another program",
    errno.EACCES: "not for this user",
    errno.EADDRNOTAVAIL: "at an address that this machine does not have",
}


def trouble(port: int, host: str = LOOPBACK) -> str:
    """Why no server could listen on this port, "in use by another program" and the like; "" if one could."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # As servers do: a port that only waits for old connections to fade away is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror:
        return "at an address that nobody knows"
    except OSError as error:
        return _WHY.get(error.errno or 0, f"of no use ({error.strerror or error})")
    return ""


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback interface."""
    return not trouble(port)


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
