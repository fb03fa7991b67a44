"""`act` and what calls and actions say of each other: dependencies, chains, and what the audit hears."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actions.messages import Call

if TYPE_CHECKING:
    from conftest import Hands
    from umbel import Umbel


def codes(results: list) -> list[str | None]:  # type: ignore[type-arg]
    return [each.error["code"] if each.error else None for each in results]


async def test_calls_that_depend_on_each_other_need_a_conversation(umbel: Umbel, hands: Hands):
    calls = [Call(name="PING", arguments={}, step="a"), Call(name="PING", arguments={}, depends_on=("a",))]
    assert codes(await umbel.act(calls)) == [None, "bad_reference"]
    conversation = await umbel.open_conversation()
    assert codes(await umbel.act(calls, conversation=conversation)) == [None, None]


@pytest.mark.parametrize("strategy", ["sequential", "batch"])
async def test_a_strategy_that_orders_lets_none_wait_for_a_later_one(umbel: Umbel, hands: Hands, strategy):
    calls = [
        Call(name="PING", arguments={}, depends_on=("late",)),
        Call(name="PING", arguments={}, step="late"),
    ]
    conversation = await umbel.open_conversation()
    ends = await umbel.act(calls, conversation=conversation, strategy=strategy, timeout="5s")
    assert codes(ends) == ["missing_dependency", None]


async def test_a_step_of_chains_makes_a_chain_of_a_round_and_runs_not_alone(umbel: Umbel, hands: Hands):
    calls = [{"name": "MAKE", "arguments": {"name": "a"}}, {"name": "STOCK", "arguments": {"shelf": "s"}}]
    assert codes(await umbel.act(calls)) == [None, "chain_only"]
    conversation = await umbel.open_conversation()
    assert codes(await umbel.act(calls, conversation=conversation)) == [None, None]
    broken = [*calls, {"name": "BREAK", "arguments": {}}]
    ends = await umbel.act(broken, conversation=conversation)
    assert codes(ends)[0] == "undone"
    assert codes(ends)[2] == "handler_failed"
    assert [name for name, _ in hands.undone] == ["MAKE"]


async def test_the_audit_hears_of_calls_that_have_no_record(umbel: Umbel, hands: Hands):
    await umbel.act(
        [{"name": "PING"}, {"name": "NOTHING"}, {"name": "PAY", "arguments": {"amount": 1}}], principal="eve"
    )
    told = [each.fields for each in await umbel._store.audit.read() if each.fields["what"] == "asked"]
    assert sorted((line["called"], line["decided"], line["by"]) for line in told) == [
        ("NOTHING", "unknown_action", "eve"), ("PAY", "forbidden_action", "eve"), ("PING", "allowed", "eve"),
    ]  # fmt: skip
