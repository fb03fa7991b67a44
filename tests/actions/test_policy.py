from __future__ import annotations

from datetime import timedelta

import pytest

from actions.errors import ConfigError, DeclarationError
from actions.policy import Isolation, Retry, Timeouts, duration, milliseconds, spoken


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("250ms", 0.25), ("1s", 1), ("1.5s", 1.5), ("1m", 60), ("2h", 7200), ("1d", 86400), (" 5 s ", 5), ("0s", 0),
        (3, 3), (0.5, 0.5), (0, 0), (timedelta(minutes=2), 120),
    ],
)  # fmt: skip
def test_a_duration_is_read_as_people_write_it(written, seconds):
    assert duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "5",
        "s",
        "-1s",
        "1 week",
        "1s1m",
        "1S",
        "٣s",
        -1,
        True,
        None,
        float("nan"),
        float("inf"),
        1e300,
        timedelta(-1),
        "9" * 400 + "s",
    ],
)
def test_what_is_no_duration_is_refused_when_declared(written):
    with pytest.raises(DeclarationError):
        duration(written)


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 10), (6, 10), (5000, 10)]
)
def test_the_longest_wait_doubles_up_to_the_cap(attempt, seconds):
    retry = Retry(3, initial="1s", factor=2, cap="10s")

    assert retry.limits(attempt) == (timedelta(0), timedelta(seconds=seconds))


@pytest.mark.parametrize(("drawn", "seconds"), [(0.0, 0), (0.5, 2), (1.0, 4)])
def test_a_wait_is_drawn_between_nothing_and_the_longest(drawn, seconds):
    retry = Retry(3, initial="1s", factor=2, cap="10s")

    assert retry.delay(3, lambda: drawn) == timedelta(seconds=seconds)


def test_waits_that_failed_together_come_back_apart():
    retry = Retry(3)

    assert len({retry.delay(3) for _ in range(50)}) > 40


def test_no_wait_stays_no_wait():
    assert Retry(3, initial=0, cap=0).limits(10_000) == (timedelta(0), timedelta(0))


@pytest.mark.parametrize(
    ("retries", "attempt", "left"), [(0, 1, False), (1, 1, True), (1, 2, False), (3, 3, True), (3, 4, False)]
)
def test_retries_count_the_attempts_after_the_first(retries, attempt, left):
    assert Retry(retries).left(attempt) is left


@pytest.mark.parametrize(
    ("error", "covered"),
    [
        (OSError(), True),
        (TimeoutError(), True),
        (ConnectionRefusedError(), False),
        (ValueError(), False),
        (KeyboardInterrupt(), False),
    ],
)
def test_only_declared_exceptions_are_tried_again(error, covered):
    assert Retry(1, on=(OSError,), never=(ConnectionRefusedError,)).covers(error) is covered


@pytest.mark.parametrize("error", [ConfigError("no model"), DeclarationError("no action")])
def test_what_is_configured_wrongly_is_never_tried_again(error):
    assert not Retry(3).covers(error)
    assert not Retry(3, on=(ConfigError, DeclarationError)).covers(error)


@pytest.mark.parametrize(
    "declared",
    [
        {"retries": -1}, {"retries": True}, {"retries": 1.5}, {"retries": "3"},
        {"factor": 0.5}, {"factor": float("inf")}, {"factor": float("nan")}, {"factor": "2"},
        {"initial": "20s", "cap": "10s"}, {"initial": "soon"}, {"cap": -1},
        {"on": ("OSError",)}, {"on": OSError()}, {"never": (int,)},
    ],
)  # fmt: skip
def test_a_retry_that_makes_no_sense_is_refused_when_declared(declared):
    with pytest.raises(DeclarationError):
        Retry(**declared)


def test_numbers_of_another_policy_keep_the_exceptions():
    own = Retry(1, initial="5s", cap="50s", on=OSError, never=FileNotFoundError)

    assert Retry(7, initial="1s", factor=3, cap="2s").like(own) == Retry(
        7, initial="1s", factor=3, cap="2s", on=OSError, never=FileNotFoundError
    )
    assert Retry(7).like(None) == Retry(7)


def test_the_clocks_are_those_that_were_declared():
    clocks = Timeouts("10s", queue="1m", heartbeat="2s", total="5m")

    assert (clocks.attempt, clocks.queue) == (timedelta(seconds=10), timedelta(minutes=1))
    assert (clocks.heartbeat, clocks.total) == (timedelta(seconds=2), timedelta(minutes=5))


def test_by_default_only_an_attempt_has_an_end():
    assert Timeouts() == Timeouts("30s", queue=None, heartbeat=None, total=None)


@pytest.mark.parametrize("nothing", [None, 0, "0s", timedelta(0)])
def test_no_time_means_no_limit(nothing):
    clocks = Timeouts(nothing, queue=nothing, heartbeat=nothing, total=nothing)

    assert [clocks.attempt, clocks.queue, clocks.heartbeat, clocks.total] == [None] * 4


@pytest.mark.parametrize(
    ("declared", "advice"),
    [
        ({"attempt": "soon"}, "attempt: 'soon' is no duration"),
        ({"queue": -1}, "queue: a duration cannot be negative"),
        ({"heartbeat": True}, "heartbeat: True is no duration"),
        ({"total": float("nan")}, "total: .* is no duration"),
        ({"attempt": "5s", "heartbeat": "5s"}, "before a heartbeat of .* is missed"),
    ],
)
def test_clocks_that_make_no_sense_are_refused_when_declared(declared, advice):
    with pytest.raises(DeclarationError, match=advice):
        Timeouts(**declared)


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("512MB", 512 * 2**20),
        ("2GB", 2**31),
        ("16384 KB", 2**24),
        ("16777216B", 2**24),
        (2**25, 2**25),
        (None, None),
    ],
)
def test_memory_is_read_as_people_write_it(written, size):
    assert Isolation(written).memory == size


@pytest.mark.parametrize("written", [512, "512B", "15MB"])
def test_too_little_memory_for_any_process_is_refused_when_declared(written):
    with pytest.raises(DeclarationError, match='too little for a process: write "512MB"'):
        Isolation(written)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        ("250ms", "250 ms"),
        ("0s", "0 s"),
        ("1.5s", "1.5 s"),
        ("90s", "90 s"),
        ("2m", "2 min"),
        ("3h", "3 h"),
        ("2d", "2 d"),
    ],
)
def test_a_duration_is_told_in_words(length, words):
    assert spoken(duration(length)) == words


def test_what_two_clocks_say_against_each_other_is_told_in_words():
    with pytest.raises(
        DeclarationError, match="an attempt ends after 1 s, before a heartbeat of 10 s is missed"
    ):
        Timeouts("1s", heartbeat="10s")
    with pytest.raises(DeclarationError, match=r"initial \(20 s\) is longer than cap \(10 s\)"):
        Retry(3, initial="20s")


def test_an_isolated_run_has_a_memory_limit_unless_it_is_taken_away():
    assert Isolation().memory == 512 * 2**20


@pytest.mark.parametrize("written", ["", "512", "1.5GB", "512mb", "-1MB", 0, -1, "0MB", True, 1.5, b"1MB"])
def test_what_is_no_size_is_refused_when_declared(written):
    with pytest.raises(DeclarationError, match="is no size"):
        Isolation(written)


@pytest.mark.parametrize(("length", "ms"), [("1ms", 1), ("1s", 1000), (0.0001, 1), (0, 0), (1.0001, 1001)])
def test_milliseconds_are_rounded_up_so_that_a_limit_stays_one(length, ms):
    assert milliseconds(duration(length)) == ms
