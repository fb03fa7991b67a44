"""A server that speaks TLS and as much of Redis's protocol as a client needs to say hello.

The Valkey that comes as a wheel has no TLS, so these tests are not made with a real one.
"""

from __future__ import annotations

import shutil
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OPENSSL = shutil.which("openssl")
"""The program that makes certificates; without it there is nothing to test with."""


def make_certificate(folder: Path, name: str, *, host: str = "IP:127.0.0.1") -> tuple[Path, Path]:
    """A certificate for this host that nobody but itself vouches for, and its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        [
            str(OPENSSL), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName={host}",
            "-out", str(certificate), "-keyout", str(key),
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    context: ssl.SSLContext
    heard: list[list[bytes]]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up in the middle is what some tests are about."""


class _Talk(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        with self.server.context.wrap_socket(self.request, server_side=True) as secure:
            stream = secure.makefile("rb")
            while head := stream.readline():
                words = [stream.read(int(stream.readline()[1:]) + 2)[:-2] for _ in range(int(head[1:]))]
                self.server.heard.append(words)
                secure.sendall(_ANSWERS.get(words[0].upper(), b"+OK\r\n"))


_ANSWERS = {b"PING": b"+PONG\r\n", b"HELLO": b"%1\r\n+proto\r\n:3\r\n"}


@contextmanager
def tls_server(certificate: Path, key: Path, *, clients: Path | None = None) -> Iterator[_Server]:
    """A server with this certificate; with `clients` it asks each for a certificate that this one vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    with _Server(("127.0.0.1", 0), _Talk) as server:
        server.context, server.heard = context, []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
