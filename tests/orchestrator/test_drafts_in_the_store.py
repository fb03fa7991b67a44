"""What planning drafts is what the store's scripts act on, whatever characters an argument brings along."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from actions.definition import Action, action
from actions.limits import Dedupe, Lock, RateLimit
from actions.messages import Payload
from actions.params import bind
from actions.policy import Timeouts
from actions.registry import Registry
from orchestrator.drafting import draft
from orchestrator.settings import Settings
from orchestrator.store.incoming import Effect, EffectKind, Finish
from orchestrator.store.records import Claimed, RunView
from orchestrator.store.store import Store

NASTY = ["X", "a b", 'quo"te', "100%", "%1%s", "a:b", "\n", "ä😀", "x" * 500, "~turn", "", "-", "(.*)[%w]"]


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    opened = Store(settings)
    yield opened
    await opened.close()


def declared(**fields: Any) -> Action:
    @action("BUY", **fields)
    async def handler(ticker: str, tokens: int = 1) -> None: ...

    return handler


async def submitted(store: Store, one: Action, *ids: str, **arguments: Any) -> None:
    registry = Registry([one])
    given = {"ticker": "X", **arguments}
    await store.runs.submit(
        [draft(one, bind(one, given), Payload("BUY", given), id=run, registry=registry) for run in ids]
    )


async def claimed(store: Store) -> list[Claimed]:
    return (await store.runs.claim("p1", [("actions", 10)])).runs


async def told(store: Store, run: str) -> tuple[str, dict[str, Any]]:
    view = await read(store, run)
    return view.status, json.loads(view.result or "{}")


async def read(store: Store, run: str) -> RunView:
    view = await store.runs.read(run)
    assert view is not None
    return view


@pytest.mark.parametrize("ticker", NASTY)
async def test_a_lock_keeps_one_run_for_each_value(store, ticker):
    one = declared(lock=Lock("orders:{ticker}", policy="refuse"))
    await submitted(store, one, "run_a1", "run_a2", ticker=ticker)
    await submitted(store, one, "run_a3", ticker=ticker + "?")

    assert [run.id for run in await claimed(store)] == ["run_a1", "run_a3"]
    status, result = await told(store, "run_a2")
    assert (status, result["code"]) == ("refused", "locked")


@pytest.mark.parametrize("ticker", NASTY)
async def test_a_limit_says_when_to_try_again(store, ticker):
    one = declared(rate_limit=RateLimit(2, "1h", key="{ticker}", over="refuse"))
    await submitted(store, one, "run_a1", "run_a2", "run_a3", ticker=ticker)

    assert len(await claimed(store)) == 2
    status, result = await told(store, "run_a3")
    assert (status, result["code"]) == ("refused", "rate_limited")
    assert 3500 < result["retry_after_s"] <= 3600


async def test_units_are_reserved_and_settled(store):
    one = declared(rate_limit=RateLimit(100, "1h", cost="{tokens}", burst=100, over="refuse"))
    await submitted(store, one, "run_a1", tokens=90)
    (run,) = await claimed(store)
    spent = (Effect(EffectKind.SPENT, "BUY", "10"),)
    await store.runs.finish("p1", [Finish(run.id, run.fence, "succeeded", "1", effects=spent)])

    await submitted(store, one, "run_a2", tokens=90)
    await submitted(store, one, "run_a3", tokens=90)
    assert [run.id for run in await claimed(store)] == ["run_a2"]
    assert (await told(store, "run_a3"))[1]["code"] == "rate_limited"


async def test_the_clocks_are_in_the_record(store):
    await submitted(store, declared(timeout=Timeouts(total="1h")), "run_a1")
    view = await read(store, "run_a1")
    (run,) = await claimed(store)

    assert view.deadline_us is not None
    assert view.created_us is not None
    assert view.deadline_us - view.created_us == 3_600_000_000
    assert run.left_ms is not None
    assert 3_590_000 < run.left_ms <= 3_600_000


@pytest.mark.parametrize("ticker", NASTY)
async def test_the_same_call_twice_is_one(store, ticker):
    one = declared(dedupe=Dedupe("1h", mode="refuse"))
    await submitted(store, one, "run_a1", ticker=ticker)
    await submitted(store, one, "run_a2", ticker=ticker)
    await submitted(store, one, "run_a3", ticker=ticker + "?")

    assert [run.id for run in await claimed(store)] == ["run_a1", "run_a3"]
    assert (await told(store, "run_a2"))[1]["code"] == "duplicate"
