"""An idle server returns to its base size: whatever was kept of runs and conversations has an end."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from faults import evidence, history
from faults.load import mix
from faults.opening import open_stage

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.processes, pytest.mark.slow]

BRIEF = {"run_ttl": timedelta(seconds=1), "conversation_ttl": timedelta(seconds=1)}

KEPT = ("r:", "t:", "c:", "m:", "ev:")
"""What keys of runs, turns and conversations begin with."""
SOON = ("lim:", "tat:")
"""A limit's memory: its keys outlive their window by some seconds, which need not be waited for."""
SLEEPING = {f"slp:{lane}" for lane in ("actions", "actions/t", "turns", "turns/t")}
"""Pumps that doze; they come and go."""


async def test_when_their_time_is_over_nothing_is_left_of_runs_and_conversations(
    valkey: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(history.WHERE, valkey)
    async with open_stage("keys_end", tmp_path, valkey, **BRIEF) as stage:

        async def names() -> set[str]:
            prefix = stage.house.store.connection.prefix
            keys = await stage.command("KEYS", f"{prefix}*")
            return {name for name in (key.removeprefix(prefix) for key in keys) if not name.startswith(SOON)}

        async def is_idle() -> bool:
            return not [name for name in await names() if name.startswith(KEPT)]

        async def is_as_before() -> bool:
            return await names() <= base

        async def all_end() -> bool:
            return not await evidence.endless(stage.house)

        stage.load.comes_back = False  # to a conversation that ended meanwhile
        await stage.start("one")
        await stage.awake()
        for wish in islice(mix(1), 10):
            await stage.load.ask(wish)
        assert await stage.until(is_idle, 60)
        base = await names() | SLEEPING
        await stage.load.feed(mix(2), 150, 2)
        assert len(await names() - base) > 50
        assert await stage.until(is_as_before, 90), await names() - base
        assert await stage.until(all_end, 30), await evidence.endless(stage.house)
