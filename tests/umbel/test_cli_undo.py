"""`umbel undo` and `umbel interrupt`: what a chain did is taken back; what could not be rests until a person asks."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from actions.definition import action
from actions.registry import Registry
from orchestrator.settings import Settings
from orchestrator.store.incoming import Finish
from umbel import Umbel
from umbel.cli import main


@action("BOOK", show=("seat",))
async def book(seat: int, card: str = "") -> None:
    """Book."""


@book.undo
async def unbook(params: Any, receipt: Any, ctx: Any) -> None:
    """Give it back."""


@action("PAY")
async def pay() -> None:
    """Pay."""


def reply(*calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """A reply as a provider sends it."""
    functions = [{"name": name, "arguments": json.dumps(arguments)} for name, arguments in calls]
    tool_calls = [{"id": f"c{at}", "type": "function", "function": each} for at, each in enumerate(functions)]
    return {"role": "assistant", "content": None, "tool_calls": tool_calls}


REPLY = reply(("BOOK", {"seat": 3, "card": "hunter2"}), ("PAY", {}))
THREE = reply(("BOOK", {"seat": 3}), ("BOOK", {"seat": 4}), ("PAY", {}))


@pytest.fixture
def ask(settings: Settings) -> Callable[..., Result]:
    sys.modules["undo_under_test"] = sys.modules[__name__]
    env = settings.model_copy(update={"actions": ("undo_under_test",)}).environ()

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, env=env)

    return run


@pytest.fixture
def within(settings: Settings) -> Callable[[Callable[[Umbel], Awaitable[Any]]], Any]:
    """Do something with the store, on a loop of its own: the command has one too."""

    def run(work: Callable[[Umbel], Awaitable[Any]]) -> Any:
        async def do() -> Any:
            async with Umbel(settings, Registry([book, pay])) as umbel:
                return await work(umbel)

        return asyncio.run(do())

    return run


async def end(umbel: Umbel, status: str, result: Any) -> str:
    """End the one run that a pump is given now; return its id."""
    [claimed] = (await umbel._store.runs.claim("pump", [("actions", 50)])).runs
    await umbel._store.runs.finish("pump", [Finish(claimed.id, claimed.fence, status, json.dumps(result))])
    return claimed.id


@pytest.fixture
def chain(within: Callable[..., Any]) -> tuple[str, str]:
    """A turn whose chain has failed, and its first step, which is being undone."""

    async def work(umbel: Umbel) -> tuple[str, str]:
        posted = await umbel.post_reply(await umbel.open_conversation(), REPLY, mode="chain")
        await end(umbel, "succeeded", "seat 3")
        await end(umbel, "failed", {"error": "no money", "code": "poor"})
        return posted.turn, posted.runs[0]

    turn, step = within(work)
    return str(turn), str(step)


@pytest.fixture
def stuck(within: Callable[..., Any], chain: tuple[str, str]) -> str:
    """A step whose undo failed."""
    _, step = chain
    error = {"error": "the \x1b[2Koffice is closed", "code": "closed"}
    assert within(lambda umbel: end(umbel, "failed", error)).startswith(f"{step}.undo")
    return step


def test_where_nothing_is_stuck_the_list_is_empty(ask, chain):
    assert ask("undo", "list").stdout == "None.\n"
    told = ask("undo", "retry", chain[1])
    assert (told.exit_code, told.stdout) == (1, f"{chain[1]}  no undo of it rests as failed\n")


def test_an_undo_that_failed_is_shown_with_its_error_and_no_secret(ask, stuck):
    text = ask("undo", "list").stdout
    assert text.startswith(f"{stuck}  BOOK  undo failed at ")
    assert "seat=3, card=•••" in text
    assert "the \\u001b[2Koffice is closed" in text
    [told] = json.loads(ask("undo", "list", "--json").stdout)
    assert (told["run"], told["action"], told["error"]["code"]) == (stuck, "BOOK", "closed")
    assert "hunter2" not in text + json.dumps(told)


def test_it_is_tried_again_when_somebody_asks(ask, within, stuck):
    told = ask("undo", "retry", stuck, "--by", "bob")
    assert (told.exit_code, told.stdout) == (0, f"{stuck}  its undo is tried again\n")
    assert ask("undo", "retry", stuck).exit_code == 1
    assert within(lambda umbel: end(umbel, "succeeded", None)).startswith(f"{stuck}.undo")
    assert ask("undo", "list").stdout == "None.\n"
    assert "undo           undone" in ask("show", stuck).stdout
    assert "undo_retry" in ask("audit", stuck).stdout
    assert "by bob" in ask("audit", stuck).stdout


def test_all_ids_are_looked_at_before_the_first_is_tried_again(ask, stuck):
    told = ask("undo", "retry", stuck, "turn_a1")
    assert (told.exit_code, told.stdout) == (65, "")
    assert "no undo was tried again" in told.stderr
    assert json.loads(ask("undo", "retry", stuck, "run_nobody", "--json").stdout) == {
        stuck: "retried",
        "run_nobody": "missing",
    }


def test_show_says_how_an_undo_stands(ask, chain):
    turn, step = chain
    assert "undo           pending" in ask("show", step).stdout
    assert f"{step}  BOOK  succeeded, is being undone" in ask("show", turn).stdout


def test_show_says_that_an_undo_failed_and_what_the_model_was_told(ask, stuck):
    text = ask("show", stuck).stdout
    assert "undo           failed (`umbel undo retry` tries again)" in text
    assert "undo error" in text
    assert "model was told" in text
    told = json.loads(ask("show", stuck, "--json").stdout)
    assert (told["undo"], told["undo_error"]["code"], told["result"]) == ("failed", "closed", "seat 3")


def test_a_failed_undo_is_none_of_the_dead(ask, stuck):
    assert stuck not in ask("dead", "list").stdout
    assert ".undo" not in ask("dead", "list").stdout


def test_what_is_being_undone_cannot_be_cancelled(ask, chain):
    told = ask("cancel", chain[0])
    assert (told.exit_code, told.stdout) == (1, f"{chain[0]}  is being undone: that cannot be cancelled\n")


def test_after_another_try_both_are_shown_what_the_model_was_told_and_what_is_true_now(ask, within, stuck):
    ask("undo", "retry", stuck)
    within(lambda umbel: end(umbel, "succeeded", None))
    text = ask("show", stuck).stdout
    assert re.search(r'model was told +\{"code":"undo_failed"', text)
    assert re.search(r'true now +\{"code":"undone"', text)


def test_a_turn_shows_its_undos_too_and_why_a_step_did_not_run(ask, within, chain, stuck):
    turn, step = chain
    text = ask("show", turn).stdout
    assert (
        f"  {step}  BOOK  succeeded, its undo failed\n    {step}.undo  undo of BOOK  failed (closed)\n"
        in text
    )
    ask("undo", "retry", stuck)
    within(lambda umbel: end(umbel, "succeeded", None))
    text = ask("show", turn).stdout
    assert f"  {step}  BOOK  succeeded, then undone\n" in text
    assert f"    {step}.undo2  undo of BOOK  succeeded\n" in text
    told = ask("show", f"{step}.undo").stdout
    assert f"undoes         {step} (the undo of that is undone by now)" in told
    assert "attempts       1 of 4" in told


def test_what_waits_for_the_undo_of_a_later_step_says_so(ask, within):
    async def work(umbel: Umbel) -> tuple[str, tuple[str, ...]]:
        posted = await umbel.post_reply(await umbel.open_conversation(), THREE, mode="chain")
        await end(umbel, "succeeded", "seat 3")
        await end(umbel, "succeeded", "seat 4")
        await end(umbel, "failed", {"error": "no money", "code": "poor"})
        await end(umbel, "failed", {"error": "BOOK failed with OSError", "code": "failed"})
        return posted.turn, posted.runs

    turn, (first, second, _) = within(work)
    assert f"undo           pending (it waits for `umbel undo retry {second}`)" in ask("show", first).stdout
    assert f"{first}  BOOK  succeeded, its undo waits for that of a later step" in ask("show", turn).stdout
    for told in (ask("undo", "list"), ask("show", second)):
        assert "the log of the worker that ran it has the traceback" in told.stdout


def test_the_audit_of_a_run_a_turn_and_a_conversation_has_all_that_came_of_it(ask, within, chain, stuck):
    turn, step = chain
    ask("undo", "retry", stuck, "--by", "bob")
    within(lambda umbel: end(umbel, "succeeded", None))
    other = within(lambda umbel: umbel.submit("PAY"))

    def told(id: str) -> list[tuple[str, str]]:  # noqa: A002
        lines = ask("audit", id, "--jsonl").stdout.splitlines()
        return [(line["run"], line["what"]) for line in map(json.loads, lines)]

    of_step = told(step)
    assert of_step[0] == (step, "asked")
    assert {(f"{step}.undo", "ended"), (step, "undo_retry"), (f"{step}.undo2", "ended")} <= set(of_step)
    of_turn = told(turn)
    assert set(of_step) < set(of_turn)
    assert other not in dict(of_turn)
    conversation = json.loads(ask("show", turn, "--json").stdout)["conversation"]
    assert told(conversation) == of_turn
    assert ask("audit", "garbage").exit_code == 65
    assert told("turn_nobody") == []


# Interrupt


def test_a_chain_is_interrupted_between_two_steps(ask, within):
    async def begin(umbel: Umbel) -> tuple[str, tuple[str, ...]]:
        posted = await umbel.post_reply(await umbel.open_conversation(), REPLY, mode="chain")
        [claimed] = (await umbel._store.runs.claim("pump", [("actions", 50)])).runs
        assert claimed.id == posted.runs[0]
        return posted.turn, posted.runs

    turn, (first, second) = within(begin)
    told = ask("interrupt", turn, "--by", "bob")
    assert told.exit_code == 0
    assert "interrupt  by bob" in ask("audit", turn).stdout
    assert told.stdout.startswith(f"{turn}  interrupted")
    assert "running" in ask("show", first).stdout.splitlines()[0]
    assert "running" not in ask("show", second).stdout.splitlines()[0]


@pytest.mark.parametrize("kind", ["no chain", "ended", "nothing"])
def test_where_no_chain_goes_on_there_is_nothing_to_interrupt(ask, within, kind):
    async def begin(umbel: Umbel) -> str:
        posted = await umbel.post_reply(await umbel.open_conversation(), REPLY)
        if kind == "ended":
            await umbel.cancel(posted.turn)
        return posted.turn

    turn = "turn_nobody" if kind == "nothing" else within(begin)
    told = ask("interrupt", turn, "--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout)["verdict"] in {"no_chain", "terminal", "missing"}


def test_only_turns_are_interrupted(ask):
    told = ask("interrupt", "run_a1")
    assert (told.exit_code, told.stderr.count("\n")) == (65, 1)
