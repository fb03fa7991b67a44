"""The checker sees each kind of damage, and none where there is none."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from faults.case import Asked, Case, Record, Talk
from faults.checker import judge
from faults.history import Entry, How

LOCK = (("desk", 1),)
LIMIT = (("door", 2, 1_000),)
SECOND = 1_000_000


class Story:
    """A history as it is told: each start and end stands where it is written."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.ms = 1_000

    def start(self, run: str, fence: int | None = None, **held: Any) -> int:
        self.ms += 10
        made = self.ms * 1_000 - 500 if fence is None else fence
        self.entries.append(Entry(len(self.entries), self.ms, "start", run, made, 1, 100, **held))
        return made

    def end(self, run: str, fence: int, how: How = "ok") -> None:
        self.ms += 10
        self.entries.append(Entry(len(self.entries), self.ms, "end", run, fence, 1, 100, how))

    def once(self, run: str, **held: Any) -> int:
        fence = self.start(run, **held)
        self.end(run, fence)
        return fence

    def case(self, **results: int) -> Case:
        """A case in which these runs succeeded with the result of these fences."""
        records = {run: Record("succeeded", said(run, fence)) for run, fence in results.items()}
        told = {run: [(record.status, record.result or "")] for run, record in records.items()}
        asked = [Asked(run, run) for run in results]
        return Case(asked, records, self.entries, told, every_end_told=True, listens_to=frozenset(results))


def said(tag: str, fence: int) -> str:
    return json.dumps({"tag": tag, "fence": fence})


def rules(case: Case) -> list[str]:
    return [finding.rule for finding in judge(case)]


def one(**changes: Any) -> Case:
    story = Story()
    case = story.case(a=story.once("a"))
    return replace(case, **changes)


def test_where_all_is_well_nothing_is_found() -> None:
    assert rules(one()) == []


def test_a_run_without_a_record_is_lost() -> None:
    assert rules(one(records={"a": None})) == ["lost"]


def test_a_run_that_has_not_ended_is_lost() -> None:
    assert "lost" in rules(one(records={"a": Record("waiting", None)}, told={}, every_end_told=False))


def test_an_innocent_may_not_be_dead_and_a_poison_has_to_be() -> None:
    dead = {"a": Record("dead", "{}")}
    told = {"a": [("dead", "{}")]}
    assert rules(one(records=dead, told=told)) == ["ending"]
    assert rules(one(records=dead, told=told, asked=[Asked("a", "a", frozenset({"dead"}))])) == []
    assert rules(one(asked=[Asked("a", "a", frozenset({"dead"}))])) == ["ending"]


def test_a_result_of_another_run_is_seen() -> None:
    assert rules(one(asked=[Asked("a", "b")])) == ["ending"]


def test_an_end_that_is_told_twice_changes_or_is_not_told_is_seen() -> None:
    case = one()
    end = case.told["a"][0]
    assert rules(replace(case, told={"a": [end, end]})) == ["doubled"]
    assert rules(replace(case, told={"a": [("failed", "{}")]})) == ["doubled"]
    assert rules(replace(case, told={})) == ["doubled"]
    assert rules(replace(case, told={}, every_end_told=False)) == []


def test_an_effect_that_was_applied_twice_is_seen() -> None:
    assert rules(one(talks=[Talk("conv", (), (), ("a", "a"))])) == ["doubled"]
    assert rules(one(talks=[Talk("conv", (), (), ("a", "b"))])) == []


def test_a_late_finish_under_an_older_fence_is_seen() -> None:
    story = Story()
    old = story.start("a")
    new = story.start("a")
    story.end("a", old)
    story.end("a", new)
    assert rules(story.case(a=old)) == ["stale"]
    assert rules(story.case(a=new)) == []


def test_a_run_that_begins_again_after_its_end_is_seen() -> None:
    story = Story()
    first = story.once("a")
    story.once("a")
    assert rules(story.case(a=first)) == ["stale"]


def test_a_run_that_two_start_under_one_claim_is_seen() -> None:
    story = Story()
    fence = story.once("a")
    story.start("a", fence)
    assert rules(story.case(a=fence)) == ["stale"]


def test_what_may_not_begin_twice_is_seen_to() -> None:
    story = Story()
    story.start("a")
    case = story.case(a=story.once("a"))
    always = replace(case, asked=[Asked("a", "a", once="always")])
    in_touch = replace(case, asked=[Asked("a", "a", once="in touch")])
    assert rules(case) == []
    assert rules(always) == rules(in_touch) == ["once"]
    assert rules(replace(always, out_of_touch=True)) == ["once"]
    assert rules(replace(in_touch, out_of_touch=True)) == []


def test_a_limit_counts_claims_in_every_window() -> None:
    story = Story()
    fences = [story.start(run, at, limits=LIMIT) for run, at in zip("abc", (0, 900_000, SECOND), strict=True)]
    assert rules(story.case(**dict(zip("abc", fences, strict=True)))) == []
    story.start("d", SECOND + 899_999, limits=LIMIT)
    assert [finding.what for finding in judge(story.case(**dict(zip("abc", fences, strict=True))))] == [
        "door let 3 starts through in 1.000 s from 900000"
    ]


def test_two_limits_do_not_count_together() -> None:
    story = Story()
    for run, key in zip("abcd", "xyxy", strict=True):
        story.start(run, ord(run), limits=((key, 2, 1_000),))
    assert rules(story.case()) == []


def test_holders_of_a_lock_that_overlap_are_seen() -> None:
    story = Story()
    a = story.start("a", locks=LOCK)
    b = story.start("b", locks=LOCK)
    story.end("a", a)
    story.end("b", b)
    assert rules(story.case(a=a, b=b)) == ["lock"]


def test_holders_of_a_lock_one_after_another_are_well() -> None:
    story = Story()
    assert rules(story.case(a=story.once("a", locks=LOCK), b=story.once("b", locks=LOCK))) == []


def test_a_lock_that_is_given_before_the_one_before_has_ended_is_seen_although_its_handler_starts_later() -> (
    None
):
    story = Story()
    a = story.start("a", locks=LOCK)
    story.ms += 50
    early = story.ms * 1_000
    story.ms += 50
    story.end("a", a)
    b = story.start("b", early, locks=LOCK)
    story.end("b", b)
    assert rules(story.case(a=a, b=b)) == ["lock"]


def test_a_handler_whose_run_was_taken_over_may_go_on_beside_the_next_holder() -> None:
    story = Story()
    lost = story.start("a", locks=LOCK)
    again = story.once("a", locks=LOCK)
    b = story.start("b", locks=LOCK)
    story.end("a", lost)
    story.end("b", b)
    assert rules(story.case(a=again, b=b)) == []


def test_an_attempt_that_is_to_be_tried_again_holds_its_lock_until_it_ends() -> None:
    story = Story()
    first = story.start("a", locks=LOCK)
    b = story.start("b", locks=LOCK)
    story.end("a", first, "again")
    story.end("b", b)
    second = story.once("a", locks=LOCK)
    assert rules(story.case(a=second, b=b)) == ["lock"]


def test_what_a_stopped_process_held_may_be_given_to_others() -> None:
    story = Story()
    a = story.start("a", locks=LOCK)
    b = story.start("b", locks=LOCK)
    story.end("b", b)
    story.end("a", a)
    case = story.case(a=a, b=b)
    assert rules(case) == ["lock"]
    stopped = story.entries[0].at_ms + 1
    assert rules(replace(case, stopped=[(100, stopped)])) == []
    assert rules(replace(case, stopped=[(100, stopped + 1_000), (101, stopped)])) == ["lock"]


def test_a_hand_back_is_no_death() -> None:
    case = one()
    died = replace(case, records={"a": replace(case.records["a"], deaths=1)})
    assert rules(died) == []
    assert rules(replace(died, nobody_died=True)) == ["death"]


def test_a_lock_with_two_places_takes_two() -> None:
    story = Story()
    fences = {run: story.start(run, locks=(("desk", 2),)) for run in "ab"}
    assert rules(_ended(story, fences)) == []
    story = Story()
    fences = {run: story.start(run, locks=(("desk", 2),)) for run in "abc"}
    assert rules(_ended(story, fences)) == ["lock"]


def _ended(story: Story, fences: dict[str, int]) -> Case:
    for run, fence in fences.items():
        story.end(run, fence)
    return story.case(**fences)


def talk(*messages: tuple[str, str], run: str = "a") -> Talk:
    told = [{"role": "tool", "tool_call_id": call, "content": text} for call, text in messages]
    return Talk("conv", ((("call_a", run), ("call_b", "b")),), [{"role": "assistant"}, *told], ())


def test_the_results_of_a_reply_stand_behind_it_in_call_order_and_once() -> None:
    story = Story()
    case = story.case(a=story.once("a"), b=story.once("b"))
    of_a, of_b = (("call_" + run, case.records[run].result) for run in "ab")
    assert rules(replace(case, talks=[talk(of_a, of_b)])) == []
    for wrong in ([of_b, of_a], [of_a], [of_a, of_b, of_b], [of_a, ("call_b", of_a[1])], []):
        assert rules(replace(case, talks=[talk(*wrong)])) == ["messages"], wrong


def test_a_key_without_an_end_is_seen() -> None:
    assert rules(one(endless=["r:run_a1"])) == ["endless"]
