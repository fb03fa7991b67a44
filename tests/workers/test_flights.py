"""Attempts on a pump's loop: their clocks, and what becomes of handlers that do not stop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from pydantic_core import from_json

from actions.definition import action
from actions.errors import Cancel, Fail, Postpone, TryAgain
from actions.messages import Payload
from actions.policy import Retry, Timeouts
from actions.registry import Registry
from flights_under_test import World
from orchestrator.settings import Settings
from orchestrator.store.incoming import Effect, EffectKind
from orchestrator.store.records import Claimed
from workers.flight import Flight
from workers.rooms import Rooms
from workers_under_test import eventually

if TYPE_CHECKING:
    from actions.definition import Action

RELEASE = threading.Event()
"""Lets the handlers that wait in a thread go."""


@action("AT_ONCE", timeout="10s")
async def at_once() -> str:
    """Return."""
    return "done"


@action("SOON", timeout="100ms")
async def soon(blocking: float) -> str:
    """Wait a little, within the time; and keep the loop from noticing it."""
    asyncio.get_running_loop().call_later(0.02, time.sleep, blocking)
    await asyncio.sleep(0.01)
    return "in time"


@action("IN_A_THREAD", timeout="100ms", on_unknown="fail", retry=Retry(1, initial="1ms", cap="1ms"))
def in_a_thread() -> str:
    """Wait in a thread until a test lets it go."""
    RELEASE.wait(10)
    return "late"


@action("STUBBORN", timeout="50ms")
async def stubborn() -> None:
    """Swallow the cancellation until a test lets it go."""
    while not RELEASE.is_set():
        try:
            await asyncio.sleep(0.02)
        except asyncio.CancelledError:
            continue


@action("OBEDIENT", timeout="50ms")
async def obedient() -> None:
    """Stop when asked to."""
    await asyncio.sleep(30)


@action("CHECKED", timeout="50ms", on_unknown="check", retry=Retry(5, initial="1ms", cap="1ms"))
async def checked(way: str) -> None:
    """Never get here before its check has said something."""
    raise AssertionError(way)


@checked.preprocess
async def before_checked(params, ctx):
    """End the attempt in some way, or not."""
    if params["way"] == "prepare":
        raise TryAgain(reason="not now")
    if params["way"] == "prepare slowly":
        await asyncio.sleep(30)
    if params["way"] == "prepare wrongly":
        raise ValueError
    return {} if params["way"] == "misfit" else params


SIGNALS = {"fail": Fail("gone"), "cancel": Cancel("no"), "try again": TryAgain(reason="busy")}


@checked.validate
async def may_be_checked(params, ctx):
    """Forbid what would follow."""
    return params.way != "forbidden"


@checked.check
async def check_of_checked(params, ctx):
    """Give no answer, in some way."""
    if params.way == "postpone":
        raise Postpone("1ms")
    if params.way == "break":
        raise OSError
    if params.way in SIGNALS:
        raise SIGNALS[params.way]
    if params.way == "forbidden":
        return None
    if params.way == "check slowly":
        await asyncio.sleep(30)
    return "x" * 20_000


@action("SOLD", timeout="150ms", on_unknown="fail", retry=Retry(3, initial="1ms", cap="1ms"))
def sold(*, hold: bool) -> str:
    """Hold the only thread, or take effect at once."""
    if hold:
        RELEASE.wait(10)
    return "sold"


@sold.postprocess
def after_sold(value, ctx):
    """Need a thread as well."""
    return value


TIDIED: list[str] = []


@action("TIDY", timeout="30s")
async def tidy() -> None:
    """Need a moment to stop."""
    try:
        await asyncio.sleep(30)
    finally:
        await asyncio.sleep(0.1)
        TIDIED.append("tidied")


@action("PREPARES", timeout="30s", on_unknown="fail")
async def prepares() -> None:
    """Never get here."""


@prepares.preprocess
async def for_long(params, ctx):
    """Take long."""
    await asyncio.sleep(30)


@action("HOLDS", timeout="30s", on_unknown="fail")
def holds() -> None:
    """Hold a thread until a test lets it go."""
    RELEASE.wait(10)


@action("BOTH", timeout=Timeouts(attempt="10s", heartbeat="5s", total="1m"))
async def both() -> None:
    """Have every clock."""


ACTIONS: list[Action] = [
    at_once,
    soon,
    in_a_thread,
    stubborn,
    obedient,
    checked,
    sold,
    tidy,
    prepares,
    holds,
    both,
]
REGISTRY = Registry(ACTIONS)


@pytest.fixture
def world() -> Iterator[World]:
    RELEASE.clear()
    made = World(REGISTRY)
    yield made
    RELEASE.set()


def flight_of(name: str, **claimed: Any) -> Flight:
    made = World(REGISTRY)
    run = Claimed("run_a1", "actions", "", 1, "", "", "", "", 0, "", "", "", "7", **claimed)
    return Flight(run, Payload(name), made.execution.action_of(Payload(name)), "", 0.0)


# Clocks


@pytest.mark.parametrize(
    ("left_ms", "beats", "times"),
    [
        (None, [], {4.9: "", 5.1: "silent"}),
        (None, [4.0], {8.9: "", 9.1: "silent"}),
        (None, [4.0, 8.0], {9.9: "", 10.1: "timeout"}),
        (3_000, [], {2.9: "", 3.1: "total"}),
        (7_000, [4.0], {6.9: "", 7.1: "total", 99: "total"}),
        (12_000, [4.0, 8.0], {10.1: "timeout", 99: "timeout"}),
    ],
)
def test_the_clock_that_runs_out_first_counts(left_ms, beats, times):
    flight = flight_of("BOTH", left_ms=left_ms)
    assert flight.wind(1_000.0)
    for beat in beats:
        flight.beat = 1_000.0 + beat
    assert {at: flight.over(1_000.0 + at) for at in times} == times


def test_a_submitter_may_shorten_the_time_of_an_attempt_and_not_lengthen_it():
    for asked, limit in ((400, 0.4), (60_000, 10.0)):
        flight = flight_of("BOTH")
        flight.payload.timeout_ms = asked
        flight.wind(0.0)
        assert flight.limit == limit


def test_clocks_of_an_isolated_run_wait_for_its_process_but_the_total_does_not():
    flight = flight_of("BOTH", left_ms=20_000)
    assert flight.wind(1_000.0, waits=True)
    assert (flight.look, flight.over(1_015.0)) == (1_020.0, "")
    flight.begin(1_015.0)
    assert (flight.look, flight.ends) == (1_020.0, 1_025.0)
    assert flight.over(1_020.1) == "total"


async def test_a_run_that_ends_in_its_first_step_needs_no_timer(world: World) -> None:
    world.start("AT_ONCE")
    (flight,) = world.flights._flying.values()
    (ended,) = await world.ends()
    assert (ended.verdict, flight.timer) == ("succeeded", None)


async def test_what_was_done_in_time_counts_also_when_the_loop_sees_it_late(world: World) -> None:
    world.start("SOON", {"blocking": 0.3})
    (ended,) = await world.ends()
    assert (ended.verdict, ended.result) == ("succeeded", '"in time"')


async def test_a_run_that_no_thread_was_free_for_has_no_unknown_effect(world: World) -> None:
    """The first holds the only thread; the second never began, and is tried again although its action says `fail`."""
    world.start("IN_A_THREAD", id="run_a1")
    world.start("IN_A_THREAD", id="run_a2")
    ended = {each.run: each for each in await world.ends(2)}
    assert (ended["run_a1"].verdict, ended["run_a2"].verdict) == ("timed_out", "again")
    assert ended["run_a2"].effects == ()


@pytest.mark.parametrize("word", ["timeout", "death", "killed"])
@pytest.mark.parametrize("way", ["prepare", "prepare slowly", "postpone", "break", "check slowly"])
async def test_what_was_to_be_checked_stays_open_until_it_was(world: World, way: str, word: str) -> None:
    world.start("CHECKED", {"way": way}, check=word)
    (ended,) = await world.ends()
    assert ended.verdict == ("postponed" if way == "postpone" else "again")
    assert ended.effects == (Effect(EffectKind.CHECK, word),)


@pytest.mark.parametrize("way", ["prepare wrongly", "misfit", "fail", "cancel", "try again"])
async def test_an_end_with_an_open_question_says_that_nobody_knows(world: World, way: str) -> None:
    world.start("CHECKED", {"way": way}, check="death", attempt=6)
    (ended,) = await world.ends()
    assert (ended.verdict, from_json(ended.result)["code"]) == ("failed", "outcome_unknown")


async def test_a_clock_that_runs_out_before_the_check_could_be_asked_leaves_it_open(world: World) -> None:
    world.start("CHECKED", {"way": "prepare slowly"}, check="timeout", attempt=6)
    (ended,) = await world.ends()
    assert (ended.verdict, from_json(ended.result)["code"]) == ("failed", "outcome_unknown")


async def test_what_is_said_after_the_check_is_no_longer_in_doubt(world: World) -> None:
    world.start("CHECKED", {"way": "forbidden"}, check="death")
    (ended,) = await world.ends()
    assert (ended.verdict, from_json(ended.result)["code"]) == ("refused", "refused")


async def test_a_check_whose_answer_is_too_long_has_answered(world: World) -> None:
    world.start("CHECKED", {"way": "long"}, check="death")
    (ended,) = await world.ends()
    assert (ended.verdict, from_json(ended.result)["truncated"]) == ("succeeded", True)


async def test_a_handler_that_has_returned_has_acted_although_its_postprocessor_never_had_a_thread(
    world: World,
) -> None:
    """The only thread goes to another run between the two; on_unknown="fail" must not sell twice."""
    world.start("SOLD", {"hold": False}, id="run_a1")
    world.start("SOLD", {"hold": True}, id="run_a2")
    ended = {each.run: each for each in await world.ends(2)}
    assert {each.verdict for each in ended.values()} == {"timed_out"}


# Handing back


async def test_what_is_handed_back_has_stopped_and_says_what_never_began(world: World) -> None:
    TIDIED.clear()
    world.start("TIDY", id="run_tidy")
    world.start("PREPARES", id="run_prepares")
    world.start("HOLDS", id="run_first")
    world.start("HOLDS", id="run_second")
    await eventually(lambda: world.execution.threads.taken == 2)
    began = time.monotonic()
    assert sorted(await world.flights.hand_back()) == ["run_prepares", "run_second"]
    assert time.monotonic() - began < 1
    assert TIDIED == ["tidied"]
    assert (world.flights.take_ended(), world.flights.known) == ([], [])


async def test_what_does_not_stop_is_handed_back_all_the_same(world: World, monkeypatch) -> None:
    monkeypatch.setattr("workers.flights.STUBBORN", 0.1)
    world.start("STUBBORN")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    try:
        assert await world.flights.hand_back() == []
    finally:
        RELEASE.set()  # the loop's end waits for it


# Ghosts


@pytest.mark.parametrize("name", ["IN_A_THREAD", "STUBBORN"])
async def test_a_handler_that_goes_on_is_held_as_a_ghost_until_its_end_is_told(
    world: World, name: str
) -> None:
    world.start(name)
    (ended,) = await world.ends()
    assert (ended.verdict, ended.effects) == ("timed_out", (Effect(EffectKind.GHOST),))
    assert world.flights.known == [("run_a1~7", "7")]
    assert (world.flights.held, len(world.flights), world.flights.working) == (1, 0, True)
    RELEASE.set()
    (late,) = await world.ends()
    world.flights.put_back([late])
    assert (late.verdict, late.run, late.fence) == ("late", "run_a1", "7")
    assert from_json(late.result) == {"discarded": "the handler returned after the end of its run"}
    assert world.flights.known == [("run_a1~7", "7")]
    world.flights.take_ended()
    assert (world.flights.known, world.flights.busy) == ([], False)


async def test_a_ghost_of_a_lost_lease_says_nothing(world: World) -> None:
    world.start("IN_A_THREAD")
    await world.ends()
    world.flights.abandon()
    RELEASE.set()
    await eventually(lambda: world.execution.threads.taken == 0)
    await asyncio.sleep(0)
    assert (world.flights.take_ended(), world.flights.busy) == ([], False)


async def test_a_handler_that_stops_when_it_is_asked_to_leaves_no_ghost(world: World) -> None:
    world.start("OBEDIENT")
    (ended,) = await world.ends()
    assert (ended.verdict, ended.effects) == ("timed_out", ())
    assert not world.flights.working


# Room


async def test_places_are_counted_by_kind_and_tenant(world: World) -> None:
    settings = Settings(room=4, threads=2, isolated=3, tenant_share=50)
    rooms = Rooms(settings, world.execution, world.flights, ["actions", "more"], {"more"})
    assert rooms.lanes(alone=False) == [
        ("more", 4), ("more/t", 2), ("more/i", 3), ("actions", 4), ("actions/t", 2),
    ]  # fmt: skip
    world.start("STUBBORN", id="run_a1", tenant="t1")
    world.start("STUBBORN", id="run_a2", tenant="t1")
    world.start("IN_A_THREAD", id="run_a3")
    assert rooms.free(alone=False) == {"": 2, "/t": 1, "/i": 3}
    assert rooms.free(alone=True) == {"": 0, "/t": 0, "/i": 0}
    assert rooms.shares() == ":2:t1=2;/t:1:=1;/i:1:;"
    RELEASE.set()
    await world.ends(3)
    assert rooms.shares() == ":2:;/t:1:;/i:1:;"


async def test_without_isolated_actions_there_is_no_lane_for_them(world: World) -> None:
    rooms = Rooms(Settings(tenant_share=100), world.execution, world.flights, ["actions"], set())
    assert [lane for lane, _ in rooms.lanes(alone=False)] == ["actions", "actions/t"]
    assert rooms.shares() == ""


async def test_a_thread_that_a_ghost_has_is_no_room(world: World) -> None:
    rooms = Rooms(Settings(threads=1), world.execution, world.flights, ["actions"], set())
    world.start("IN_A_THREAD")
    await world.ends()
    assert rooms.free(alone=False)["/t"] == 0
    RELEASE.set()
    await eventually(lambda: rooms.free(alone=False)["/t"] == 1)
