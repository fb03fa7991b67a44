"""guarantees and ranks: what one action declares of limits, locks and clocks, and where two contradict each other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from actions.definition import Action, action
from actions.errors import DeclarationError
from actions.limits import Dedupe, Lock, RateLimit
from actions.policy import Isolation, Timeouts
from actions.ranks import ranks
from actions.registry import Registry
from actions.templates import EVERYTHING, PARAMETER, PRINCIPAL, TENANT


def declared(name: str = "X", **fields: Any) -> Action:
    return action(name, **fields)(lambda ticker, tokens=1: None)


# One action


def test_what_is_not_declared_guards_nothing():
    one = declared()

    assert (one.rate_limits, one.locks, one.dedupe, one.isolation) == ((), (), None, None)
    assert (one.on_unknown, one.oversize, one.timeouts) == ("retry", "truncate", Timeouts())


def test_one_limit_is_as_good_as_several():
    limit = RateLimit(5, "1m", name="bank")

    assert declared(rate_limit=limit).rate_limits == (limit,)
    assert declared(rate_limit=[limit]).rate_limits == (limit,)
    assert declared(rate_limit=None).rate_limits == ()


def test_limits_without_a_name_are_numbered():
    one = declared("BUY", rate_limit=(RateLimit(5, "1m"), RateLimit(9, "1h", name="day"), RateLimit(7, "1d")))

    assert [limit.name for limit in one.rate_limits] == ["BUY", "day", "BUY.3"]


@pytest.mark.parametrize(
    ("lock", "keys"),
    [
        ("conversation", ["conversation:{conversation}"]),
        ("orders:{ticker}", ["orders:{ticker}"]),
        (Lock("orders"), ["orders"]),
        (["conversation", Lock("orders", places=3)], ["conversation:{conversation}", "orders"]),
    ],
)
def test_a_lock_is_a_text_or_a_lock_or_several(lock, keys):
    assert [each.key for each in declared(lock=lock).locks] == keys


def test_a_timeout_is_of_an_attempt_or_all_clocks():
    assert declared(timeout="5s").timeouts == Timeouts("5s")
    assert declared(timeout=Timeouts("5s", total="1m")).timeouts.total == timedelta(minutes=1)
    assert declared(timeout=Timeouts("5s", total="1m")).timeout == timedelta(seconds=5)


@pytest.mark.parametrize("nothing", [None, 0, "0s", Timeouts(None)])
def test_a_timeout_of_nothing_is_no_limit(nothing):
    assert declared(timeout=nothing).timeout is None


def test_an_isolated_action_says_how():
    assert declared(isolated=True).isolation == Isolation()
    assert declared(isolated=False).isolation is None
    assert declared(isolated=Isolation("1GB")).isolation == Isolation("1GB")


@pytest.mark.parametrize("key", ["principal:{principal}", "orders:principal:{principal}", "conversation"])
def test_a_name_beside_its_placeholder_is_a_label(key):
    assert declared(lock=key).locks


@pytest.mark.parametrize(
    ("fields", "advice"),
    [
        ({"rate_limit": "5/m"}, r"RateLimit\(...\) or several, not '5/m'"),
        ({"rate_limit": [5]}, r"RateLimit\(...\) or several"),
        ({"rate_limit": [RateLimit(5, "1m", name="a"), RateLimit(9, "1h", name="a")]}, "have the same name"),
        ({"rate_limit": [RateLimit(5, "1m", name="X.2"), RateLimit(9, "1h")]}, "have the same name"),
        ({"rate_limit": RateLimit(5, "1m", key="{tickr}")}, "X: the key '{tickr}' names tickr"),
        (
            {"rate_limit": RateLimit(5, "1m", cost="{token}")},
            "X: the cost '{token}' .* there are ticker, tokens",
        ),
        ({"rate_limit": RateLimit(5, "1m", cost="{ticker}")}, "names a parameter that is no number"),
        (
            {"rate_limit": RateLimit(5, "1m", key="principal")},
            "'principal' .* write '{principal}' for one each",
        ),
        ({"rate_limit": RateLimit(5, "1m", key="shop:ticker")}, "'ticker' .* is the same for everybody"),
        ({"lock": "orders:ticker"}, "X: 'ticker' in the key 'orders:ticker' is the same for everybody"),
        ({"lock": "ticker"}, "write '{ticker}' for one each, or another word"),
        ({"retry": 3}, r"retry has to be a Retry, not 3: write Retry\(3\)"),
        (
            {"rate_limits": RateLimit(5, "1m")},
            r"X: an action has no rate_limits \(did you mean rate_limit\?\)",
        ),
        ({"lock": 5}, r"Lock\(...\), a key, or several, not 5"),
        ({"lock": "{ticker}"}, "X: the lock '{ticker}' has to begin with a plain word"),
        ({"lock": "orders:{tickr}"}, "X: the key 'orders:{tickr}' names tickr"),
        ({"lock": ["orders", Lock("orders", policy="refuse")]}, "two of its locks have the same key"),
        ({"on_unknown": "ask"}, "on_unknown has to be one of retry, fail, check"),
        ({"oversize": "cut"}, "oversize has to be one of truncate, fail"),
        ({"dedupe": "10m"}, "dedupe has to be Dedupe"),
        ({"isolated": "512MB"}, r"isolated has to be True, False or Isolation\(\"512MB\"\)"),
        ({"isolated": 1}, "isolated has to be"),
        ({"timeout": "soon"}, "X: timeout: attempt: 'soon' is no duration"),
        ({"before": 5}, "preprocess has to be a function"),
        ({"before": lambda params: params}, r"preprocess is called with \(params, ctx\)"),
        ({"after": lambda: None}, r"postprocess is called with \(value, ctx\)"),
    ],
)
def test_what_is_declared_wrongly_is_refused_with_advice(fields, advice):
    with pytest.raises(DeclarationError, match=advice):
        declared(**fields)


def test_dedupe_is_kept():
    assert declared(dedupe=Dedupe("10m")).dedupe == Dedupe("10m", mode="join", scope="principal")


def test_processors_are_declared_beside_the_handler_or_after_it():
    def before(params, ctx): ...

    def after(value, ctx): ...

    one, another = declared(before=before, after=after), declared()

    assert another.preprocess(before) is before
    assert another.postprocess(after) is after
    assert (one.preprocessor, one.postprocessor) == (before, after)
    assert (another.preprocessor, another.postprocessor) == (before, after)


def test_a_processor_is_declared_once():
    one = declared(before=lambda params, ctx: params)

    with pytest.raises(DeclarationError, match="X has a preprocess already"):
        one.preprocess(lambda params, ctx: params)


# Several actions


def test_a_check_that_is_wanted_has_to_be_there_when_registered():
    one = declared(on_unknown="check")
    with pytest.raises(DeclarationError, match=r'X has on_unknown="check" and no check'):
        Registry([one])

    one.check(lambda params, ctx: None)
    assert Registry([one]).resolve("X") is one


def test_a_registry_that_was_refused_leaves_its_actions_open():
    one = declared(on_unknown="check")
    with pytest.raises(DeclarationError):
        Registry([one])

    one.undo(lambda params, result, ctx: None)
    assert one.undoer is not None


@pytest.mark.parametrize("way", [1, -1])
def test_a_key_has_the_rank_of_the_narrowest_that_begins_as_it_does(way):
    actions = [
        declared("A", lock="orders:{principal}", rate_limit=RateLimit(5, "1m", key="{tenant}")),
        declared("B", lock=["orders:{ticker}", "desk:{tenant}"], rate_limit=RateLimit(5, "1m")),
        declared("C", lock="conversation", rate_limit=RateLimit(5, "1m", key="{principal}", name="desk")),
    ]
    registry = Registry(actions[::way])

    assert registry.rank("orders") == PARAMETER
    assert registry.rank("A") == TENANT
    assert registry.rank("B") == EVERYTHING
    assert registry.rank("desk") == PRINCIPAL
    assert registry.rank("conversation") == PARAMETER
    assert registry.rank("unknown") == EVERYTHING


@pytest.mark.parametrize(
    "other",
    [
        RateLimit(6, "1m", key="{principal}", name="bank"),
        RateLimit(5, "2m", key="{principal}", name="bank"),
        RateLimit(5, "1m", key="{tenant}", name="bank"),
        RateLimit(5, "1m", key="{principal}", name="bank", burst=2),
    ],
)
def test_one_name_is_one_limit(other):
    first = declared("A", rate_limit=RateLimit(5, "1m", key="{principal}", name="bank"))

    with pytest.raises(DeclarationError, match="A and B declare different rate limits under the name bank"):
        Registry([first, declared("B", rate_limit=other)])


def test_two_actions_may_share_a_limit_at_different_costs():
    same = {"key": "{principal}", "name": "tokens", "burst": 50}
    first = declared("A", rate_limit=RateLimit(100, "1m", cost="{tokens}", **same))
    second = declared("B", rate_limit=RateLimit(100, "1m", cost=5, over="refuse", **same))

    assert len(Registry([first, second])) == 2


def test_an_action_cannot_take_the_default_name_of_anothers_limit_for_a_different_one():
    with pytest.raises(DeclarationError, match="under the name A"):
        Registry(
            [
                declared("A", rate_limit=RateLimit(5, "1m")),
                declared("B", rate_limit=RateLimit(9, "1m", name="A")),
            ]
        )


@pytest.mark.parametrize(
    ("one", "another", "agree"),
    [
        (Lock("db:{ticker}", places=2), Lock("db:{ticker}"), False),
        (Lock("db:{ticker}", places=2), Lock("db:{principal}"), False),
        (Lock("db:read", places=2), Lock("db:{ticker}"), False),
        (Lock("db:read", places=2), Lock("db:write"), True),
        (Lock("db:{ticker}", places=2), Lock("db:{ticker}", places=2, policy="refuse"), True),
        (Lock("db:{ticker}", places=2), Lock("desk:{ticker}"), True),
    ],
)
def test_a_lock_has_as_many_places_for_everybody(one, another, agree):
    both = [declared("A", lock=one), declared("B", lock=another)]

    if agree:
        assert len(Registry(both)) == 2
        return
    with pytest.raises(DeclarationError, match="these can be the same lock"):
        Registry(both)


def test_two_locks_of_one_action_agree_as_well():
    with pytest.raises(DeclarationError, match="these can be the same lock"):
        ranks([declared(lock=[Lock("db:{ticker}", places=2), Lock("db:{principal}")])])


def test_a_registry_with_more_actions_is_checked_again():
    registry = Registry([declared("A", rate_limit=RateLimit(5, "1m", name="bank"))])

    with pytest.raises(DeclarationError, match="under the name bank"):
        registry.with_(declared("B", rate_limit=RateLimit(6, "1m", name="bank")))
