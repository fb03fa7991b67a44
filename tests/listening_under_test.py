"""A real server on the test's own loop, and clients that listen to its event streams and drop out when they like."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from pydantic_core import from_json

from actions.messages import Payload
from api_under_test import make_key, registry_of
from hub_under_test import shortly
from orchestrator.api.app import create_app
from orchestrator.api.serving import Served
from orchestrator.assembly import House, build
from orchestrator.store.incoming import Finish, NewRun

if TYPE_CHECKING:
    from actions.registry import Registry
    from orchestrator.settings import Settings
    from orchestrator.store.records import Claimed
    from orchestrator.store.store import Store


@dataclass(slots=True)
class Site:
    """A server that runs on this loop."""

    house: House
    service: Any
    served: Served
    key: str = ""
    """A key with all scopes, for the default tenant."""

    @property
    def store(self) -> Store:
        return self.house.store

    async def write(self, *numbers: int, stream: str = "conv_a", keep: int = 1_000) -> None:
        """An entry for each number, as the scripts write them, trimmed to exactly so many."""
        key = f"{self.store.connection.prefix}ev:{stream}"
        for n in numbers:
            told = f'[{{"turn":"turn_{n}","status":"live"}}]'
            await self.store.connection.ask(["XADD", key, "MAXLEN", keep, "*", "at", n, "e", told])

    async def submit(self, *runs: str, tenant: str = "") -> None:
        """Runs without conversation."""
        payload = Payload("ADD").encode()
        await self.store.runs.submit([NewRun(run, "actions", payload, tenant=tenant) for run in runs])

    async def claim(self) -> list[Claimed]:
        """What may start now."""
        return (await self.store.runs.claim("p1", [("actions", 100)])).runs

    async def end(self, *claimed: Claimed) -> None:
        """Let these succeed."""
        finishes = [Finish(run.id, run.fence, "succeeded", "1") for run in claimed]
        await self.store.runs.finish("p1", finishes)

    async def clean(self) -> None:
        """Leave nothing to the next test but the keys."""
        await shortly(lambda: self.service.hub.streams == self.service.hub.waits == 0)
        prefix = self.store.connection.prefix
        redis = self.store.connection.redis
        found = [key async for key in redis.scan_iter(f"{prefix}*") if key != f"{prefix}keys"]
        if found:
            await redis.unlink(*found)

    def listen(self, path: str, *, after: str = "", key: str | None = None) -> Listener:
        """A client of an event stream; enter it."""
        return Listener(self.served.port, path, key if key is not None else self.key, after)


@asynccontextmanager
async def site(settings: Settings, registry: Registry | None = None) -> AsyncIterator[Site]:
    """Serve on any free port until the block ends."""
    house = await asyncio.to_thread(build, settings, registry or registry_of())  # it reads certificates
    app = create_app(house)
    served = Served(app, host="127.0.0.1", port=0, grace_s=2.0)
    ready = asyncio.Event()
    running = asyncio.create_task(served.run(ready.set))
    try:
        await asyncio.wait({running, asyncio.create_task(ready.wait())}, return_when=asyncio.FIRST_COMPLETED)
        yield Site(house, app.state.service, served, await make_key(house.store))
    finally:
        served.stop()
        await running
        await house.close()


def told(listener: Listener) -> list[int]:
    """What `Site.write` wrote into the entries that this one heard."""
    return [int(change["turn"][5:]) for change in listener.changes()]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a stream."""

    event: str
    id: str
    data: str


@dataclass(slots=True)
class Listener:
    """One connection to an event stream."""

    port: int
    path: str
    key: str
    after: str = ""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict[str, str])
    messages: list[Message] = field(default_factory=list[Message])
    text: bytes = b""
    """All that came, as it came, without what parts it into chunks."""
    is_over: bool = False
    """Whether the server has ended the answer."""
    last: str = ""
    """The id to go on from."""
    _rest: str = ""
    _lines: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        self._lines, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.last = self.after
        head = f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.key}\r\n"
        head += f"Last-Event-ID: {self.after}\r\n" if self.after else ""
        self._writer.write(f"{head}\r\n".encode())
        async with asyncio.timeout(10):
            first = await self._lines.readline()
            self.status = int(first.split()[1])
            while (line := (await self._lines.readline()).decode("latin-1").strip()) != "":
                name, _, value = line.partition(":")
                self.headers[name.lower()] = value.strip()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
            await asyncio.sleep(0)  # it is closed in the loop's next round

    async def read(self) -> bool:
        """Read what comes next; whether the answer goes on."""
        assert self._lines is not None
        if "content-length" in self.headers:
            self._take(await self._lines.readexactly(int(self.headers["content-length"])))
            self.is_over = True
        elif self.status == 204:
            self.is_over = True
        else:
            try:
                size = int((await self._lines.readline()).strip() or b"0", 16)
                self._take((await self._lines.readexactly(size + 2))[:-2])
            except (asyncio.IncompleteReadError, ConnectionError):
                size = 0
            self.is_over = size == 0
        return not self.is_over

    def _take(self, piece: bytes) -> None:
        self.text += piece
        *blocks, self._rest = (self._rest + piece.decode()).split("\n\n")
        for block in blocks:
            lines = [line.partition(": ") for line in block.split("\n")]
            fields = {name: value for name, _, value in lines}
            self.last = fields.get("id", self.last)
            if "data" in fields:
                self.messages.append(Message(fields.get("event", "message"), self.last, fields["data"]))

    async def until(self, what: Any, within_s: float = 15) -> None:
        """Read until this is true of the listener, or the answer has ended."""
        async with asyncio.timeout(within_s):
            while not what(self) and await self.read():
                pass
        assert what(self), self.messages

    async def to_the_end(self, within_s: float = 15) -> list[Message]:
        """Read until the server ends it."""
        async with asyncio.timeout(within_s):
            while not self.is_over:
                await self.read()
        return self.messages

    def changes(self) -> list[dict[str, Any]]:
        """All changes so far, in order."""
        steps = [from_json(each.data) for each in self.messages if each.event == "changes"]
        return [change for step in steps for change in step["changes"]]
