"""Plans: named steps, their phases, and what cannot be run (Jido's E13)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from orchestrator.plans import Plan, PlanError, Step


def test_steps_stand_in_phases_by_how_deep_they_depend():
    plan = Plan([
        Step("last", "D", depends_on=["left", "right"]),
        Step("left", "B", depends_on="first"),
        Step("first", "A"),
        Step("right", "C", depends_on="first"),
        Step("alone", "E"),
    ])  # fmt: skip
    assert plan.phases() == [["first", "alone"], ["left", "right"], ["last"]]
    assert [call.step for call in plan.calls()] == ["first", "alone", "left", "right", "last"]
    assert Plan().phases() == []


def test_dependencies_are_one_or_many_merged_and_each_once():
    plan = Plan().add("a", "A").add("b", "B").add("c", "C", depends_on=["a", "a"]).depends_on("c", ["b", "a"])
    assert plan.steps[2].depends_on == ("a", "b")
    assert plan.phases() == [["a", "b"], ["c"]]


def test_a_plan_is_a_value():
    plan = Plan([Step("a", "A")])
    assert plan.add("b", "B") != plan
    assert len(plan.steps) == 1


def test_taking_a_result_is_depending_on_it():
    plan = Plan([Step("b", "B", uses={"value": "a.items.0"}), Step("a", "A")])
    assert plan.phases() == [["a"], ["b"]]
    call = plan.calls()[1]
    assert (call.name, call.uses, call.depends_on) == ("B", {"value": "a.items.0"}, ())


def test_unknown_dependencies_are_told_with_a_map_and_the_steps_there_are():
    plan = Plan([Step("a", "A", depends_on=["x", "b"]), Step("b", "B", uses={"v": "y.z"})])
    with pytest.raises(
        PlanError, match="a depends on x; b depends on y: no such steps; there are a, b"
    ) as caught:
        plan.phases()
    assert caught.value.unknown == {"a": ["x"], "b": ["y"]}
    assert caught.value.available == ["a", "b"]


def test_a_circle_is_told_with_its_path():
    plan = Plan(
        [Step("a", "A", depends_on="c"), Step("b", "B", depends_on="a"), Step("c", "C", depends_on="b")]
    )
    with pytest.raises(PlanError, match="a -> c -> b -> a") as caught:
        plan.calls()
    assert caught.value.path == ["a", "c", "b", "a"]
    with pytest.raises(PlanError, match="a -> a"):
        Plan([Step("a", "A", depends_on="a")]).check()


def test_a_name_that_stands_twice_is_refused():
    with pytest.raises(PlanError, match="a stand"):
        Plan([Step("a", "A")]).add("a", "B")
    with pytest.raises(PlanError, match="there is no step 'z'"):
        Plan([Step("a", "A")]).depends_on("z", "a")


@pytest.mark.parametrize("name", ["", "a.b", "1st", "x" * 65, None])
def test_a_step_needs_a_name_that_can_be_spoken_of(name):
    with pytest.raises(PlanError):
        Step(name, "A")


@given(some.dictionaries(some.integers(0, 9), some.lists(some.integers(0, 9), max_size=3), max_size=8))
def test_every_plan_has_phases_or_says_why_not(wishes):
    plan = Plan(
        [Step(f"s{at}", "A", depends_on=[f"s{each}" for each in wish]) for at, wish in wishes.items()]
    )
    try:
        phases = plan.phases()
    except PlanError as error:
        told = error.unknown or error.path
        assert told
        return
    depth = {name: at for at, phase in enumerate(phases) for name in phase}
    assert len(depth) == len(wishes)
    for step in plan.steps:
        assert all(depth[name] < depth[step.name] for name in step.needs)
        assert depth[step.name] == max((depth[name] + 1 for name in step.needs), default=0)
