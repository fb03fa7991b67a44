"""A client of event streams that notes when what came, and the row of figures that is made of many of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class Client(asyncio.Protocol):
    """One connection that notes when each number came."""

    def __init__(self, path: str, heard: Callable[[bytes, float], None]) -> None:
        self._request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
        self._heard = heard
        self.is_open = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Note what came and when."""
        now = time.monotonic()
        if not self.is_open.done():
            if not data.startswith(b"HTTP/1.1 20"):
                self.is_open.set_exception(RuntimeError(data[:200].decode()))
                return
            self.is_open.set_result(None)
        self._heard(data, now)


@dataclass
class Row:
    """One measurement."""

    what: str
    clients: int
    samples: list[float] = field(default_factory=list)
    """Milliseconds."""
    cpu_ms: float = 0.0
    """CPU of the server's process for one message to one client, ms."""
    redis_ms: float = 0.0
    """CPU of Redis for one write, ms."""
    pss_kib: float = 0.0
    """Memory of the server's process for one client, KiB."""

    def told(self) -> dict[str, Any]:
        """The row as it is printed."""
        ordered = sorted(self.samples)

        def at(share: float) -> float:
            return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)

        return {
            "what": self.what, "clients": self.clients, "samples": len(ordered), "p50_ms": at(0.5), "p99_ms": at(0.99),
            "max_ms": at(1.0), "cpu_us": round(self.cpu_ms * 1e3, 1), "redis_us": round(self.redis_ms * 1e3, 1),
            "kib": round(self.pss_kib, 1),
        }  # fmt: skip
