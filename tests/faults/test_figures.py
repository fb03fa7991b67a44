"""The figures of the fault tests say what they are said to say."""

from __future__ import annotations

import pytest

from faults.case import Case, Fault, Finding
from faults.figures import measure, recoveries, share
from faults.history import Entry, How


def start(run: str, at_ms: int, fence: int, pid: int = 1) -> Entry:
    return Entry(at_ms, at_ms, "start", run, fence, 1, pid)


def end(run: str, at_ms: int, fence: int, how: How = "ok") -> Entry:
    return Entry(at_ms, at_ms, "end", run, fence, 1, 1, how)


def test_a_killed_attempt_has_recovered_when_the_next_one_starts() -> None:
    entries = [start("a", 1_000, 1), start("a", 4_500, 2, pid=2), end("a", 4_600, 2)]
    assert recoveries(entries, [Fault(2_000, frozenset({1}))]) == ([2.5], 1)


def test_an_attempt_that_was_broken_off_has_recovered_when_the_next_one_starts() -> None:
    entries = [start("a", 1_000, 1), end("a", 1_500, 1, "stopped"), start("a", 1_750, 2), end("a", 1_800, 2)]
    assert recoveries(entries, []) == ([0.25], 1)


def test_a_process_that_ends_by_itself_has_ended_when_it_was_last_heard_of() -> None:
    entries = [start("a", 1_000, 1), start("b", 1_200, 1), start("a", 2_000, 2, 2), start("b", 2_200, 3, 2)]
    assert recoveries(entries, []) == ([0.8, 1.0], 2)


def test_a_retry_is_no_recovery() -> None:
    entries = [start("a", 1_000, 1), end("a", 1_500, 1, "again"), start("a", 1_750, 2), end("a", 1_800, 2)]
    assert recoveries(entries, []) == ([], 0)


def test_where_no_process_is_hurt_the_next_start_at_all_counts() -> None:
    entries = [start("a", 1_000, 1), start("b", 2_700, 2)]
    assert recoveries(entries, [Fault(1_500, until_ms=2_000)]) == ([0.7], 0)


@pytest.mark.parametrize(("part", "value"), [(0.5, 5), (0.99, 10), (0.1, 1)])
def test_a_share_of_values_does_not_exceed_it(part: float, value: int) -> None:
    assert share(range(10, 0, -1), part) == value


def test_lost_and_doubled_runs_are_counted_apart() -> None:
    findings = [Finding("lost", "a"), Finding("doubled", "b"), Finding("lost", "c")]
    row = measure("s", Case([], {}, []), [], findings, 1.0)
    assert (row.lost, row.doubled, row.recovery_s) == (2, 1, None)
    assert row.document()["recovery_s"] == {"p50": None, "p99": None, "max": None}
