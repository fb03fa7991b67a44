"""`umbel approvals`, `approve` and `deny`: a person sees what would happen, whole, and decides exactly that."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from actions.approvals import Approval
from actions.definition import action
from actions.registry import Registry
from orchestrator.settings import Settings
from umbel import Umbel
from umbel.cli import approvals, main, selection


@action("PAY", approval=Approval(expires="1h"), show=("amount",))
async def pay(amount: int, to: str = "kim") -> None:
    """Pay somebody."""


@pytest.fixture
def ask(settings: Settings) -> Callable[..., Result]:
    sys.modules["approvals_under_test"] = sys.modules[__name__]
    env = settings.model_copy(update={"actions": ("approvals_under_test",)}).environ()

    def run(*arguments: str, **given: Any) -> Result:
        return CliRunner().invoke(main, arguments, env=env, **given)

    return run


@pytest.fixture
def within(settings: Settings) -> Callable[[Callable[[Umbel], Awaitable[Any]]], Any]:
    """Do something with the store, on a loop of its own: the command has one too."""

    def run(work: Callable[[Umbel], Awaitable[Any]]) -> Any:
        async def do() -> Any:
            async with Umbel(settings, Registry([pay])) as umbel:
                return await work(umbel)

        return asyncio.run(do())

    return run


@pytest.fixture
def wanting(within: Callable[..., Any]) -> Callable[..., str]:
    """A run that waits for an approval."""

    def submit(**arguments: Any) -> str:
        return str(within(lambda umbel: umbel.submit("PAY", {"amount": 500} | arguments, principal="ann")))

    return submit


async def claimed(umbel: Umbel) -> list[str]:
    return [run.id for run in (await umbel._store.runs.claim("pump", [("actions", 50)])).runs]


def test_nothing_waits(ask):
    assert ask("approvals").stdout == "Nothing waits for an approval.\n"
    assert json.loads(ask("approvals", "--json").stdout) == []


def test_what_waits_is_shown_with_all_its_arguments(ask, wanting):
    run = wanting(to="x" * 3_000)
    text = ask("approvals").stdout
    assert text.startswith(f"{run}  PAY\n")
    assert '"amount": 500' in text
    assert "x" * 3_000 in text
    assert "ann" in text
    [told] = json.loads(ask("approvals", "--json").stdout)
    assert (told["run"], told["arguments"]["amount"], told["principal"]) == (run, 500, "ann")
    assert told["digest"] in text


def test_arguments_cannot_rewrite_what_a_person_sees(ask, wanting):
    wanting(to="kim\x1b[2K\r\u202eevil\x9b\x7f\u2028Müller 张")
    text = ask("approvals").stdout
    assert "kim\\u001b[2K\\r\\u202eevil\\u009b\\u007f\\u2028Müller 张" in text
    assert all(letter.isprintable() or letter == "\n" for letter in text)


def test_approving_shows_what_is_approved_and_lets_it_go_on(ask, within, wanting):
    run = wanting()
    told = ask("approve", run, "--yes", "--by", "bob")
    assert (told.exit_code, told.stdout) == (0, f"{run}  approved: it goes on\n")
    assert '"amount": 500' in told.stderr
    assert within(claimed) == [run]
    again = ask("approve", run)
    assert (again.exit_code, again.stdout) == (1, f"{run}  waits for no approval (any more)\n")


def test_a_person_at_a_terminal_is_asked_once_more(ask, within, wanting, monkeypatch):
    run = wanting()
    monkeypatch.setattr(selection, "_is_terminal", lambda: True)
    assert ask("approve", run, input="n\n").exit_code == 1
    assert within(claimed) == []
    assert ask("approve", run, input="y\n").exit_code == 0
    assert within(claimed) == [run]
    assert ask("approve", wanting(), "--yes").exit_code == 0


@pytest.mark.parametrize("answer", ["", "n\n", "y\n"])
def test_without_a_terminal_nothing_is_approved_that_nobody_said_yes_to(ask, within, wanting, answer):
    run = wanting()
    told = ask("approve", run, input=answer)
    assert (told.exit_code, told.stdout) == (2, "")
    assert "nothing was done" in told.stderr
    assert "--digest DIGEST" in told.stderr
    assert within(claimed) == []
    assert [each["run"] for each in json.loads(ask("approvals", "--json").stdout)] == [run]


def test_a_digest_of_something_else_approves_nothing(ask, within, wanting):
    run = wanting()
    told = ask("approve", run, "--digest", "0" * 32, "--json")
    assert (told.exit_code, json.loads(told.stdout)) == (1, {"run": run, "verdict": "changed"})
    assert within(claimed) == []
    [seen] = json.loads(ask("approvals", "--json").stdout)
    assert ask("approve", run, "--digest", seen["digest"]).exit_code == 0


def test_what_comes_to_wait_a_moment_after_it_was_looked_for_is_not_approved_unseen(
    ask, within, wanting, monkeypatch
):
    async def nothing_yet(run: str) -> None:
        """What the command sees if the run begins to wait just then."""

    run = wanting()
    monkeypatch.setattr(approvals, "_wanted_of", nothing_yet)
    assert ask("approve", run).stdout == f"{run}  asks for something else by now: look at it again\n"
    assert within(claimed) == []


def test_denying_tells_the_model_why_and_the_audit_who(ask, within, wanting):
    run = wanting()
    told = ask("deny", run, "--reason", "too much", "--by", "bob")
    assert (told.exit_code, told.stdout) == (0, f"{run}  denied\n")
    ended = within(lambda umbel: umbel.wait(run))
    assert "too much" in ended.result["error"]
    lines = [json.loads(line) for line in ask("audit", run, "--jsonl").stdout.splitlines()]
    assert [(line["what"], line.get("by")) for line in lines if line["what"] in {"asked", "deny"}] == [
        ("asked", "ann"),
        ("deny", "bob"),
    ]


def test_a_denial_can_do_without_a_reason(ask, wanting):
    run = wanting()
    assert ask("deny", run).exit_code == 0
    assert "denied by a person" in ask("show", run).stdout


@pytest.mark.parametrize("reason", [["--reason", ""], ["--reason", " "]])
def test_a_reason_that_says_nothing_is_none(ask, wanting, reason):
    run = wanting()
    assert ask("deny", run, *reason).exit_code == 2
    assert "blocked" in ask("show", run).stdout


def test_without_a_name_it_is_whoever_is_logged_in(ask, wanting, monkeypatch):
    monkeypatch.setenv("LOGNAME", "dora")
    run = wanting()
    ask("approve", run, "--yes")
    assert "by dora" in ask("audit", run).stdout


@pytest.mark.parametrize("id", ["turn_a1", "oops"])
def test_what_is_no_run_is_an_error_in_one_line(ask, id):  # noqa: A002
    for command in (["approve", id], ["deny", id, "--reason", "no"]):
        told = ask(*command)
        assert told.exit_code == 65
        assert told.stderr.count("\n") == 1


def test_what_is_not_there_is_said(ask):
    assert ask("approve", "run_nobody").stdout == "run_nobody  no such run\n"


def test_show_says_that_a_person_is_waited_for(ask, wanting):
    run = wanting()
    text = ask("show", run).stdout
    assert "a person's approval (it expires in 60" in text
    assert "the run before it" not in text
    ask("approve", run, "--yes")
    assert "approval       given" in ask("show", run).stdout


@pytest.mark.parametrize("end", ["deny", "cancel"])
def test_what_has_ended_waits_for_nobody(ask, wanting, end):
    run = wanting()
    assert ask(end, run, *(["--reason", "no"] if end == "deny" else [])).exit_code == 0
    assert "approval" not in ask("show", run).stdout
    assert "waits for" not in ask("show", run).stdout


def test_a_turn_says_of_an_ended_call_how_it_ended_and_not_what_it_waited_for(ask, within):
    async def post(umbel: Umbel) -> tuple[str, str]:
        reply = {"role": "assistant", "content": '{"action": "PAY", "parameters": {"amount": 5}}'}
        posted = await umbel.post_reply(await umbel.open_conversation(), reply)
        return posted.turn, posted.runs[0]

    turn, run = within(post)
    assert f"{run}  PAY  blocked for a person's approval" in ask("show", turn).stdout
    ask("deny", run, "--reason", "no")
    assert f"  {run}  PAY  denied\n" in ask("show", turn).stdout


def test_the_audit_says_of_a_word_that_came_too_late_that_it_did_nothing(ask, wanting):
    run = wanting()
    ask("approve", run, "--digest", "0" * 32, "--by", "eve")
    ask("deny", run, "--reason", "no", "--by", "bob")
    ask("approve", run, "--by", "kim")
    told = [line.partition("  by ")[2] for line in ask("audit", run).stdout.splitlines() if "  by " in line]
    assert [line for line in told if line.startswith("eve  not done: ")]
    assert [line for line in told if line.startswith("bob  denied")]
    assert [line for line in told if line.startswith("kim  not done: ")]
    assert "digest=-" not in "".join(told)
