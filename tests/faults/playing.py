"""How a scenario is played: a name and a form in, figures and findings out. The scenarios are in the plays_ files."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faults.checker import judge
from faults.figures import Figures, measure
from faults.load import Wish, mix
from faults.opening import open_stage
from faults.stage import Stage


@dataclass(frozen=True, slots=True)
class Form:
    """How much of it."""

    runs: int
    """Runs that are submitted."""
    seconds: float
    """Over how long they are spread."""
    pause: float
    """Seconds between two faults."""
    stopped: float
    """Seconds for which a worker is stopped."""
    seed: int = 0
    """Another one gives another load and other victims."""

    def mix(self, number: int) -> Iterator[Wish]:
        """An endless load of this form."""
        return mix(self.seed * 1_000 + number)

    def dice(self, number: int) -> random.Random:
        """What decides of victims."""
        return random.Random(self.seed * 1_000 + number)


LONG: Final = Form(runs=2_400, seconds=60, pause=4, stopped=60)
SHORT: Final = Form(runs=240, seconds=6, pause=2, stopped=13)

Scenario = Callable[[Stage, Form], Awaitable[None]]
SCENARIOS: Final[dict[str, Scenario]] = {}
CHANGES: Final[dict[str, dict]] = {}
SETTLE_S: Final = 90
"""Seconds that the rest may take after the last fault; nothing is asserted on it but that it ends."""


def scenario(**changes: object) -> Callable[[Scenario], Scenario]:
    """Register a scenario under its function's name; `changes` are settings of its stage."""

    def keep(play: Scenario) -> Scenario:
        SCENARIOS[play.__name__] = play
        CHANGES[play.__name__] = changes
        return play

    return keep


async def play(name: str, form: Form, home: Path, notes: str) -> Figures:
    """Play one scenario to its end and judge it."""
    async with open_stage(name, home, notes, **CHANGES[name]) as stage:
        began = time.monotonic()
        await SCENARIOS[name](stage, form)
        await stage.settle(SETTLE_S)
        duration = time.monotonic() - began
        case = await stage.case()
        findings = await asyncio.to_thread(judge, case)  # others play on this loop
        return measure(name, case, stage.faults, findings, duration)
