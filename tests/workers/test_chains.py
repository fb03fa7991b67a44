"""Chains, undo, on_error, hooks, approvals and follow-ups on a real worker."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic_core import from_json

from chains_under_test import MODULE
from guarded_under_test import notes
from workers_under_test import eventually

if TYPE_CHECKING:
    from orchestrator.assembly import House
    from orchestrator.settings import Settings

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def shared_settings(valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    from orchestrator.settings import Settings

    name = f"t{secrets.token_hex(6)}"
    quick = {"lease_ms": 1_200, "renew_ms": 300, "tick_ms": 200, "linger_ms": 1_000}
    given = {
        "result_cap": 16_384,
        "redis_url": valkey,
        "home": tmp_path_factory.mktemp("home"),
        "namespace": name,
        "actions": [MODULE],
    }
    return Settings.model_validate({**given, **quick, "celery_prefix": f"{name}:"})


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "notes")


@pytest.fixture
def stuck(file: str) -> Path:
    """A file; while it is there an undo fails."""
    path = Path(f"{file}.stuck")
    path.touch()
    return path


def loosen(stuck: Path) -> None:
    """Let the undo succeed."""
    stuck.unlink()


def reply(*calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    actions = [{"name": name, "params": params} for name, params in calls]
    return {"role": "assistant", "content": json.dumps({"actions": actions})}


class Turn:
    """One posted reply, with its end."""

    def __init__(self, house: House, conversation: str, posted: Any, status: str) -> None:
        self.house, self.conversation, self.runs, self.status = house, conversation, posted.runs, status

    async def views(self) -> list[Any]:
        return await self.house.store.runs.read_all(self.runs)

    async def told(self) -> list[Any]:
        """What the model was told of each call."""
        return [from_json(view.told or view.result) for view in await self.views()]

    async def context(self) -> dict[str, Any]:
        record = await self.house.store.conversations.read(self.conversation)
        return {key: from_json(value) for key, value in record.context.items()}


async def post(house: House, *calls: tuple[str, dict[str, Any]], mode: Any = "chain", **more: Any) -> Turn:
    conversation = more.pop("conversation", None) or await house.conductor.open_conversation()
    posted = await house.conductor.post_reply(conversation, reply(*calls), mode=mode, **more)
    status = await house.conductor.wait_for_turn(posted.turn)
    return Turn(house, conversation, posted, status)


def step(file: str, name: str, how: str = "", action: str = "STEP") -> tuple[str, dict[str, Any]]:
    return action, {"file": file, "name": name} | ({"how": how} if how else {})


# Chains


async def test_a_chain_that_fails_is_undone_in_reverse(house: House, file: str) -> None:
    turn = await post(house, step(file, "a"), step(file, "b"), step(file, "c", "fail"), step(file, "d"))
    assert notes(file) == ["a", "b", "c", "undo-b", "undo-a"]
    views = await turn.views()
    assert [view.status for view in views] == ["succeeded", "succeeded", "failed", "refused"]
    assert [view.undo for view in views] == ["undone", "undone", None, None]
    assert [told["code"] for told in await turn.told()] == ["undone", "undone", "handler_failed", "not_run"]
    assert await turn.context() == {"did.a": False, "did.b": False}  # directives of an undo apply


async def test_a_chain_undoes_nothing_for_an_error_that_is_tried_again(house: House, file: str) -> None:
    turn = await post(house, step(file, "a"), step(file, "b", "surprise"))
    assert notes(file) == ["a", "b", "b", "b", "undo-a"]
    assert (await turn.views())[1].attempts == 3


async def test_a_cancelled_chain_is_undone_too(house: House, file: str) -> None:
    """The step that was stopped as well: nobody knows whether it took effect."""
    conversation = await house.conductor.open_conversation()
    calls = (step(file, "a"), ("UNCERTAIN_FOR_LONG", {"file": file, "name": "b"}), step(file, "c"))
    posted = await house.conductor.post_reply(conversation, reply(*calls), mode="chain")
    await eventually(lambda: notes(file) == ["a", "b"])
    assert await house.conductor.cancel(posted.turn) == "cancelling"
    assert await house.conductor.wait_for_turn(posted.turn) == "cancelled"
    assert notes(file) == ["a", "b", "undo-b-without-receipt", "undo-a"]
    views = await house.store.runs.read_all(posted.runs)
    assert [view and (view.status, view.undo) for view in views] == [
        ("succeeded", "undone"), ("cancelled", "undone"), ("cancelled", None),
    ]  # fmt: skip


async def test_a_step_takes_its_arguments_from_another_one(house: House, file: str) -> None:
    turn = await post(house, step(file, "a"), ("NEXT_STEP", {"file": file}), step(file, "z", "fail"))
    assert notes(file) == ["a", "a", "z", "undo-a", "undo-a"]
    assert (await turn.views())[1].undo == "undone"


async def test_results_are_merged_into_what_a_call_leaves_out(house: House, file: str) -> None:
    turn = await post(house, ("CHOOSE", {}), ("STEP", {"file": file}), step(file, "own"), merge=True)
    assert [view.status for view in await turn.views()] == ["succeeded"] * 3
    assert notes(file) == ["chosen", "own"]


async def test_isolated_steps_are_undone_in_processes_of_their_own(house: House, file: str) -> None:
    await post(house, step(file, "a", action="STEP_IN_A_PROCESS"), step(file, "b", "fail"))
    assert notes(file) == ["a", "b", "undo-a-in-another"]


@pytest.mark.parametrize("how", ["surprise", "sleep", "fail"])
async def test_the_failing_step_is_undone_first_if_nobody_knows_its_effect(
    house: House, file: str, how: str
) -> None:
    turn = await post(house, step(file, "a"), step(file, "b", how, "UNCERTAIN"))
    undone = [] if how == "fail" else ["undo-b-without-receipt"]
    assert notes(file) == ["a", "b", *undone, "undo-a"]
    assert (await turn.views())[1].undo == ("undone" if undone else None)


async def test_a_step_that_its_check_spoke_for_is_undone_with_that_receipt(house: House, file: str) -> None:
    turn = await post(house, step(file, "a", action="CHECKED_STEP"), step(file, "b", "fail"))
    assert notes(file) == ["a", "check-a", "b", "undo-checked-a"]
    assert [view.undo for view in await turn.views()] == ["undone", None]


async def test_an_undo_gets_the_arguments_that_the_hooks_left(house: House, file: str) -> None:
    await post(house, step(file, "a", action="HOOKED_STEP"), step(file, "b", "fail"))
    assert notes(file) == ["before_validate", "hooked-a", "b", "undo-hooked-a"]


async def test_an_undo_gets_the_arguments_that_the_preprocessor_left(house: House, file: str) -> None:
    await post(house, step(file, "a", action="PREPARED_STEP"), step(file, "b", "fail"))
    assert notes(file) == ["prepared-a", "b", "undo-prepared-a"]


async def test_a_receipt_that_was_cut_is_given_to_no_undo(house: House, file: str) -> None:
    turn = await post(house, step(file, "a", action="LONG_STEP"), step(file, "b", "fail"))
    assert notes(file) == ["a", "b"]
    view = (await turn.views())[0]
    assert (view.undo, from_json(view.undo_error)["code"]) == ("failed", "handler_failed")
    assert "too long to be kept whole" in from_json(view.undo_error)["error"]


async def test_an_undo_that_failed_rests_and_can_be_tried_again(house: House, file: str, stuck: Path) -> None:
    turn = await post(house, step(file, "a"), step(file, "b", action="UNDONE_LATE"), step(file, "c", "fail"))
    assert notes(file) == ["a", "b", "c", "undo-b-1", "undo-b-2"]
    views = await turn.views()
    assert [view.undo for view in views] == ["pending", "failed", None]
    assert from_json(views[1].undo_error)["error"] == "its undo failed with OSError"
    loosen(stuck)
    assert await house.conductor.retry_undo(turn.runs[1], by="ada") == "retried"

    async def is_done() -> bool:
        return [view.undo for view in await turn.views()] == ["undone", "undone", None]

    await eventually(is_done)
    assert notes(file)[5:] == ["undo-b-1", "undo-a"]


async def test_follow_ups_of_a_step_are_undone_before_it(house: House, file: str) -> None:
    turn = await post(house, ("ANNOUNCED", {"file": file}), step(file, "b"), step(file, "c", "fail"))
    assert (await turn.views())[0].undo == "undone"
    # One of the follow-ups is refused: that is no success, and the chain stops there.
    assert notes(file) == ["followed", "undo-followed", "undo-announced"]


# One action alone


@pytest.mark.parametrize(
    ("name", "how", "runs"),
    [
        ("MADE_GOOD", "fail", 1),
        ("MADE_GOOD", "surprise", 3),
        ("MADE_GOOD", "twice", 3),
        ("MADE_GOOD_APART", "twice", 2),
    ],
)
async def test_on_error_is_called_once_after_the_last_attempt(
    house: House, file: str, name: str, how: str, runs: int
) -> None:
    ended = await house.conductor.call(name, {"file": file, "how": how})
    assert notes(file) == [*(f"run-{n}" for n in range(1, runs + 1)), "on_error-handler_failed"]
    assert (ended.status, ended.result["compensated"]) == ("failed", how != "twice")
    assert ended.result.get("compensation_error") == ("that too" if how == "twice" else None)


async def test_directives_of_an_on_error_apply(house: House, file: str) -> None:
    turn = await post(house, ("MADE_GOOD", {"file": file, "how": "fail"}), mode="all")
    assert (await turn.told())[0]["compensated"] is True
    assert await turn.context() == {"made_good": True}


async def test_on_error_makes_good_what_a_cancel_left(house: House, file: str) -> None:
    run = await house.conductor.submit("MADE_GOOD_IN_THE_MIDDLE", {"file": file})
    await eventually(lambda: notes(file) == ["began"])
    await house.conductor.cancel(run)
    ended = await house.conductor.wait(run)
    assert (ended.status, ended.result["compensated"]) == ("cancelled", True)
    assert notes(file) == ["began", "on_error-cancelled"]


async def test_on_error_makes_good_what_a_killed_process_left(house: House, file: str) -> None:
    ended = await house.conductor.call("MADE_GOOD_APART", {"file": file, "how": "die"})
    assert notes(file)[-1] == "on_error-handler_killed"
    assert (ended.status, ended.result["compensated"]) == ("failed", True)


@pytest.mark.parametrize("name", ["HOOKED", "HOOKED_APART"])
async def test_argument_hooks_run_once_for_all_attempts(house: House, file: str, name: str) -> None:
    ended = await house.conductor.call(name, {"file": file, "word": "w"})
    assert (ended.status, ended.result) == ("succeeded", "hooked-w-seen")
    assert notes(file) == ["before_validate", "run-hooked-w", "run-hooked-w", "run-hooked-w"]


@pytest.mark.parametrize(("name", "does"), [("DANGEROUS", "spent"), ("PAYS", "paid")])
async def test_a_worker_asks_for_an_approval_of_what_hooks_and_preprocessor_left(
    house: House, name: str, does: str
) -> None:
    run = await house.conductor.submit(name, {"amount": 5})

    async def asked() -> Any:
        return await house.conductor.wanted_of(run)

    wanted: Any = await eventually(asked)
    assert wanted.arguments == {"amount": 500}
    await house.conductor.approve(run, by="ada", digest=wanted.digest)
    ended = await house.conductor.wait(run)
    assert (ended.status, ended.result) == ("succeeded", f"{does} 500")


@pytest.mark.parametrize("key", ["file", "path"], ids=["fit", "misfit"])
async def test_an_isolated_run_is_hooked_approved_and_followed_up_like_any(
    house: House, file: str, key: str
) -> None:
    """Its hook also makes fit what would not have been valid."""
    run = await house.conductor.submit("ANNOUNCED_APART", {key: file})

    async def asked() -> Any:
        return await house.conductor.wanted_of(run)

    wanted: Any = await eventually(asked)
    await house.conductor.approve(run, by="ada", digest=wanted.digest)
    ended = await house.conductor.wait(run)
    assert (ended.status, ended.result["result"]) == ("succeeded", "announced")
    assert notes(file) == ["followed"]


async def test_follow_ups_stand_inside_the_result(house: House, file: str) -> None:
    turn = await post(house, ("ANNOUNCED", {"file": file}), mode="all")
    (told,) = await turn.told()
    assert told["result"] == "announced"
    told_of = [(each["action"], each["status"]) for each in told["follow_ups"]]
    assert told_of == [("STEP", "succeeded"), ("NO_SUCH_ACTION", "refused")]
    assert notes(file) == ["followed"]


async def test_a_call_takes_its_value_from_one_that_joined_a_run_with_follow_ups(
    house: House, file: str
) -> None:
    await post(house, ("SHARED", {"file": file}))
    turn = await post(house, ("SHARED", {"file": file}), ("TAKES_SHARED", {"file": file}))
    assert [view.status for view in await turn.views()] == ["succeeded"] * 2
    assert notes(file) == ["followed", "eve"]


async def test_an_action_remembers_in_its_conversation(house: House) -> None:
    first = await post(house, ("COUNTED", {}), mode="all")
    second = await post(house, ("COUNTED", {}), mode="all", conversation=first.conversation)
    assert (await first.told(), await second.told()) == ([1], [2])


async def test_a_stop_ends_the_turn_and_what_waits_in_it(house: House, file: str) -> None:
    turn = await post(house, ("CRITICAL", {}), step(file, "a"), mode="sequence")
    assert [view.status for view in await turn.views()] == ["failed", "cancelled"]
    assert turn.status == "failed"
    assert (notes(file), await turn.context()) == ([], {"closed": True})
