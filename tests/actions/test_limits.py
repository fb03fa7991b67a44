"""limits: what may be declared of rate limits, locks and dedupe, and the arithmetic of windows."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.errors import DeclarationError
from actions.limits import Dedupe, Lock, RateLimit


@pytest.mark.parametrize(
    ("declared", "burst"),
    [
        (RateLimit(5, "1m"), 0), (RateLimit(1000, "1m"), 0), (RateLimit(1, "1s"), 0), (RateLimit(5, "1m", cost=1), 0),
        (RateLimit(1001, "1m"), 500), (RateLimit(5, "1m", burst=5), 5), (RateLimit(5, "1m", burst=1), 1),
        (RateLimit(10, "1m", cost=2), 5), (RateLimit(100, "1m", cost="{tokens}"), 50),
        (RateLimit(100, "1m", cost=len), 50), (RateLimit(1, "1m", cost="{tokens}"), 1),
    ],
)  # fmt: skip
def test_a_small_plain_limit_is_exact_and_any_other_is_gcra(declared, burst):
    assert declared.burst == burst
    assert declared.exact is (burst == 0)
    assert declared.most == (burst or declared.n)


def test_once_the_burst_is_used_up_units_come_back_one_by_one():
    assert RateLimit(10, "1m", burst=1).interval == timedelta(seconds=6)
    assert RateLimit(10, "1m", burst=10).interval == timedelta(minutes=1)
    assert RateLimit(10, "1m").interval == timedelta(0)


@given(st.integers(1, 40), st.data())
def test_gcra_never_lets_more_than_n_through_in_any_window(n, data):
    """Played as the store counts: greedy starts, the worst case for every window."""
    limit = RateLimit(n, 1000, burst=data.draw(st.integers(1, n)))
    interval = limit.interval // timedelta(microseconds=1)
    room = limit.burst * interval
    starts: list[int] = []
    full = now = 0
    for _ in range(4 * n):
        now = max(now, full + interval - room)
        full = max(full, now) + interval
        starts.append(now)

    window = 1_000_000_000 - n  # an interval is rounded by a microsecond at most
    assert all(starts[at + n] - starts[at] >= window for at in range(len(starts) - n))
    assert starts[limit.burst - 1] == 0


@pytest.mark.parametrize(
    ("cost", "given", "units"),
    [
        (1, {}, 1), (3, {}, 3), ("{tokens}", {"tokens": 7}, 7), ("{params.tokens}", {"tokens": 0}, 0),
        ("{tokens}", {"tokens": 7.0}, 7), (lambda params: params.tokens * 2, {"tokens": 7}, 14),
    ],
)  # fmt: skip
def test_a_run_costs_what_was_declared(cost, given, units):
    assert RateLimit(100, "1m", cost=cost).units(SimpleNamespace(**given)) == units


@pytest.mark.parametrize("found", [-1, 1.5, "7", None, True, float("nan"), float("inf")])
def test_a_cost_that_is_no_number_of_units_is_an_error(found):
    with pytest.raises(ValueError, match="no number of units"):
        RateLimit(100, "1m", cost=lambda _: found).units(None)


@pytest.mark.parametrize(
    ("declare", "advice"),
    [
        (lambda: RateLimit(0, "1m"), "n has to be a whole number"),
        (lambda: RateLimit(n=True, per="1m"), "n has to be a whole number"),
        (lambda: RateLimit(2.5, "1m"), "n has to be a whole number"),
        (lambda: RateLimit("5", "1m"), "n has to be a whole number"),
        (lambda: RateLimit(5, 0), "needs a window"),
        (lambda: RateLimit(5, "soon"), "no duration"),
        (lambda: RateLimit(5, "1m", burst=0), "burst has to be a whole number"),
        (lambda: RateLimit(5, "1m", burst=6), "at most n, which is 5, not 6"),
        (lambda: RateLimit(5, "1m", cost=0), "cost has to be a whole number"),
        (lambda: RateLimit(5, "1m", cost=True), "cost has to be a whole number"),
        (lambda: RateLimit(6, "1m", cost=4), "a cost of 4 never fits: at most 3 at once"),
        (lambda: RateLimit(5, "1m", cost="tokens"), "one parameter in braces"),
        (lambda: RateLimit(5, "1m", cost="{a}{b}"), "one parameter in braces"),
        (lambda: RateLimit(5, "1m", cost="{principal}"), "one parameter in braces"),
        (lambda: RateLimit(5, "1m", cost=lambda: 1), r"called with \(params\)"),
        (lambda: RateLimit(5, "1m", key="a b"), "may hold letters"),
        (lambda: RateLimit(5, "1m", name="a:b"), "cannot name a rate limit"),
        (lambda: RateLimit(5, "1m", name=""), "cannot name a rate limit"),
        (lambda: RateLimit(5, "1m", name="~turn"), "cannot name a rate limit"),
        (lambda: RateLimit(5, "1m", over="raise"), "one of wait, refuse, not 'raise'"),
        (lambda: Lock("{principal}"), "begin with a plain word"),
        (lambda: Lock("orders{principal}"), "begin with a plain word"),
        (lambda: Lock("~turn:{principal}"), "begin with a plain word"),
        (lambda: Lock(":x"), "begin with a plain word"),
        (lambda: Lock(""), "begin with a plain word"),
        (lambda: Lock("a b"), "may hold letters"),
        (lambda: Lock("a", policy="steal"), "one of wait, refuse, replace"),
        (lambda: Lock("a", places=0), "places has to be a whole number"),
        (lambda: Lock("a", policy="replace", places=2), "whom to replace is not clear"),
        (lambda: Dedupe(0), "needs a window"),
        (lambda: Dedupe("soon"), "no duration"),
        (lambda: Dedupe("1m", mode="drop"), "one of join, refuse"),
        (lambda: Dedupe("1m", scope="user"), "one of principal, conversation, tenant, all"),
    ],
)
def test_what_makes_no_sense_is_refused_when_declared(declare, advice):
    with pytest.raises(DeclarationError, match=advice):
        declare()


def test_a_lock_on_the_conversation_is_one_word():
    assert Lock("conversation") == Lock("conversation:{conversation}")
    assert Lock("conversation").template.needs_conversation


@pytest.mark.parametrize("key", ["orders", "orders:{principal}", "db.main-1:{tenant}:{ticker}", "a:b"])
def test_a_lock_begins_with_a_word_by_which_it_has_its_place(key):
    assert Lock(key).key == key


def test_a_limit_without_a_name_takes_one_and_keeps_it():
    limit = RateLimit(10, "1m", key="{principal}", burst=3, cost="{tokens}", over="refuse")

    assert limit.named("BUY") == RateLimit(
        10, "1m", key="{principal}", name="BUY", burst=3, cost="{tokens}", over="refuse"
    )
    assert RateLimit(5, "1m").named("BUY").exact
    assert limit.named("BUY").named("SELL").name == "BUY"


@pytest.mark.parametrize(
    ("value", "field"),
    [(RateLimit(5, "1m", cost=len), "n"), (Lock("a"), "places"), (Dedupe("1m"), "window")],
    ids=["RateLimit", "Lock", "Dedupe"],
)
def test_a_policy_does_not_change(value, field):
    with pytest.raises(FrozenInstanceError):
        setattr(value, field, 5)
    assert len({value, value}) == 1


def test_a_lock_has_no_more_places_than_anybody_fills():
    assert Lock("a:{principal}", places=100_000).places == 100_000
    with pytest.raises(DeclarationError, match="100,000 at most"):
        Lock("a:{principal}", places=100_001)
