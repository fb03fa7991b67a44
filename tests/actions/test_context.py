from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from actions.context import ActionContext
from actions.errors import ConfigError
from actions.services import HttpResponse, Services


def test_services_are_found_by_name():
    http, bank = object(), object()
    ctx = ActionContext("run_a1", "X", services=Services({"http": http, "bank": bank}))

    assert ctx.http is http
    assert ctx.service("bank") is bank
    assert "bank" in ctx.services


@pytest.mark.parametrize("name", ["http", "model", "secrets"])
def test_a_missing_service_is_named_never_none(name):
    ctx = ActionContext("run_a1", "X", services=Services({"cache": object()}))

    with pytest.raises(ConfigError, match=rf"there is no service '{name}' \(services here: cache\)"):
        getattr(ctx, name)
    with pytest.raises(ConfigError):
        ctx.service(name)


def test_an_optional_service_may_be_missing():
    ctx = ActionContext("run_a1", "X")

    assert ctx.service("cache", None) is None
    assert ctx.service("cache", default=5) == 5


def test_a_setting_is_found_or_named():
    services = Services(settings={"url": "http://x"})

    assert services.setting("url") == "http://x"
    assert services.setting("other", None) is None
    with pytest.raises(ConfigError, match=r"there is no setting 'other' \(settings here: url\)"):
        services.setting("other")


def test_contexts_share_no_services():
    assert ActionContext("run_a1", "X").services is not ActionContext("run_a2", "X").services


def test_an_answer_is_read_as_json():
    assert HttpResponse(200, text='{"a": 0}').json() == {"a": 0}
    with pytest.raises(ValueError):  # noqa: PT011 - json's own error
        HttpResponse(200, text="<html>").json()


def test_a_heartbeat_reaches_who_listens_and_harms_nobody_else():
    heard: list[int] = []
    ActionContext("run_a1", "X").heartbeat()
    ActionContext("run_a1", "X", pulse=lambda: heard.append(1)).heartbeat()

    assert heard == [1]


def test_what_remains_is_never_less_than_nothing():
    now = datetime.now(UTC)

    assert ActionContext("run_a1", "X").remaining() is None
    assert ActionContext("run_a1", "X", deadline=now - timedelta(hours=1)).remaining() == timedelta(0)
    left = ActionContext("run_a1", "X", deadline=now + timedelta(hours=1)).remaining()
    assert left is not None
    assert timedelta(minutes=59) < left <= timedelta(hours=1)


def test_what_was_spent_adds_up_for_each_limit():
    ctx = ActionContext("run_a1", "X")
    ctx.spent(10)
    ctx.spent(2.1)
    ctx.spent(5, limit="tokens")

    assert ctx.spending == {"": 13, "tokens": 5}
    assert ActionContext("run_a2", "X").spending == {}


@pytest.mark.parametrize("amount", [-1, float("nan"), float("inf")])
def test_what_is_no_number_of_units_cannot_be_spent(amount):
    with pytest.raises(ValueError, match="no number of units"):
        ActionContext("run_a1", "X").spent(amount)


# What an attempt enters


class Room:
    """Notes who enters and leaves it, and on what."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    @contextmanager
    def sync(self, name: str):
        self.seen.append(f"in {name}")
        try:
            yield name
        except BaseException as error:
            self.seen.append(error)
            raise
        finally:
            self.seen.append(f"out {name}")

    @asynccontextmanager
    async def later(self, name: str):
        with self.sync(name):
            await asyncio.sleep(0)
            yield name


async def test_what_was_entered_is_left_last_one_first():
    ctx, room = ActionContext("run_a1", "X"), Room()

    assert await ctx.enter(room.sync("a")) == "a"
    assert await ctx.enter(room.later("b")) == "b"
    assert room.seen == ["in a", "in b"]
    await ctx.close_entered()
    assert room.seen == ["in a", "in b", "out b", "out a"]


async def test_each_sees_what_ended_the_attempt_and_none_swallows_it():
    ctx, room, error = ActionContext("run_a1", "X"), Room(), asyncio.CancelledError()

    @contextmanager
    def swallows():
        try:
            yield
        except BaseException:  # noqa: BLE001
            room.seen.append("swallowed")

    await ctx.enter(room.sync("a"))
    await ctx.enter(room.later("b"))
    await ctx.close_entered(error)
    assert room.seen == ["in a", "in b", error, "out b", error, "out a"]

    other = ActionContext("run_a2", "X")
    await other.enter(swallows())
    await other.close_entered(ValueError())
    assert room.seen[-1] == "swallowed"


async def test_all_are_left_although_leaving_one_fails():
    ctx, room = ActionContext("run_a1", "X"), Room()

    @contextmanager
    def broken():
        yield
        raise OSError("the commit failed")

    await ctx.enter(room.sync("a"))
    await ctx.enter(broken())
    with pytest.raises(OSError, match="the commit failed"):
        await ctx.close_entered()
    assert room.seen[-1] == "out a"


async def test_nothing_is_entered_once_the_attempt_is_over():
    ctx, room = ActionContext("run_a1", "X"), Room()
    await ctx.close_entered()
    await ctx.close_entered()

    with pytest.raises(RuntimeError, match="X: the attempt is over"):
        await ctx.enter(room.sync("a"))
    assert room.seen == []


async def test_what_is_no_context_manager_cannot_be_entered():
    ctx = ActionContext("run_a1", "X")

    with pytest.raises(TypeError):
        await ctx.enter(object())
    await ctx.close_entered()


def test_a_plain_attempt_is_a_run_without_an_original():
    ctx = ActionContext("run_a1", "X")

    assert (ctx.phase, ctx.original_key, ctx.entered) == ("run", "", None)
