"""Workflows: values flow from node to node, branches take one way, parallel parts bound what runs at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from actions.errors import DeclarationError
from orchestrator.workflows import Workflow, branch, converge, parallel, step

if TYPE_CHECKING:
    from conftest import Hands
    from umbel import Umbel


def ran(hands: Hands) -> list[str]:
    return [name for _, name, _ in hands.started]


async def test_values_flow_from_step_to_step_under_each_ones_arguments(umbel: Umbel, hands: Hands):
    result = await umbel.run_workflow(
        Workflow(
            [step("one", "MAKE", {"name": "a"}), step("two", "MAKE"), step("three", "ECHO", {"value": 1})]
        ),
        {"size": 1, "other": "stays"},
    )
    assert result.ok
    assert result.values == {"size": 3, "other": "stays", "name": "a", "made_a": True}
    assert [(name, end.value) for name, end in result.steps][2] == ("three", 1)


@pytest.mark.parametrize(("size", "way"), [(1, "small"), (50, "big")])
async def test_a_branch_takes_one_way_and_both_converge(umbel: Umbel, hands: Hands, size: int, way: str):
    workflow = Workflow([
        branch("size", lambda values: values["size"] > 10, [step("big", "MAKE", {"name": "big"})],
               step("small", "MAKE", {"name": "small"})),
        converge("end", "ECHO", {"value": "end"}),
    ])  # fmt: skip
    result = await umbel.run_workflow(workflow, {"size": size})
    assert [name for name, _ in result.steps] == [way, "end"]
    assert result.taken == {"size": size > 10}


async def test_a_way_may_be_empty_and_a_condition_may_be_known(umbel: Umbel, hands: Hands):
    result = await umbel.run_workflow(Workflow([branch("no", False, "PING"), "PING"]))  # noqa: FBT003
    assert result.ok
    assert len(result.steps) == 1


async def test_a_condition_that_breaks_ends_the_workflow(umbel: Umbel, hands: Hands):
    result = await umbel.run_workflow(
        Workflow([branch("size", lambda values: values["nothing"], "PING"), "PING"])
    )
    assert (result.ok, result.failed) == (False, "size")
    assert result.error is not None
    assert result.error["code"] == "condition_failed"
    assert hands.started == []


async def test_the_first_failure_ends_it(umbel: Umbel, hands: Hands):
    result = await umbel.run_workflow(Workflow(["PING", step("bad", "REFUSE_IT", {"why": "no"}), "PING"]))
    assert (result.failed, result.error) == ("bad", {"error": "no", "code": "handler_failed"})
    assert ran(hands) == ["PING", "REFUSE_IT"]


async def test_a_parallel_part_bounds_how_many_run_and_keeps_errors_as_entries(umbel: Umbel, hands: Hands):
    tasks: list[Any] = [("WAIT_A_WHILE", {"seconds": 0.05, "value": at}) for at in range(4)]
    tasks.insert(1, ("REFUSE_IT", {"why": "no"}))
    result = await umbel.run_workflow(Workflow([parallel("all", tasks, max_concurrency=2), "PING"]))
    assert result.ok
    assert result.values["all"] == [0, {"error": "no", "code": "handler_failed"}, 1, 2, 3]
    assert hands.most == 2


async def test_a_parallel_part_may_fail_with_its_first_failure(umbel: Umbel, hands: Hands):
    tasks = [("REFUSE_IT", {"why": "no"}), ("WAIT_A_WHILE", {"seconds": 20})]
    result = await umbel.run_workflow(Workflow([parallel("all", tasks, fail_on_error=True), "PING"]))
    assert (result.failed, result.error) == ("all", {"error": "no", "code": "handler_failed"})
    assert [end.status for _, end in result.steps] == ["failed", "cancelled"]


async def test_a_task_has_its_time_and_none_of_its_own_by_default(umbel: Umbel, hands: Hands):
    tasks = [("WAIT_A_WHILE", {"seconds": 5})]
    result = await umbel.run_workflow(Workflow([parallel("slow", tasks, timeout="50ms")]))
    assert result.values["slow"][0]["code"] == "timed_out"
    assert parallel("x", tasks).timeout is None


async def test_no_tasks_are_no_results(umbel: Umbel):
    assert (await umbel.run_workflow(Workflow([parallel()]))).values == {"parallel_results": []}


async def test_with_a_key_it_goes_on_where_it_stopped(umbel: Umbel, hands: Hands):
    made = step("one", "MAKE", {"name": "a"})
    assert (await umbel.run_workflow(Workflow([made]), key="k")).ok
    result = await umbel.run_workflow(Workflow([made, step("two", "PING")]), key="k")
    assert result.ok
    assert ran(hands) == ["MAKE", "PING"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Workflow([step("a", "PING"), branch("b", True, [step("a", "PING")])]),  # noqa: FBT003
        lambda: Workflow([7]),  # type: ignore[list-item]
        lambda: step("", "PING"),
        lambda: step("a", ("PING", {}, {"principal": "eve"})),
        lambda: branch("b", "yes", "PING"),  # type: ignore[arg-type]
        lambda: parallel("p", ["PING"], max_concurrency=0),
        lambda: parallel("p", ["PING"], timeout="soon"),
        lambda: parallel("p", [["PING"]]),
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_written(make: Any):
    with pytest.raises(DeclarationError):
        make()


async def test_params_need_a_json_form(umbel: Umbel):
    with pytest.raises(DeclarationError, match="JSON"):
        await umbel.run_workflow(Workflow([]), {"x": object()})
