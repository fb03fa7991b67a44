"""What is carried out beside handlers: undo and on_error; and what an attempt tells of itself so that they are."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from pydantic_core import from_json, to_json

from actions.definition import action
from actions.directives import FollowUp, Result, SetContext
from actions.errors import Cancel, Fail, Postpone, Refuse, Stop, TryAgain
from actions.policy import Retry
from actions.registry import Registry
from flights_under_test import World
from orchestrator.store.incoming import Effect, EffectKind
from records_under_test import Records

if TYPE_CHECKING:
    from orchestrator.store.incoming import Finish

RELEASE = threading.Event()
SEEN: list[Any] = []
UNKNOWN, RESCUE = Effect(EffectKind.UNKNOWN), Effect(EffectKind.RESCUE)


def raising(how: str) -> Any:
    """What a handler does that is told to end in some way."""
    ways: dict[str, BaseException] = {
        "surprise": OSError("secret"), "fail": Fail("sold out"), "stop": Stop("closed"), "cancel": Cancel("no"),
        "again": TryAgain(reason="busy"), "postpone": Postpone("1ms"),
    }  # fmt: skip
    if how in ways:
        raise ways[how]
    return 1 if how == "lie" else "done"


@action("BOTH", timeout="50ms", output=str, retry=Retry(1, initial="1ms", cap="1ms"))
async def both(how: str) -> Any:
    """Have an undo that needs no receipt, and an on_error."""
    if how == "sleep":
        await asyncio.sleep(30)
    return raising(how)


@both.validate
async def may_run(params, ctx):
    """Forbid one."""
    if params.how == "check slowly":
        await asyncio.sleep(30)
    return Refuse("forbidden") if params.how == "forbidden" else None


@both.undo(retry=Retry(2, initial="1ms", cap="1ms"), timeout="60ms")
async def undo_both(params, receipt: str | None, ctx):
    """Tell what it was given."""
    SEEN.append((ctx.phase, params.how, receipt, ctx.key, ctx.original_key))
    if params.how == "sleep":
        await asyncio.sleep(30)
    value = object() if params.how == "unstorable" else True
    directives = (SetContext("undone", value=value), FollowUp("PLAIN"))
    return Result(object(), directives) if raising(params.how) else None


@both.on_error(timeout="60ms")
async def rescue_both(params, error, ctx):
    """Tell what it was given."""
    SEEN.append((ctx.phase, params.how, error, ctx.key, ctx.original_key))
    if params.how == "sleep":
        await asyncio.sleep(30)
    if params.how == "unstorable":
        return Result(None, (SetContext("made_good", object()),))
    return raising(params.how)


@action("IN_A_THREAD")
def in_a_thread() -> None:
    """Have a sync undo that needs a receipt."""


@in_a_thread.undo
def undo_in_a_thread(params, receipt, ctx):
    """Tell what it was given, and where."""
    SEEN.append((receipt, threading.current_thread() is threading.main_thread()))


@action("FINISHES")
async def finishes() -> str:
    """Do its work; what comes after it says no."""
    return "done"


@finishes.after_run
async def says_no(value, ctx):
    """Fail on purpose, when the work is done."""
    raise Fail("no")


@finishes.undo
async def undo_finishes(params, receipt=None, ctx=None):
    """Take it back, with or without a receipt."""


@action("PLAIN")
async def plain() -> None:
    """Have nothing beside it."""


@action("FILLED")
async def filled(who: str = "", b: int = 0) -> list[Any]:
    """Say what it was given."""
    return [who, b]


REGISTRY = Registry([both, in_a_thread, finishes, plain, filled])


@pytest.fixture
def world() -> World:
    SEEN.clear()
    return World(REGISTRY, store=Records())


def told(finish: Finish) -> Any:
    return from_json(finish.result)


# What an attempt tells of itself


@pytest.mark.parametrize(
    ("how", "attempt", "verdict", "effects"),
    [
        ("surprise", 1, "again", (UNKNOWN,)),
        ("surprise", 2, "failed", (UNKNOWN, RESCUE)),
        ("sleep", 1, "again", (UNKNOWN,)),
        ("sleep", 2, "timed_out", (UNKNOWN, RESCUE)),
        ("lie", 1, "failed", (UNKNOWN, RESCUE)),  # it did its work, and there is no receipt
        ("fail", 1, "failed", (RESCUE,)),
        ("stop", 1, "failed", (Effect(EffectKind.STOP), RESCUE)),
        ("again", 1, "again", ()),
        ("again", 2, "failed", (RESCUE,)),
        ("postpone", 1, "postponed", ()),
        ("cancel", 1, "cancelled", ()),
        ("forbidden", 1, "refused", ()),
        ("forbidden", 2, "failed", (RESCUE,)),  # an earlier attempt had begun
        ("done", 1, "succeeded", ()),
    ],
)
async def test_an_attempt_says_whether_its_effect_is_unknown_and_whether_on_error_is_to_be_called(
    world: World, how: str, attempt: int, verdict: str, effects: tuple[Effect, ...]
) -> None:
    ended = await world.end("BOTH", {"how": how}, attempt=attempt)
    assert (ended.verdict, ended.effects) == (verdict, effects)


async def test_a_cancelled_attempt_that_had_begun_has_an_unknown_effect_and_is_made_good(
    world: World,
) -> None:
    world.start("BOTH", {"how": "sleep"})
    await asyncio.sleep(0.01)
    world.flights.cancel(["run_a1"])
    (ended,) = await world.ends()
    assert (ended.verdict, ended.effects) == ("cancelled", (UNKNOWN, RESCUE))


async def test_a_cancelled_attempt_that_had_not_begun_is_not_made_good(world: World) -> None:
    world.start("BOTH", {"how": "check slowly"})
    await asyncio.sleep(0.01)
    world.flights.cancel(["run_a1"])
    (ended,) = await world.ends()
    assert (ended.verdict, ended.effects) == ("cancelled", ())


async def test_a_run_that_failed_after_its_handler_had_returned_took_effect_without_a_receipt(
    world: World,
) -> None:
    ended = await world.end("FINISHES")
    assert (ended.verdict, told(ended)["error"], ended.effects) == ("failed", "no", (UNKNOWN,))


async def test_what_never_began_is_neither_unknown_nor_rescued(world: World) -> None:
    ended = await world.end("BOTH", {"what": "?"})
    assert (ended.verdict, told(ended)["code"], ended.effects) == ("failed", "invalid_arguments", ())


# on_error

ERROR = {"error": "sold out", "code": "handler_failed"}


async def rescued(world: World, how: str, **more: Any) -> Finish:
    rides = {"key": "k1"}
    return await world.end(
        "BOTH",
        {"how": how},
        rides=rides,
        attempt=2,
        rescue="timed_out",
        error=to_json(ERROR).decode(),
        **more,
    )


async def test_on_error_leaves_the_error_and_says_that_it_was_made_good(world: World) -> None:
    ended = await rescued(world, "done")
    assert (ended.verdict, told(ended)) == ("timed_out", {**ERROR, "compensated": True})
    assert SEEN == [("on_error", "done", ERROR, "k1.on_error", "k1")]


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("surprise", "its on_error failed with OSError"),
        ("fail", "sold out"),
        ("stop", "closed"),
        ("again", "busy"),
        ("postpone", "it asked to be called later, and it is called once"),
        ("cancel", "no"),
        ("sleep", "its on_error took longer than 0.06 s"),
    ],
)
async def test_an_on_error_that_fails_is_told_beside_the_error_and_not_tried_again(
    world: World, how: str, why: str
) -> None:
    ended = await rescued(world, how)
    assert ended.verdict == "timed_out"
    assert told(ended)["compensated"] is False
    assert told(ended)["compensation_error"] == why
    assert {key: told(ended)[key] for key in ERROR} == ERROR
    assert ended.effects == ()
    assert len(SEEN) == 1


async def test_an_on_error_has_done_its_work_whatever_its_directives_hold(world: World) -> None:
    ended = await rescued(world, "unstorable")
    assert (told(ended), ended.effects) == ({**ERROR, "compensated": True}, ())


async def test_an_action_that_has_no_on_error_any_more_says_so(world: World) -> None:
    ended = await world.end("PLAIN", rescue="failed", error=to_json(ERROR).decode())
    assert told(ended) == {**ERROR, "compensated": False, "compensation_error": "PLAIN has no on_error"}


# Undo


async def undone(world: World, how: str, of: str = "run_ok", **more: Any) -> Finish:
    return await world.end("BOTH", {"how": how}, rides={"key": "k1"}, id=f"{of}.undo", undoes=of, **more)


async def test_an_undo_gets_the_receipt_and_a_key_of_its_own(world: World) -> None:
    ended = await undone(world, "done")
    assert (ended.verdict, ended.result) == ("succeeded", "null")  # what it returns has no JSON form: no harm
    assert ended.effects == (Effect(EffectKind.SET, "undone", "true"),)
    assert SEEN == [("undo", "done", "the receipt", "k1.undo", "k1")]


async def test_an_undo_has_done_its_work_whatever_its_directives_hold(world: World) -> None:
    ended = await undone(world, "unstorable")
    assert (ended.verdict, ended.effects) == ("succeeded", ())


async def test_an_undo_of_an_unknown_effect_gets_none(world: World) -> None:
    assert (await undone(world, "done", of="run_bad")).verdict == "succeeded"
    assert SEEN[0][2] is None


async def test_an_undo_gets_no_receipt_rather_than_a_part_of_one(world: World) -> None:
    assert (await undone(world, "done", of="run_cut")).verdict == "succeeded"
    assert SEEN[0][2] is None


@pytest.mark.parametrize(
    ("how", "attempt", "verdict", "why"),
    [
        ("surprise", 1, "again", "its undo failed with OSError"),
        ("surprise", 2, "again", "its undo failed with OSError"),
        ("surprise", 3, "failed", "its undo failed with OSError"),
        ("sleep", 2, "again", "its undo took longer than 0.06 s"),
        ("sleep", 3, "timed_out", "its undo took longer than 0.06 s"),
        ("fail", 1, "failed", "sold out"),
        ("stop", 1, "failed", "closed"),
        ("cancel", 1, "failed", "no"),
        ("postpone", 2, "again", "it asked to be called later"),
        ("postpone", 9, "failed", "it asked to be called later (tried 9 times)"),
    ],
)
async def test_an_undo_has_retries_and_a_clock_of_its_own(
    world: World, how: str, attempt: int, verdict: str, why: str
) -> None:
    ended = await undone(world, how, attempt=attempt)
    assert (ended.verdict, ended.effects) == (verdict, ())
    assert told(ended)["error"] == why


async def test_a_sync_undo_runs_in_a_thread(world: World) -> None:
    ended = await world.end("IN_A_THREAD", undoes="run_parent")
    assert (ended.verdict, SEEN) == ("succeeded", [({"who": "eve"}, False)])  # without its follow-ups


@pytest.mark.parametrize(
    ("name", "of", "why"),
    [
        ("PLAIN", "run_ok", "PLAIN has no undo"),
        ("IN_A_THREAD", "run_bad", "run_bad has no receipt, and the undo of IN_A_THREAD needs one"),
        (
            "IN_A_THREAD",
            "run_cut",
            "the result of run_cut was too long to be kept whole, and the undo of IN_A_THREAD needs it",
        ),
        (
            "IN_A_THREAD",
            "run_cut_parent",
            "the result of run_cut_parent was too long to be kept whole, and the undo of IN_A_THREAD needs it",
        ),
        ("IN_A_THREAD", "run_gone", "the record of run_gone is gone, and with it what has to be undone"),
    ],
)
async def test_an_undo_that_cannot_be_says_why(world: World, name: str, of: str, why: str) -> None:
    ended = await world.end(name, undoes=of)
    assert (ended.verdict, told(ended)["error"]) == ("failed", why)


async def test_an_undo_waits_for_a_store_that_is_away(world: World) -> None:
    world.execution._means.store.runs.away = True
    assert (await undone(world, "done")).verdict == "postponed"


# What is taken from other results


@pytest.mark.parametrize(
    ("given", "rides", "value"),
    [
        ({}, {"uses": (("who", "run_ok", ""),)}, ["the receipt", 0]),
        ({}, {"uses": (("who", "run_parent", "who"),)}, ["eve", 0]),
        ({"who": "me"}, {"uses": (("who", "run_parent", "who"),)}, ["me", 0]),
        ({}, {"uses": (("who", "run_joined", "who"),)}, ["eve", 0]),
        ({}, {"uses": (("who", "run_alike", "result.who"),)}, ["eve", 0]),  # whatever it looks like
        ({"b": 2}, {"merge": ("run_ok", "run_parent")}, ["eve", 2]),
    ],
)
async def test_arguments_come_from_other_results(world: World, given: Any, rides: Any, value: Any) -> None:
    ended = await world.end("FILLED", given, rides=rides)
    assert (ended.verdict, told(ended)) == ("succeeded", value)


@pytest.mark.parametrize(
    ("of", "path", "why"),
    [
        ("run_gone", "", "the result of run_gone is gone"),
        ("run_bad", "", "run_bad has no result to take anything from, it is failed"),
        ("run_cut", "", "the result of run_cut was too long to be kept whole"),
        ("run_cut_parent", "", "the result of run_cut_parent was too long to be kept whole"),
        ("run_parent", "age", "'age' is not in the object"),
    ],
)
async def test_a_result_that_is_not_there_is_a_bad_reference(
    world: World, of: str, path: str, why: str
) -> None:
    ended = await world.end("FILLED", {}, rides={"uses": (("who", of, path),)})
    assert (ended.verdict, told(ended)["code"]) == ("failed", "bad_reference")
    assert why in told(ended)["error"]


async def test_what_is_taken_is_validated_like_any_argument(world: World) -> None:
    ended = await world.end("FILLED", {}, rides={"uses": (("b", "run_parent", "who"),)})
    assert told(ended)["code"] == "invalid_arguments"
