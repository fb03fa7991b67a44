"""The store: one connection and the parts that speak through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.store.api_keys import ApiKeys
from orchestrator.store.approvals import Approvals
from orchestrator.store.audit import Audit
from orchestrator.store.cache import Cache
from orchestrator.store.connection import Connection
from orchestrator.store.conversations import Conversations
from orchestrator.store.dead import Dead
from orchestrator.store.events import Events
from orchestrator.store.following import Follower
from orchestrator.store.health import Health
from orchestrator.store.ladders import Ladders
from orchestrator.store.limits import Limits
from orchestrator.store.listing import Listing
from orchestrator.store.locks import Locks
from orchestrator.store.queues import Queues
from orchestrator.store.runs import Runs
from orchestrator.store.undos import Undos

if TYPE_CHECKING:
    from orchestrator.settings import Settings


class Store:
    """Everything that is kept in Redis, for one event loop."""

    def __init__(self, settings: Settings, *, connections: int = 50) -> None:
        """Prepare; nothing is opened before the first call."""
        self.connection = Connection(settings, connections=connections)
        self.runs = Runs(self.connection)
        self.conversations = Conversations(self.connection)
        self.events = Events(self.connection)
        self.limits = Limits(self.connection)
        self.locks = Locks(self.connection)
        self.ladders = Ladders(self.connection, self.limits, self.locks)
        self.approvals = Approvals(self.connection)
        self.dead = Dead(self.connection)
        self.undos = Undos(self.connection)
        self.audit = Audit(self.connection)
        self.listing = Listing(self.connection)
        self.queues = Queues(self.connection)
        self.cache = Cache(self.connection)
        self.api_keys = ApiKeys(self.connection)
        self.health = Health(self.connection)

    def follower(self) -> Follower:
        """A blocking reader of event streams, on a line of its own; its owner closes it."""
        return Follower(self.connection)

    async def close(self) -> None:
        """Close all connections."""
        await self.connection.close()
