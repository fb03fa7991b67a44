"""The HTTP API for Python: `Client`, and `AsyncClient` for asyncio. They are made in `orchestrator.clients`."""

from orchestrator.clients.aio import AsyncClient
from orchestrator.clients.sync import Client

__all__ = ["AsyncClient", "Client"]
