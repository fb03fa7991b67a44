"""The guide to chains, on a real worker: its own actions, beside a server that notes what they ask of it."""

from __future__ import annotations

import json
import re
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from outside_under_test import Outside
from workers_under_test import eventually, settings_of, start_worker

if TYPE_CHECKING:
    from orchestrator.settings import Settings
    from umbel import Umbel

pytestmark = pytest.mark.processes

GUIDE = (Path(__file__).parent.parent.parent / "docs" / "chains.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    server = Outside()
    yield server
    server.close()


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory, outside: Outside) -> Iterator[tuple[str, Path]]:
    """The code of the guide as a module that workers import; its https addresses are the server beside it."""
    folder = tmp_path_factory.mktemp("guide")
    name = f"guide_{secrets.token_hex(4)}"
    (folder / f"{name}.py").write_text("\n".join(PYTHON).replace("https:/", outside.url))
    sys.path.insert(0, str(folder))
    yield name, folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def guide_settings(
    valkey: str, tmp_path_factory: pytest.TempPathFactory, module: tuple[str, Path]
) -> Iterator[Settings]:
    made = settings_of(valkey, tmp_path_factory.mktemp("home"), module[0])
    with start_worker(made, extra_path=module[1]):
        yield made


@pytest.fixture
async def umbel(guide_settings: Settings, outside: Outside) -> AsyncIterator[Umbel]:
    from umbel import Umbel

    outside.asked.clear()
    outside.status = 200
    async with Umbel(guide_settings) as made:
        yield made


def reply(*calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    tools = [
        {"id": f"c{at}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for at, (name, arguments) in enumerate(calls)
    ]
    return {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": tools}}]}


async def told(
    umbel: Umbel, *calls: tuple[str, dict[str, Any]], conversation: str | None = None
) -> list[str]:
    """Post a reply, wait for its end, and return the results as the model reads them."""
    where = conversation or await umbel.open_conversation(principal="ada")
    posted = await umbel.post_reply(where, reply(*calls))
    assert await umbel.wait_for_turn(posted.turn) == "done"
    return [message["content"] for message in (await umbel.messages(where))[-len(calls) :]]


async def test_a_chain_that_fails_says_what_the_guide_says(umbel: Umbel, outside: Outside) -> None:
    results = await told(umbel, ("RESERVE_ROOM", {"hotel": "Sun"}), ("CHARGE_CARD", {"amount": 2_000}))
    shown = dict(re.findall(r"^(RESERVE_ROOM|CHARGE_CARD) +(\{.*\})$", GUIDE, flags=re.MULTILINE))
    assert results == [shown["RESERVE_ROOM"], shown["CHARGE_CARD"]]
    assert outside.asked == [("DELETE", "hotels")]


async def test_a_chain_that_succeeds_passes_results_on_and_undoes_nothing(
    umbel: Umbel, outside: Outside
) -> None:
    results = await told(umbel, ("RESERVE_ROOM", {"hotel": "Sun"}), ("CHARGE_CARD", {"amount": 80}))
    room, charge = map(json.loads, results)
    assert charge["for"] == room["reservation"]
    assert outside.asked == []


async def test_one_call_that_cannot_be_refuses_the_whole_chain(umbel: Umbel, outside: Outside) -> None:
    results = await told(umbel, ("RESERVE_ROOM", {"hotel": "Sun"}), ("CHARGE_CARD", {"amount": "much"}))
    assert [json.loads(each)["code"] for each in results] == ["chain_refused", "invalid_arguments"]
    assert "CHARGE_CARD" in json.loads(results[0])["error"]


async def test_what_runs_only_in_a_chain_is_not_submitted_alone(umbel: Umbel) -> None:
    from actions.errors import ChainOnly

    with pytest.raises(ChainOnly):
        await umbel.submit("CHARGE_CARD", {"amount": 80, "reservation": "x"})


async def test_a_dependency_is_waited_for_asked_for_or_remembered(umbel: Umbel) -> None:
    conversation = await umbel.open_conversation()
    account, check = ("OPEN_ACCOUNT", {"customer": "Ada"}), ("CHECK_CREDIT", {"customer": "Ada"})
    (missing,) = await told(umbel, account, conversation=conversation)
    assert json.loads(missing)["code"] == "missing_dependency"
    assert "CHECK_CREDIT" in json.loads(missing)["error"]
    assert await told(umbel, account, check, conversation=conversation) == ['"account of Ada"', "true"]
    assert await told(umbel, account, conversation=conversation) == ['"account of Ada"']


async def test_hooks_on_error_and_stop_do_what_the_guide_says(umbel: Umbel, outside: Outside) -> None:
    published, failed = await told(
        umbel, ("PUBLISH", {"title": "  A ", "text": "b"}), ("PUBLISH", {"title": "C"})
    )
    assert json.loads(published) == {"title": "A", "draft": "draft-1", "by": "ada"}
    error = {"error": "an article needs a text", "code": "handler_failed", "compensated": True}
    assert json.loads(failed) == error
    assert outside.asked == [("DELETE", "press")]
    conversation = await umbel.open_conversation()
    posted = await umbel.post_reply(conversation, reply(("PUBLISH", {"title": "forbidden"})))
    assert await umbel.wait_for_turn(posted.turn) == "failed"


async def test_a_person_approves_exactly_what_is_shown(umbel: Umbel) -> None:
    conversation = await umbel.open_conversation(principal="ada")
    calls = ("WIRE", {"to": "Bob", "amount": 50}), ("WIRE", {"to": "Bob", "amount": "500"})
    posted = await umbel.post_reply(conversation, reply(*calls))

    async def asked() -> Any:
        return await umbel.wanted_of(posted.runs[1])

    wanted = await eventually(asked)
    assert wanted.arguments == {"to": "Bob", "amount": 500}
    assert await umbel.wanted_of(posted.runs[0]) is None
    assert await umbel.approve(posted.runs[1], by="grace", digest="0" * 8) == "changed"
    assert await umbel.approve(posted.runs[1], by="grace", digest=wanted.digest) == "approved"
    assert await umbel.wait_for_turn(posted.turn) == "done"
    results = [message["content"] for message in (await umbel.messages(conversation))[-2:]]
    assert results == ['"50 to Bob"', '"500 to Bob"']


async def test_a_newer_question_takes_the_place_of_an_older_one_and_a_no_has_its_reason(umbel: Umbel) -> None:
    conversation = await umbel.open_conversation(principal="ben")
    posted = await umbel.post_reply(
        conversation, reply(("WIRE", {"to": "Bob", "amount": 500}), ("WIRE", {"to": "Bob", "amount": 600}))
    )

    async def asked() -> Any:
        return await umbel.wanted_of(posted.runs[1])

    await eventually(asked)
    assert await umbel.deny(posted.runs[1], by="grace", reason="too much") == "denied"
    assert await umbel.wait_for_turn(posted.turn) == "done"
    results = [json.loads(message["content"]) for message in (await umbel.messages(conversation))[-2:]]
    assert [each["code"] for each in results] == ["superseded", "denied"]
    assert "too much" in results[1]["error"]


async def test_a_follow_up_stands_in_its_parents_result(umbel: Umbel) -> None:
    (result,) = await told(umbel, ("CLOSE_TICKET", {"ticket": 7}))
    found = json.loads(result)
    assert found["result"] == {"closed": 7}
    (mail,) = found["follow_ups"]
    assert (mail["action"], mail["status"], mail["result"]) == ("SEND_MAIL", "succeeded", "sent")


async def test_a_service_runs_chains_plans_and_workflows(
    umbel: Umbel, guide_settings: Settings, module: tuple[str, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    guide = import_module(module[0])
    booked = await umbel.chain(
        guide.BOOKING, {"customer": "Ada"}, locks="booking:{principal}", principal="ada"
    )
    assert booked.ok, booked.error
    assert booked.value["customer"] == "Ada"
    assert [(each.step, each.status, each.undo) for each in booked.steps] == [
        ("RESERVE_ROOM", "succeeded", None), ("CHARGE_CARD", "succeeded", None),
    ]  # fmt: skip
    planned = await umbel.run_plan(guide.TRIP)
    assert planned.ok, planned.error
    assert planned.results["pay"] == "80 to Sun"
    walked = await umbel.run_workflow(guide.FLOW, {"customer": "Ada"})
    assert walked.ok, walked.error
    assert walked.taken == {"late": True}
    assert walked.values["mails"] == ["sent", "sent"]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in guide_settings.environ().items():
            patch.setenv(name, value)
        await guide.book()
    assert capfd.readouterr().out.startswith("True {")


async def test_a_chain_of_steps_with_follow_ups_has_what_their_handlers_returned(umbel: Umbel) -> None:
    done = await umbel.chain(["CLOSE_TICKET", "SEND_MAIL"], {"ticket": 7})
    assert done.ok, done.error
    assert done.results == {"CLOSE_TICKET": {"closed": 7}, "SEND_MAIL": "sent"}
    assert done.value == {"ticket": 7, "closed": 7}


async def test_a_plan_takes_values_of_steps_with_follow_ups(umbel: Umbel) -> None:
    from umbel import Plan, Step

    steps = [
        Step("close", "CLOSE_TICKET", {"ticket": 7}),
        Step("mail", "SEND_MAIL", uses={"ticket": "close.closed"}),
    ]
    done = await umbel.run_plan(Plan(steps))
    assert done.ok, done.error
    assert done.results == {"close": {"closed": 7}, "mail": "sent"}


async def test_values_of_a_workflow_are_what_handlers_returned(umbel: Umbel) -> None:
    from umbel import Workflow, step

    walked = await umbel.run_workflow(Workflow([step("close", "CLOSE_TICKET")]), {"ticket": 7})
    assert walked.ok, walked.error
    assert walked.values == {"ticket": 7, "closed": 7}


async def test_what_failed_is_run_again_with_other_arguments_and_noted(umbel: Umbel) -> None:
    from orchestrator.dead_calls import Which

    conversation = await umbel.open_conversation()
    await told(umbel, ("PUBLISH", {"title": "Late"}), conversation=conversation)

    async def listed() -> Any:
        return [
            each
            for each in await umbel.dead(Which(actions=("PUBLISH",)))
            if each.conversation == conversation
        ]

    (dead,) = await eventually(listed)
    await umbel.edit(dead.run, {"text": "now"}, by="grace", merge=True)
    again = await umbel.replay(dead.run, by="grace")
    assert (await umbel.wait(again)).status == "succeeded"

    async def noted() -> bool:
        last = (await umbel.messages(conversation))[-1]
        return last.get("name") == "umbel" and "PUBLISH" in last["content"] and "succeeded" in last["content"]

    await eventually(noted)
    assert (await umbel.read(dead.run)).status == "failed"
