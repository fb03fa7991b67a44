"""What a real worker makes of an action's clocks, checks, limits and processors."""

from __future__ import annotations

import asyncio
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from actions.messages import Payload
from guarded_under_test import MODULE, notes
from orchestrator.drafting import draft
from workers_under_test import eventually

if TYPE_CHECKING:
    from orchestrator.assembly import House
    from orchestrator.settings import Settings

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def shared_settings(valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    from orchestrator.settings import Settings

    name = f"t{secrets.token_hex(6)}"
    given = {
        "redis_url": valkey,
        "home": tmp_path_factory.mktemp("home"),
        "namespace": name,
        "actions": [MODULE],
    }
    return Settings.model_validate({**given, "celery_prefix": f"{name}:", "result_cap": 2_000})


async def attempts(house: House, run: str) -> int:
    view = await house.store.runs.read(run)
    assert view is not None
    return view.attempts


# Clocks


async def test_a_thread_that_outlives_its_run_keeps_its_lock_until_it_ends(house: House) -> None:
    await house.conductor.call("ENTER", {"place": "p1"}, timeout_s=20)  # the worker has started
    began = time.time()
    first = await house.conductor.submit("LINGER", {"place": "p1", "seconds": 2.0})
    ended = await house.conductor.wait(first)
    assert (ended.status, ended.result["code"]) == ("timed_out", "timed_out")
    assert time.time() - began < 1.8
    entered = (await house.conductor.call("ENTER", {"place": "p1"}, timeout_s=10)).result
    assert entered - began >= 2.0
    view = await house.store.runs.read(first)
    assert view is not None
    assert view.late is not None
    assert "returned after the end of its run" in view.late
    assert view.status == "timed_out"


async def test_another_place_is_not_held_up_by_it(house: House) -> None:
    lingering = await house.conductor.submit("LINGER", {"place": "p2", "seconds": 1.5})
    await house.conductor.wait(lingering)
    await house.conductor.call("ENTER", {"place": "p3"})
    view = await house.store.runs.read(lingering)
    assert view is not None
    assert view.late is None  # it goes on in its thread


async def test_a_run_that_was_cancelled_in_its_thread_keeps_its_lock_too(house: House) -> None:
    began = time.time()
    first = await house.conductor.submit("LINGER", {"place": "p4", "seconds": 1.5})
    await eventually(lambda: _is(house, first, "running"))
    await house.conductor.cancel(first)
    assert (await house.conductor.wait(first)).status in {"cancelled", "timed_out"}
    entered = (await house.conductor.call("ENTER", {"place": "p4"}, timeout_s=10)).result
    assert entered - began >= 1.5


async def _is(house: House, run: str, status: str) -> bool:
    view = await house.store.runs.read(run)
    return view is not None and view.status == status


@pytest.mark.parametrize("name", ["BEATEN", "BEATEN_ON_THE_LOOP"])
@pytest.mark.parametrize(("beats", "status"), [(8, "succeeded"), (2, "timed_out")])
async def test_a_handler_without_heartbeat_is_stopped(
    house: House, name: str, beats: int, status: str
) -> None:
    began = time.monotonic()
    ended = await house.conductor.call(name, {"beats": beats})
    assert ended.status == status
    if status == "timed_out":
        assert ended.result["error"] == "the action gave no heartbeat for 0.3 s"
        assert time.monotonic() - began < 2


async def test_the_total_time_bounds_all_attempts_together(house: House) -> None:
    began = time.monotonic()
    run = await house.conductor.submit("TOTAL")
    ended = await house.conductor.wait(run)
    assert (ended.status, ended.result["code"]) == ("expired", "expired")
    assert time.monotonic() - began < 2
    assert 2 <= await attempts(house, run) <= 3


async def test_the_total_time_stops_a_handler(house: House) -> None:
    began = time.monotonic()
    ended = await house.conductor.call("TOTAL_AT_ONCE")
    assert (ended.status, ended.result["code"]) == ("expired", "expired")
    assert time.monotonic() - began < 2


async def test_a_submitter_may_give_less_time_and_other_retries(house: House) -> None:
    from actions.policy import Retry
    from actions.registry import Registry

    registry = Registry.from_modules([MODULE])
    action = registry.resolve("BEATEN_ON_THE_LOOP")
    payload = Payload(action.name, {"beats": 50}, retry=Retry(2, initial="1ms"), timeout_ms=150)
    new = draft(action, action.bind({"beats": 50}), payload, id="run_aLess", registry=registry)
    await house.store.runs.submit([new])
    ended = await house.conductor.wait("run_aLess")
    assert (ended.status, ended.result["error"]) == ("timed_out", "the action took longer than 0.15 s")
    assert await attempts(house, "run_aLess") == 3


# Effects that nobody knows


async def test_retry_takes_an_effect_twice(house: House, tmp_path: Path) -> None:
    ended = await house.conductor.call("AGAIN", {"file": str(tmp_path / "n")})
    assert (ended.status, notes(tmp_path / "n")) == ("timed_out", ["acted", "acted"])


async def test_fail_ends_at_once(house: House, tmp_path: Path) -> None:
    ended = await house.conductor.call("ONCE", {"file": str(tmp_path / "n")})
    assert (ended.status, notes(tmp_path / "n")) == ("timed_out", ["acted"])


@pytest.mark.parametrize(
    ("arguments", "status", "result", "seen"),
    [
        ({}, "succeeded", "by the check", ["acted", "checked"]),
        ({"effect": False}, "timed_out", None, ["idled", "checked", "idled", "checked"]),
        ({"effect": False, "quick_from": 2}, "succeeded", "by the handler at attempt 2", ["idled", "checked", "idled"]),
    ],
)  # fmt: skip
async def test_check_finds_out_before_anything_is_done_again(
    house: House, tmp_path: Path, arguments: dict[str, Any], status: str, result: str | None, seen: list[str]
) -> None:
    ended = await house.conductor.call("CHECKED", {"file": str(tmp_path / "n"), **arguments})
    assert ended.status == status
    assert notes(tmp_path / "n") == seen
    if result:
        assert ended.result == result
    else:
        assert ended.result["code"] == "timed_out"


@pytest.mark.parametrize("slowly", [False, True])
async def test_a_check_that_never_answers_leaves_the_outcome_unknown(
    house: House, tmp_path: Path, *, slowly: bool
) -> None:
    ended = await house.conductor.call("CHECK_BREAKS", {"file": str(tmp_path / "n"), "slowly": slowly})
    assert (ended.status, ended.result["code"]) == ("failed", "outcome_unknown")
    assert notes(tmp_path / "n") == ["acted", "checked"]


async def test_what_is_configured_wrongly_is_not_tried_again(house: House) -> None:
    run = await house.conductor.submit("MISCONFIGURED")
    assert (await house.conductor.wait(run)).status == "failed"
    assert await attempts(house, run) == 1


# Processors


async def test_a_preprocessor_replaces_the_arguments_and_a_postprocessor_the_value(house: House) -> None:
    conversation = await house.conductor.open_conversation()
    text = '{"actions": [{"name": "SHOUT", "params": {"text": "hi", "times": 2}}]}'
    posted = await house.conductor.post_reply(conversation, {"role": "assistant", "content": text})
    ended = await house.conductor.wait(posted.runs[0])
    assert ended.result == {"said": "HIHI", "by": "SHOUT"}
    await house.conductor.wait_for_turn(posted.turn)
    assert (await house.store.conversations.read(conversation)).context == {"said": '"HI"'}
    assert (await house.conductor.call("COUNT", {"text": "  abc "})).result == 3


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("break", "handler_failed", "the preprocessor of SHOUT failed with KeyError"),
        ("break after", "handler_failed", "the postprocessor of SHOUT failed with KeyError"),
        ("misfit", "invalid_arguments", "times"),
    ],
)
async def test_a_processor_that_fails_fails_its_run_once(
    house: House, text: str, code: str, told: str
) -> None:
    run = await house.conductor.submit("SHOUT", {"text": text})
    ended = await house.conductor.wait(run)
    assert (ended.status, ended.result["code"]) == ("failed", code)
    assert told in ended.result["error"]
    assert "secret" not in str(ended.result)
    assert await attempts(house, run) == 1


# Rate limits


@pytest.mark.parametrize("fails", [False, True])
async def test_what_was_reserved_is_settled_with_what_was_used(house: House, *, fails: bool) -> None:
    """The burst is 50: a second run of 40 fits at once only if the first is settled with less than it reserved."""
    account = f"a{fails}"
    first = await house.conductor.call(
        "METERED", {"account": account, "tokens": 50, "used": 1, "fails": fails}
    )
    assert first.status == ("failed" if fails else "succeeded")
    second = {"account": account, "tokens": 40, "used": 40}
    assert (await house.conductor.call("METERED", second, timeout_s=5)).status == "succeeded"
    third = await house.conductor.submit("METERED", second)
    await eventually(lambda: _is(house, third, "waiting"))
    await house.conductor.cancel(third)


async def test_a_handler_cools_a_limit_for_everybody_under_the_same_key(house: House) -> None:
    first = await house.conductor.submit("BUSY_SIGNAL", {"line": "one"})
    await eventually(lambda: _is(house, first, "waiting"))
    second = await house.conductor.submit("BUSY_SIGNAL", {"line": "one"})
    other = await house.conductor.submit("BUSY_SIGNAL", {"line": "two", "after": "1ms"})
    assert (
        await house.conductor.wait(other)
    ).status == "failed"  # another line is not cooled: it had both tries
    assert await attempts(house, second) == 0
    (standing,) = await house.store.limits.standing("BUSY_SIGNAL:one")
    assert standing.cooled_us is not None
    assert 20 < standing.cooled_us / 1e6 - time.time() <= 30.5
    for run in (first, second):
        await house.conductor.cancel(run)


async def test_a_handler_that_does_not_say_so_cools_nothing(house: House) -> None:
    await house.conductor.call("BUSY_SIGNAL", {"line": "three", "after": "1ms", "cool": False})
    standing = await house.store.limits.standing("BUSY_SIGNAL:three")
    assert all(each.cooled_us is None for each in standing)


async def test_a_429_of_another_server_cools_the_limit_at_once(house: House) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 429 Too Many\r\nRetry-After: 20\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        assert (await house.conductor.call("FETCH", {"line": "x", "url": url})).result == 429
    (standing,) = await house.store.limits.standing("FETCH:x")
    assert standing.cooled_us is not None
    assert 10 < standing.cooled_us / 1e6 - time.time() <= 20.5
    waits = await house.conductor.submit("FETCH", {"line": "x", "url": url})
    await eventually(lambda: _is(house, waits, "waiting"))
    await house.conductor.cancel(waits)


# Results


async def test_a_result_over_the_cap_is_cut(house: House) -> None:
    fits = await house.conductor.call("LONG_STORY", {"length": 1_900})
    assert fits.result == "x" * 1_900
    cut = await house.conductor.call("LONG_STORY", {"length": 3_000})
    assert (cut.result["truncated"], cut.result["bytes"]) == (True, 3_002)
    assert 1_500 < len(cut.result["shown"]) < 2_000
