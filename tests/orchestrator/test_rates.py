"""Rates of requests: what a person may write, and what it means."""

from datetime import timedelta

import pytest

from orchestrator import rates
from orchestrator.rates import Rate


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("", None),
        ("100/1s", Rate(100, 1_000_000)),
        ("100/s", Rate(100, 1_000_000)),
        (" 6000 / 1m ", Rate(6000, 60_000_000)),
        ("5/250ms", Rate(5, 250_000)),
    ],
)
def test_a_rate_is_a_count_and_a_window(text, rate):
    assert rates.read(text) == rate


@pytest.mark.parametrize(
    "text", ["0/1s", "-1/1s", "5", "5/", "5/1", "/1s", "5/1x", "1e3/1s", "5/0s", "5/999999d", "\u0665/1s"]
)
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ValueError, match="write 100/1s"):
        rates.read(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("50/1s", (50, timedelta(seconds=1))),
        (" 0 / 10m ", (0, timedelta(minutes=10))),
        ("1000/d", (1000, timedelta(days=1))),
        ("1/0s", (1, timedelta(0))),
        ("5/soon", None),
        ("5/-1s", None),
        ("5/1e3s", None),
        ("x/1s", None),
    ],
)
def test_the_numbers_of_a_limit_are_written_in_the_same_way(text, told):
    assert rates.numbers(text) == told
