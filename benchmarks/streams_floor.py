"""The least that a server of event streams has to do: one blocking read over all of them, a write to each client.

It knows no tenants, keys, ids to go on from, gaps, heartbeats or slow clients, and little of HTTP. Its first line of
output ends with its port.
"""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from orchestrator.settings import load_settings
from orchestrator.store.keys import prefix

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"


async def main() -> None:
    """Serve until it is ended."""
    settings = load_settings()
    redis = Redis.from_url(settings.store_url, decode_responses=True, socket_timeout=30)
    clients: dict[str, set[asyncio.StreamWriter]] = {}
    places: dict[str, str] = {}
    before = f"{prefix(settings.namespace, settings.cell)}ev:"

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = before + (await reader.readuntil(b"\r\n\r\n")).decode().split()[1].split("/")[3]
        places.setdefault(stream, "0-0")
        clients.setdefault(stream, set()).add(writer)
        writer.write(HEAD)
        await reader.read()
        clients[stream].discard(writer)
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, backlog=2048)
    print(f"floor: http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    while True:
        if not places:
            await asyncio.sleep(0.05)
            continue
        for stream, entries in await redis.xread(dict(places), block=200, count=64) or []:
            for id_, fields in entries:
                places[stream] = id_
                told = f'id: {id_}\nevent: changes\ndata: {{"at":{fields["at"]},"changes":{fields["e"]}}}\n\n'.encode()
                for writer in clients[stream]:
                    writer.write(told)


if __name__ == "__main__":
    asyncio.run(main())
