"""A run without conversation is told of from when somebody watches it; lists and queues know what there is."""

from __future__ import annotations

from typing import Any

import pytest

from actions.errors import InvalidCursor
from actions.messages import Payload, Status
from actions.registry import Registry
from orchestrator.listing import RunFilter, list_runs
from orchestrator.store.incoming import Ask, NewRun

NONE = Registry(())


async def watched(world, run: str) -> str:
    return await world.store.connection.run("watch", run)


async def test_a_run_that_nobody_watches_has_no_stream(world):
    await world.submit("run_a")
    await world.end(await world.one())
    assert "ev:run_a" not in await world.keys()


async def test_a_watched_run_is_told_of_from_how_it_stands_to_its_end(world):
    await world.submit("run_a", "run_b")
    assert await watched(world, "run_a") == "run_a"
    assert await watched(world, "run_a") == "run_a"
    for run in await world.take():
        await world.end(run, "again", "1", delay_ms=5, why="backoff")
    world.pass_time(ms=6)
    for run in await world.take():
        await world.end(run)
    told = [(each["status"], each["attempt"]) for each in await world.changes("run_a")]
    assert told == [
        ("ready", 0),
        ("running", 1),
        ("waiting", 1),
        ("ready", 1),
        ("running", 2),
        ("succeeded", 2),
    ]
    keys = await world.keys()
    assert "ev:run_b" not in keys
    assert 0 < keys["ev:run_a"] <= 120  # it takes 4 kB, and has ended
    assert "watched" not in keys


async def test_a_run_of_a_conversation_is_told_of_there(world):
    await world.open()
    await world.post(world.call("turn_x", 0))
    assert await watched(world, "run_x.0.0") == "conv_a"
    assert await watched(world, "run_none") == ""


async def test_watching_what_has_ended_begins_no_stream(world):
    await world.submit("run_a")
    await world.end(await world.one())
    assert await watched(world, "run_a") == "run_a"
    assert "ev:run_a" not in await world.keys()


def rows(*names: str, **fields: Any) -> list[NewRun]:
    return [NewRun(f"run_{name}", "actions", Payload("ACT").encode(), **fields) for name in names]


async def pages(world, tenant, which=None, **given: Any) -> list[list[str]]:
    found, cursor = [], ""
    while True:
        page = await list_runs(world.store, NONE, tenant, which or RunFilter(), cursor=cursor, **given)
        found.append([run.run for run in page.runs])
        cursor = page.next
        if not cursor:
            return found


async def test_runs_are_listed_newest_first_in_pages_that_hold_each_once(world):
    await world.runs.submit(rows("a", "b", "c"))
    await world.runs.submit(rows("d"))
    await world.runs.submit(rows("e", tenant="acme"))
    listed = await pages(world, "", limit=3)
    assert [run for page in listed for run in page] == ["run_d", "run_c", "run_b", "run_a"]
    assert await pages(world, "acme") == [["run_e"]]
    everybodys = [run for page in await pages(world, None, limit=2) for run in page]
    assert sorted(everybodys) == ["run_a", "run_b", "run_c", "run_d", "run_e"]
    assert [run for run in everybodys if run != "run_e"] == ["run_d", "run_c", "run_b", "run_a"]


async def test_batches_are_listed_run_by_run_across_many_entries_and_tenants(world):
    for batch in range(20):
        await world.runs.submit(
            rows(*(f"{batch:02}x{at:02}" for at in range(30)), tenant=("", "acme")[batch % 2])
        )
    for tenant, count in (("", 300), ("acme", 300), (None, 600)):
        listed = [run for page in await pages(world, tenant, limit=70) for run in page]
        assert (len(listed), len(set(listed))) == (count, count)


async def test_a_page_asks_for_few_entries_however_many_runs_they_hold(world):
    await world.runs.submit(rows(*(f"x{at:03}" for at in range(400))))
    found = await world.store.listing.newest([""], None, 3)
    assert [run for _, run in found] == ["run_x399", "run_x398", "run_x397"]
    (place, run) = found[-1]
    assert (await world.store.listing.newest([""], place, 1))[0][1] == "run_x396", run


async def test_a_long_result_is_left_out_of_the_list(world):
    await world.submit("run_a", "run_b")
    first, second = await world.take()
    await world.end(first, result=f'"{"x" * 20_000}"')
    await world.end(second)
    page = await list_runs(world.store, NONE, "", RunFilter())
    assert [(run.run, run.result, run.result_omitted) for run in page.runs] == [
        ("run_b", "done", False), ("run_a", None, True),
    ]  # fmt: skip


async def test_a_filter_narrows_the_list(world):
    await world.open()
    await world.post(world.call("turn_x", 0), world.call("turn_x", 1, refused="0"))
    await world.submit("run_a")
    await world.end((await world.take())[-1], "failed", '{"error":"no"}')
    by = {"status": RunFilter(status={"refused"}), "conversation": RunFilter(conversation="conv_a")}
    assert await pages(world, "", by["status"]) == [["run_x.0.1"]]
    assert await pages(world, "", by["conversation"]) == [["run_x.0.1", "run_x.0.0"]]
    assert await pages(world, "", RunFilter(action="OTHER")) == [[]]
    assert await pages(world, "", RunFilter(queue="actions", status={"failed"})) == [["run_a"]]


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        "W10",
        "WyIxLTAiLCJhY21lIiwwXQ",
        "bnVsbA",
        "W1tdLFtdLFtdXQ",
        "=" * 500,
        "WyI5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTktMCIsICIiLCAwXQ==",
        "WyItNS0wIiwgIiIsIDBd",
    ],
)
async def test_a_cursor_of_nobodys_making_or_of_another_tenant_is_refused(world, cursor):
    with pytest.raises(InvalidCursor):
        await list_runs(world.store, NONE, "", RunFilter(), cursor=cursor)


async def test_queues_tell_what_is_ready_runs_and_waits_and_for_what(world):
    await world.runs.submit([*rows("a", "b"), *rows("slow", delay_ms=60_000)])
    await world.runs.submit(rows("asked", approval=Ask("d", 60_000, "{}")))
    waits = rows("after", status=Status.BLOCKED, open=1)
    await world.runs.submit([*rows("before", dependents=("run_after",)), *waits])
    await world.take(room=1)
    await world.runs.tick(["actions", "mail"])
    actions, mail = await world.store.queues.standing()
    assert (actions.ready, actions.running) == (2, 1)
    assert actions.waiting == {"delay": 1, "approval": 1, "dependency": 1}
    assert actions.oldest_ready_s is not None
    assert (mail.queue, mail.ready, mail.oldest_ready_s, mail.partial) == ("mail", 0, None, False)


async def test_every_worker_that_ticks_is_seen_also_while_another_holds_the_tick(world):
    await world.runs.tick(["actions"], gate_ms=60_000)
    await world.runs.tick(["mail"], gate_ms=60_000)
    assert set(await world.store.queues.seen()) == {"actions", "mail"}


async def test_the_door_lets_so_many_in_and_says_when_the_next_may_come(world):
    knocks = [await world.store.connection.run("knock", "~k", 10, 1_000_000, 3) for _ in range(4)]
    assert knocks == [0, 0, 0, 100]
    world.pass_time(ms=100)
    assert await world.store.limits.knock("~k", 10, 1_000_000, 3) == 0
    assert await world.store.limits.knock("~k", 10, 1_000_000, 3) > 0
    assert await world.store.limits.knock("~other", 10, 1_000_000, 3) == 0
