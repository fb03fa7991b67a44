"""Opens and closes stages: a server in a folder of its own, short times, a reader of what ends.

Several stages share a loop, so what takes long is done in threads: a loop that stands still measures itself.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from faults.stage import Stage
from faults_under_test import MODULE
from umbel.supervisor import EmbeddedRedis

QUICK: Final[dict[str, Any]] = {
    "lease_ms": 3_000, "renew_ms": 600, "tick_ms": 250, "linger_ms": 500, "grace": timedelta(seconds=1),
    "concurrency": 2, "run_ttl": timedelta(minutes=15), "conversation_ttl": timedelta(minutes=15),
}  # fmt: skip
"""Short times, so that a death is noticed within three seconds and not ten."""


@asynccontextmanager
async def open_stage(name: str, home: Path, notes: str, **changes: Any) -> AsyncIterator[Stage]:
    """A stage of its own; `notes` is the URL of the history's server, `changes` are settings."""
    from orchestrator.assembly import build
    from orchestrator.settings import Settings

    namespace = f"f{secrets.token_hex(4)}"
    async with _server(home) as server:
        settings = Settings.model_validate(
            QUICK | {"redis_url": server.url, "home": home / "home", "namespace": namespace,
                     "celery_prefix": f"{namespace}:", "actions": (MODULE,)} | changes
        )  # fmt: skip
        house = await asyncio.to_thread(build, settings)
        stage = Stage(name, settings, server, house, notes)
        listener = asyncio.create_task(stage.listen())
        try:
            yield stage
        finally:
            listener.cancel()
            for worker in stage.workers.values():
                await asyncio.to_thread(worker.kill)
            await asyncio.gather(listener, return_exceptions=True)
            await house.close()


@asynccontextmanager
async def _server(home: Path) -> AsyncIterator[EmbeddedRedis]:
    server = await asyncio.to_thread(EmbeddedRedis(home).start)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.stop)
