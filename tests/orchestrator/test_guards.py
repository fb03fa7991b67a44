"""guards: what a run has to pass, under which keys, and that every run climbs in the same order."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.definition import Action, action
from actions.errors import CostTooHigh, InvalidArguments
from actions.limits import Lock, RateLimit
from actions.params import bind
from actions.registry import Registry
from orchestrator.guards import Caps, Guard, caps, guards_of, limit_keys, ordered
from orchestrator.settings import Settings
from orchestrator.store.incoming import LimitGuard, LockGuard


def declared(name: str = "BUY", **fields: Any) -> Action:
    @action(name, **fields)
    def handler(ticker: str, to: str = "", tokens: int = 1) -> None:
        """Buy.

        Args:
            ticker: What.
            to: For whom.
            tokens: How much.
        """

    return handler


def climbed(*others: Action, arguments: dict[str, Any] | None = None, **who: Any) -> tuple[Guard, ...]:
    one = others[0]
    given: dict[str, Any] = {"principal": "ann", "tenant": "acme", "conversation": "conv_a1"}
    params = bind(one, {"ticker": "X", **(arguments or {})})
    return guards_of(one, params, registry=Registry(others), **{**given, **who})


def keys(guards: tuple[Guard, ...]) -> list[str]:
    return [guard.key for guard in guards]


# Keys


def test_an_action_without_limits_and_locks_has_no_guards():
    assert climbed(declared()) == ()


def test_a_lock_stands_under_its_expanded_key():
    one = declared(lock=[Lock("orders:{principal}:{ticker}", policy="replace"), Lock("db", places=3)])

    assert climbed(one) == (LockGuard("orders:ann:X:~acme", "replace"), LockGuard("db", places=3))


def test_a_limit_stands_under_its_name_and_its_expanded_key():
    one = declared(
        rate_limit=[RateLimit(5, "1m", key="{principal}", over="refuse"), RateLimit(9, "250ms", burst=3)]
    )

    assert climbed(one) == (
        LimitGuard("BUY:ann:~acme", "BUY", 5, 60_000_000, over="refuse"),
        LimitGuard("BUY.2", "BUY.2", 9, 250_000, burst=3),
    )


def test_a_key_of_a_conversation_guards_only_its_runs():
    one = declared(
        lock=["conversation", "orders:{ticker}"],
        rate_limit=[RateLimit(5, "1m", key="{conversation}"), RateLimit(5, "1m")],
    )

    assert keys(climbed(one)) == ["conversation:conv_a1", "orders:X", "BUY:conv_a1", "BUY.2"]
    for nowhere in (None, ""):
        assert keys(climbed(one, conversation=nowhere)) == ["orders:X", "BUY.2"]


@pytest.mark.parametrize("nobody", [None, ""])
def test_runs_of_nobody_share_a_key(nobody):
    one = declared(lock="a:{principal}:{tenant}")

    assert keys(climbed(one, principal=nobody, tenant=nobody)) == ["a:-:-"]


def test_two_locks_that_are_the_same_for_this_run_are_one():
    one = declared(lock=["account:{ticker}", "account:{to}"])

    assert keys(climbed(one, arguments={"to": "Y"})) == ["account:X", "account:Y"]
    assert keys(climbed(one, arguments={"to": "X"})) == ["account:X"]


@given(st.text(max_size=70), st.text(max_size=70))
def test_no_argument_makes_a_guard_unreadable_or_somebody_elses(ticker, to):
    one = declared(lock="a:{ticker}:{to}", rate_limit=RateLimit(5, "1m", key="{to}:{ticker}"))
    try:
        lock, limit = climbed(one, arguments={"ticker": ticker, "to": to})
    except InvalidArguments:  # half a surrogate pair
        return
    assert len(lock.line().split(" ")) == 4
    assert len(limit.line().split(" ")) == 8
    assert lock.line().isprintable()
    assert lock.key.count(":") == limit.key.count(":") == 2


# Costs


def test_a_run_takes_the_units_that_it_costs():
    one = declared(rate_limit=RateLimit(100, "1m", cost="{tokens}", burst=60))

    assert [guard.cost for guard in climbed(one, arguments={"tokens": 60})] == [60]


def test_what_costs_nothing_is_not_limited():
    one = declared(rate_limit=RateLimit(100, "1m", cost="{tokens}"))

    assert climbed(one, arguments={"tokens": 0}) == ()


def test_what_can_never_fit_is_refused_instead_of_waiting_for_ever():
    one = declared(rate_limit=RateLimit(100, "1m", cost="{tokens}", burst=60, name="tpm"))

    with pytest.raises(CostTooHigh, match="BUY would take 61 units of the limit tpm, which has 60 at most"):
        climbed(one, arguments={"tokens": 61})


@pytest.mark.parametrize("cost", ["{tokens}", lambda params: params.tokens, lambda params: params.missing])
def test_a_cost_that_cannot_be_worked_out_refuses_its_call(cost):
    one = declared(rate_limit=RateLimit(100, "1m", cost=cost, name="tpm"))

    with pytest.raises(InvalidArguments, match="what BUY would cost of the limit tpm cannot be worked out"):
        climbed(one, arguments={"tokens": -1})


# Order


def test_guards_are_climbed_narrow_to_wide_locks_first():
    one = declared(
        lock=["z", "y:{tenant}", "x:{principal}", "w:{ticker}"],
        rate_limit=[
            RateLimit(5, "1m", name="a"),
            RateLimit(5, "1m", name="b", key="{tenant}"),
            RateLimit(5, "1m", name="c", key="{principal}"),
            RateLimit(5, "1m", name="d", key="{ticker}"),
        ],
    )

    assert keys(climbed(one)) == ["w:X", "d:X", "x:ann:~acme", "c:ann:~acme", "y:acme", "b:acme", "z", "a"]


def test_one_scope_is_climbed_by_key():
    one = declared(lock=["account:{ticker}", "account:{to}"])

    assert keys(climbed(one, arguments={"ticker": "B", "to": "A"})) == ["account:A", "account:B"]
    assert keys(climbed(one, arguments={"ticker": "A", "to": "B"})) == ["account:A", "account:B"]


def test_a_key_has_the_same_place_whichever_action_takes_it():
    """One locks `desk` for a principal, the other for a ticker: the word counts, not who declares it."""
    one = declared("A", lock=["desk:{principal}", "m:{principal}"])
    two = declared("B", lock=["desk:{ticker}", "m:{principal}"])

    assert keys(climbed(one, two)) == ["desk:ann:~acme", "m:ann:~acme"]
    assert keys(climbed(two, one)) == ["desk:X", "m:ann:~acme"]


LOCKS = [
    "a",
    "a:{ticker}",
    "b:{principal}",
    "b:{tenant}",
    "c:{to}",
    "c:{tenant}",
    "d:{principal}:{ticker}",
    "e",
]
LIMITS = {"a": "", "b": "{tenant}", "c": "{principal}", "f": "{to}"}
DECLARED = st.tuples(
    st.lists(st.sampled_from(LOCKS), unique=True), st.lists(st.sampled_from(sorted(LIMITS)), unique=True)
)


@given(st.lists(DECLARED, min_size=2, max_size=4))
def test_no_two_runs_climb_two_guards_in_different_orders(shapes):
    made = [
        declared(
            f"A{at}",
            lock=locks,
            rate_limit=[RateLimit(5, "1m", name=name, key=LIMITS[name]) for name in limits],
        )
        for at, (locks, limits) in enumerate(shapes)
    ]
    registry = Registry(made)
    before: set[tuple[Guard, Guard]] = set()
    for one, ticker, to in itertools.product(made, "12", "12"):
        params = bind(one, {"ticker": ticker, "to": to})
        found = guards_of(one, params, principal=to, tenant=ticker, conversation=None, registry=registry)
        before |= set(itertools.combinations(found, 2))
    assert not {(after, first) for first, after in before} & before


# Caps


def test_a_cap_that_cannot_be_reached_is_none():
    most = Caps(turn=4, conversation=6, tenant=0)

    assert caps(most, calls=4, turn="turn_a1", conversation="conv_a1", tenant="acme") == ()
    assert caps(most, calls=5, turn="turn_a1", conversation="conv_a1") == (
        LockGuard("~turn:turn_a1", places=4),
    )
    assert caps(most, calls=7, turn="turn_a1", conversation="conv_a1") == (
        LockGuard("~turn:turn_a1", places=4),
        LockGuard("~conv:conv_a1", places=6),
    )


@pytest.mark.parametrize(("tenant", "most", "there"), [("acme", 3, True), ("", 3, False), ("acme", 0, False)])
def test_a_tenant_has_a_cap_if_it_has_a_name_and_there_is_one(tenant, most, there):
    expected = (LockGuard("~tenant:acme", places=3),) if there else ()

    assert caps(Caps(tenant=most), tenant=tenant) == expected


def test_caps_are_those_of_the_settings():
    settings = Settings(turn_cap=5, conversation_cap=6, tenant_cap=7)

    assert Caps.of(settings) == Caps(5, 6, 7)
    assert Caps.of(Settings()) == Caps()


def test_what_is_narrower_than_any_key_is_climbed_first_and_a_tenants_cap_among_the_tenants_keys():
    one = declared(
        lock=["a", "b:{tenant}", "c:{principal}", "d:{ticker}"], rate_limit=RateLimit(5, "1m", key="{tenant}")
    )
    house = [
        LockGuard("~tenant:acme"), LockGuard("~turn:t"), LimitGuard("~pace:b", "~pace", 1, 1), LockGuard("~act:b"),
    ]  # fmt: skip

    assert keys(ordered((*climbed(one), *house), Registry([one]))) == [
        "~act:b", "~turn:t", "~pace:b", "d:X", "c:ann:~acme", "b:acme", "~tenant:acme", "BUY:acme", "a",
    ]  # fmt: skip


# Which limits


def test_limits_are_found_by_name_or_by_whether_they_are_weighed():
    one = declared(
        lock="orders",
        rate_limit=[RateLimit(5, "1m"), RateLimit(9, "1m", name="tpm", key="{principal}", cost="{tokens}")],
    )
    found = climbed(one)

    assert limit_keys(found) == ("tpm:ann:~acme", "BUY")
    assert limit_keys(found, "tpm") == ("tpm:ann:~acme",)
    assert limit_keys(found, "BUY", weighed=True) == ()
    assert limit_keys(found, weighed=True) == ("tpm:ann:~acme",)
    assert limit_keys(found, "other") == ()
