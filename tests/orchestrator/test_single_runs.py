"""Runs without a conversation: what may run singly, what the records say, and what the audit hears."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from actions.approvals import Approval
from actions.definition import action
from actions.errors import ChainOnly, IdempotencyConflict, InvalidArguments, MissingDependency
from actions.registry import Registry
from orchestrator.settings import Settings
from umbel import Umbel


@action("PUT", show={"item"})
async def put(item: str, secret: str = "") -> str:
    """Put something somewhere."""
    return item


@action("STEP_ONLY", chain=True)
async def step_only() -> None:
    """Only in a chain."""


@action("LATER", depends_on="PUT")
async def later() -> None:
    """After PUT."""


@action("BUTTON", user_only=True)
async def button() -> None:
    """Only people."""


@action("DEAR", approval=Approval(lambda params: params.price > 10))
async def dear(price: int) -> None:
    """Above ten a person decides."""


REGISTRY = Registry([put, step_only, later, button, dear])


@pytest.fixture
async def umbel(settings: Settings) -> AsyncIterator[Umbel]:
    async with Umbel(settings, REGISTRY) as opened:
        yield opened


async def lines(umbel: Umbel) -> list[dict[str, Any]]:
    return [each.fields for each in await umbel._store.audit.read() if each.fields["what"] == "asked"]


async def test_a_step_of_chains_does_not_run_singly(umbel: Umbel):
    with pytest.raises(ChainOnly):
        await umbel.submit("STEP_ONLY")


async def test_nothing_has_succeeded_before_a_single_run(umbel: Umbel):
    with pytest.raises(MissingDependency, match="PUT"):
        await umbel.submit("LATER")


async def test_people_may_submit_what_models_may_not_call(umbel: Umbel):
    assert await umbel.submit("BUTTON")


async def test_a_single_run_waits_for_an_approval_if_its_action_says_so(umbel: Umbel):
    asked, free = await umbel.submit("DEAR", {"price": 11}), await umbel.submit("DEAR", {"price": 10})
    views = await umbel._store.runs.read_all([asked, free])
    assert [(view.status, view.approval) for view in views if view] == [
        ("blocked", "wanted"),
        ("ready", None),
    ]


async def test_the_audit_hears_of_what_was_asked_for_refused_ones_and_conflicts_too(umbel: Umbel):
    run = await umbel.submit("put", {"item": "cup", "secret": "hush"}, principal="ada", key="k")
    with pytest.raises(InvalidArguments):
        await umbel.submit("PUT", {"secret": "hush"}, principal="eve")
    with pytest.raises(IdempotencyConflict):
        await umbel.submit("PUT", {"item": "plate"}, key="k")
    told = await lines(umbel)
    assert [(line["decided"], line["by"]) for line in told] == [
        ("allowed", "ada"), ("invalid_arguments", "eve"), ("idempotency_conflict", ""),
    ]  # fmt: skip
    assert told[0]["run"] == run
    assert told[0]["arguments"]["item"] == "cup"
    assert "hush" not in str(told)


async def test_no_audit_is_kept_if_none_is_wanted(settings: Settings):
    quiet = settings.model_copy(update={"audit_cap": 0})
    async with Umbel(quiet, REGISTRY) as umbel:
        await umbel.submit("PUT", {"item": "cup"})
        with pytest.raises(InvalidArguments):
            await umbel.submit("PUT")
        assert await lines(umbel) == []


async def test_arguments_that_a_hook_will_mend_are_not_refused_before_it_has_looked(settings: Settings):
    @action("MENDED")
    async def mended(size: int) -> None:
        """Take a size."""

    @mended.before_validate
    def mend(arguments: dict[str, Any], ctx: Any) -> dict[str, Any]:
        return {"size": len(arguments["sizes"])}

    @action("KEYED", lock="sizes:{size}")
    async def keyed(size: int) -> None:
        """Lock a size."""

    @keyed.before_validate
    def mend_too(arguments: dict[str, Any], ctx: Any) -> dict[str, Any]:
        return arguments

    async with Umbel(settings, Registry([mended, keyed])) as umbel:
        assert await umbel.submit("MENDED", {"sizes": [1]})
        with pytest.raises(InvalidArguments):
            await umbel.submit("KEYED", {"sizes": [1]})
