"""The routes, one file for each noun: requests that were admitted and read in, answers of `orchestrator.wire` out.

A handler reads what it was given, calls the conductor or the store once, and tells what came of it. Nothing is decided
here that another caller of the house would have to decide again.
"""

from __future__ import annotations

from typing import Final

from orchestrator.api.routes import (
    actions,
    approvals,
    conversations,
    dead,
    events,
    limits,
    queues,
    runs,
    turns,
    undos,
)

ROUTERS: Final = (
    conversations.router,
    turns.router,
    runs.router,
    approvals.router,
    dead.router,
    undos.router,
    actions.router,
    limits.router,
    queues.router,
    events.router,
)
"""All of them, in the order in which the API is described."""
