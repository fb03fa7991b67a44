"""One real Celery worker for the tests of a module, and the parts to speak with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest

from workers_under_test import MODULE, settings_of, start_worker

if TYPE_CHECKING:
    from orchestrator.assembly import House
    from orchestrator.settings import Settings
    from umbel.supervisor import Process


@pytest.fixture(scope="module")
def shared_settings(valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a namespace that the tests of a module share."""
    return settings_of(valkey, tmp_path_factory.mktemp("home"), MODULE)


@pytest.fixture(scope="module")
def worker(shared_settings: Settings) -> Iterator[Process]:
    """A running worker that serves the queues `actions` and `turns`."""
    with start_worker(shared_settings) as process:
        yield process


@pytest.fixture
async def house(shared_settings: Settings, worker: Process) -> AsyncIterator[House]:
    """What a submitter works with, while the worker runs."""
    from orchestrator.assembly import build

    built = build(shared_settings)
    yield built
    await built.close()
