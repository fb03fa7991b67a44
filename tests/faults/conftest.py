"""Plays the scenarios that were asked for, together: each waits most of its time, and has servers of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from collecting_under_test import spared
from faults import history, plays_deaths, plays_links, plays_service  # noqa: F401 - they register their scenarios
from faults.playing import SCENARIOS, SHORT, play

if TYPE_CHECKING:
    from faults.figures import Figures

TOGETHER = 5
"""Scenarios at a time: more would share two cores with too many workers."""
LONGEST = ("poisoned", "half_open", "stood_still", "rolled")
"""These begin first, so that none of them runs alone in the end."""


@pytest.fixture(scope="session")
def played(
    request: pytest.FixtureRequest, valkey: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Figures]:
    """Gives what a scenario showed; the first who asks has all of them played."""
    wanted = {name for name in SCENARIOS if any(f"[{name}]" in item.name for item in request.session.items)}
    asked = sorted(wanted, key=lambda name: (name not in LONGEST, name))
    home = tmp_path_factory.mktemp("faults")
    with pytest.MonkeyPatch.context() as patch, spared():
        patch.setenv(history.WHERE, valkey)
        shown = asyncio.run(_play_all(asked, home, valkey))

    def give(name: str) -> Figures:
        found = shown[name]
        if isinstance(found, BaseException):
            raise found
        return found

    return give


async def _play_all(names: list[str], home: Path, notes: str) -> dict[str, Figures | BaseException]:
    gate = asyncio.Semaphore(TOGETHER)

    async def one(name: str) -> Figures:
        async with gate:
            return await play(name, SHORT, home / name, notes)

    results = await asyncio.gather(*(one(name) for name in names), return_exceptions=True)
    return dict(zip(names, results, strict=True))
