"""Tenants share a worker's places: one that has much to do leaves room for another that waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from actions.messages import Payload
from actions.registry import Registry
from guarded_under_test import MODULE, notes
from orchestrator.drafting import draft
from workers_under_test import eventually, start_worker

if TYPE_CHECKING:
    from orchestrator.assembly import House
    from orchestrator.settings import Settings

pytestmark = pytest.mark.processes


@pytest.fixture
def own(settings: Settings) -> Settings:
    few = {"room": 8, "tenant_share": 50, "actions": (MODULE,), "celery_prefix": f"{settings.namespace}:"}
    return settings.model_copy(update=few)


@pytest.fixture
async def house(own: Settings) -> AsyncIterator[House]:
    from orchestrator.assembly import build

    built = build(own)
    yield built
    await built.close()


async def submit(house: House, tenant: str, count: int, file: Path) -> list[str]:
    registry = Registry.from_modules([MODULE])
    action = registry.resolve("LEAVE_A_MARK")
    ids = [f"run_a{tenant}{at}" for at in range(count)]
    new = []
    for run in ids:
        arguments = {"file": str(file), "word": run, "seconds": 1.0}
        payload = Payload(action.name, arguments)
        new.append(draft(action, action.bind(arguments), payload, id=run, registry=registry, tenant=tenant))
    await house.store.runs.submit(new)
    return ids


async def running(house: House, runs: list[str]) -> int:
    return Counter(view.status for view in await house.store.runs.read_all(runs) if view)["running"]


async def test_a_tenant_fills_its_share_while_another_waits_and_all_places_alone(
    own: Settings, house: House, tmp_path: Path
) -> None:
    many = await submit(house, "many", 20, tmp_path / "marks")
    few = await submit(house, "few", 4, tmp_path / "marks")
    with start_worker(own):
        await eventually(lambda: running(house, [*many, *few]))
        assert (await running(house, many), await running(house, few)) == (4, 4)
        await eventually(lambda: len(notes(tmp_path / "marks")) >= 8)

        async def filled() -> bool:
            return await running(house, many) == 8

        await eventually(filled)
