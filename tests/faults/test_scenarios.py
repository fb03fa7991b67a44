"""The short form of what `make faults` plays: whatever is hurt, nothing is lost, doubled, out of order or endless."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from faults import plays_deaths, plays_links, plays_service  # noqa: F401 - they register their scenarios
from faults.playing import SCENARIOS

if TYPE_CHECKING:
    from faults.figures import Figures

pytestmark = [pytest.mark.processes, pytest.mark.slow]


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_lost_or_doubled_when(name: str, played: Callable[[str], Figures]) -> None:
    figures = played(name)
    assert figures.findings == ()
    assert figures.runs >= 200
    assert figures.attempts >= figures.runs
