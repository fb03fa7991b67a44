"""The benchmark measures what it says: every figure is there, every result was checked. No time is asserted."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import pytest
from click.testing import CliRunner
from rich.console import Console

from orchestrator.settings import Settings
from umbel.bench import meters
from umbel.bench.figures import FIGURES, Figure, Pair, Sample, Workload, middle, per_unit, percentile
from umbel.bench.report import document, show
from umbel.bench.rounds import QUICK, Results, measure, stretches
from umbel.bench.stage import set_up
from umbel.bench.workload import WrongResult, call_id, check_conversation, reply, result
from umbel.cli.bench import bench

TINY = replace(QUICK, rounds=1, actions=200, singles=20, idle_actions=5, turns=12, idle_turns=2, guarded=60)


def _conversation(turn: int, calls: int) -> list[dict[str, object]]:
    tools = [
        {"role": "tool", "tool_call_id": call_id(turn, at), "content": json.dumps(result(at))}
        for at in range(calls)
    ]
    return [{"role": "assistant", "content": None}, *tools]


def test_results_out_of_order_are_found():
    messages = _conversation(7, 3)
    check_conversation(messages, 7, 3)
    messages[1], messages[2] = messages[2], messages[1]
    with pytest.raises(WrongResult):
        check_conversation(messages, 7, 3)


def test_results_that_stand_there_twice_are_found():
    messages = _conversation(7, 3)
    with pytest.raises(WrongResult):
        check_conversation([*messages, *messages[1:]], 7, 3)


def test_the_reply_is_one_that_intake_reads():
    from orchestrator import intake

    read = intake.read(reply(3, 8))
    assert read.format == "openai.chat"
    assert [call.id for call in read.calls] == [call_id(3, at) for at in range(8)]
    assert not read.errors


def test_a_ratio_is_taken_round_by_round():
    rate = Figure("x", "x", Workload.W1, "/s", 0.5, alarm=0.3)
    pair = Pair(rate, floor=[Sample(100), Sample(10), Sample(100)], ours=[Sample(60), Sample(6), Sample(10)])
    assert pair.ratio == pytest.approx(0.6)
    assert pair.is_met
    assert not pair.alarms


def test_a_time_aims_downwards():
    time = Figure("x", "x", Workload.W1, "ms", 1.3)
    assert Pair(time, floor=[Sample(1.0)], ours=[Sample(1.2)]).is_met
    assert not Pair(time, floor=[Sample(1.0)], ours=[Sample(1.4)]).is_met
    assert Pair(time, floor=[Sample(1.0)]).is_met is None


def test_middle_and_percentile_are_values_that_were_measured():
    assert middle([Sample(3), Sample(1), Sample(2)]) == Sample(2)
    assert middle([]) is None
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.5) == 3.0
    assert percentile([1.0], 0.99) == 1.0


def test_commands_are_counted_for_one():
    load = meters.Reading().since(meters.Reading(commands=meters.Counter({"get": -50, "evalsha": -10})))
    assert per_unit([Sample(1.0, count=10, load=load)]) == {"get": 5.0, "evalsha": 1.0}


@pytest.mark.slow
@pytest.mark.processes
async def test_a_tiny_run_measures_both_sides(settings: Settings):
    told: list[str] = []
    async with set_up(settings, calls=3, with_ours=True, events=False) as stage:
        results = await measure(stage, TINY, list(Workload), told.append)
        prefix = stage.raw.prefix
        assert await stage.raw.redis.exists(f"{prefix}workers")
    assert len(told) == stretches(TINY, list(Workload), with_ours=True)
    assert [pair.figure for pair in results.pairs] == list(FIGURES)
    for pair in results.pairs:
        assert len(pair.ours) == len(pair.floor) == 1
        assert all(sample.value > 0 for sample in (*pair.ours, *pair.floor))
    _assert_shown(results)
    await _assert_cleared(settings, prefix)


def _assert_shown(results: Results) -> None:
    told = json.loads(json.dumps(document(results, calls=3, mode="tiny")))
    assert {row["key"] for row in told["figures"]} == {figure.key for figure in FIGURES}
    assert all(row["ratio"] > 0 for row in told["figures"])
    loaded = next(row for row in told["figures"] if row["key"] == "w2")
    assert loaded["ours"]["commands"] > loaded["floor"]["commands"] > 0
    assert loaded["ours"]["cpu_s_per_1000"]["workers"] >= 0
    out = StringIO()
    show(results, Console(file=out, width=100), calls=3)
    assert "W2 turns" in out.getvalue()


async def _assert_cleared(settings: Settings, prefix: str) -> None:
    """A server that is not ours is left as it was found."""
    from orchestrator.store.connection import Connection

    connection = Connection(settings)
    namespace = prefix.partition("{")[0]
    assert namespace.startswith("bench")
    assert [key async for key in connection.redis.scan_iter(match=f"{namespace}*")] == []
    await connection.close()


@pytest.mark.slow
@pytest.mark.processes
def test_the_command_prints_one_document(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    for name, value in settings.environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("umbel.bench.rounds.QUICK", TINY)
    answer = CliRunner().invoke(bench, ["--quick", "--json", "--only", "floor", "--only", "w1"])
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    assert [row["key"] for row in told["figures"]] == ["w1_batched", "w1_single", "w1_idle"]
    assert all(row["ours"] is None and row["floor"]["value"] > 0 for row in told["figures"])
