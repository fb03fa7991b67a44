from __future__ import annotations

from datetime import timedelta

import pytest

from actions.errors import DeclarationError
from actions.policy import Retry, duration


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
