"""Makes the plays importable beside their tests, and sets their stages on the test's server."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from redis import Redis

from orchestrator.settings import Settings

if TYPE_CHECKING:
    from play_pumps import Play
    from play_waiting import WaitingPlay

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True, scope="module")
def _empty_server(valkey: str) -> None:
    """The plays look through all keys again and again: what other tests have left there would be looked through too."""
    if os.environ.get("UMBEL_TEST_REDIS_URL"):
        return  # somebody's own server
    with Redis.from_url(valkey) as server:
        server.flushall()


@pytest.fixture
async def play(settings: Settings) -> AsyncIterator[Play]:
    """An empty namespace to play in."""
    from play_pumps import Play

    made = Play(settings)
    try:
        yield made
        await made.sweep()
    finally:
        await made.store.close()


@pytest.fixture
async def waiting_play(settings: Settings) -> AsyncIterator[WaitingPlay]:
    """An empty namespace for a play of waiting."""
    from play_waiting import WaitingPlay

    made = WaitingPlay(settings)
    try:
        yield made
        await made.sweep()
    finally:
        await made.store.close()
