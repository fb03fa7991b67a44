"""Makes the play importable beside its test, and sets its stage on the test's server."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orchestrator.settings import Settings

if TYPE_CHECKING:
    from play_pumps import Play

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
