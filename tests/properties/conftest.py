"""Makes the plays importable beside their tests, and sets their stages on the test's server."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orchestrator.settings import Settings

if TYPE_CHECKING:
    from play_pumps import Play
    from play_waiting import WaitingPlay

sys.path.insert(0, str(Path(__file__).parent))


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
