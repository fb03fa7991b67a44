from __future__ import annotations

from typing import Any

import pytest

from actions.chains import Chain
from actions.definition import action
from actions.errors import DeclarationError
from actions.limits import Lock
from actions.registry import Registry
from actions.templates import EVERYTHING, PRINCIPAL


def declared(name="X", **fields: Any):
    return action(name, **fields)(lambda ticker="A": None)


def test_an_action_runs_in_any_mode_unless_it_says_otherwise():
    assert declared().chain is None
    assert declared(chain=False).chain is None


def test_true_is_a_chain_without_locks():
    assert declared(chain=True).chain == Chain()
    assert Chain().locks == ()


def test_a_chain_holds_one_lock_or_several():
    assert Chain("orders:{principal}").locks == (Lock("orders:{principal}"),)
    assert Chain(lock=["a:{ticker}", Lock("b", policy="refuse")]).locks == (
        Lock("a:{ticker}"),
        Lock("b", policy="refuse"),
    )


@pytest.mark.parametrize(
    ("made", "advice"),
    [
        (lambda: declared(chain="orders"), r'chain has to be True, False or Chain\("orders:\{principal\}"\)'),
        (lambda: declared(chain=1), "chain has to be"),
        (lambda: Chain(5), r"a chain: lock has to be Lock\(...\), a key, or several, not 5"),
        (lambda: Chain("{ticker}"), "has to begin with a plain word"),
        (lambda: Chain(["orders", Lock("orders")]), "a chain: two of its locks have the same key"),
        (lambda: Chain(Lock("orders", policy="replace")), "would have to be undone first"),
        (lambda: declared(chain=Chain("orders:{tickr}")), "X: the key 'orders:{tickr}' names tickr"),
    ],
)
def test_what_is_declared_wrongly_is_refused_with_advice(made, advice):
    with pytest.raises(DeclarationError, match=advice):
        made()


def test_locks_of_chains_stand_apart_from_those_of_actions():
    both = [declared("A", lock=Lock("db", places=2)), declared("B", chain=Chain(Lock("db", places=3)))]

    assert len(Registry(both)) == 2


def test_a_chains_lock_has_as_many_places_for_every_chain():
    both = [
        declared("A", chain=Chain(Lock("db:{ticker}", places=2))),
        declared("B", chain=Chain(Lock("db:{principal}", places=3))),
    ]

    with pytest.raises(DeclarationError, match="these can be the same lock"):
        Registry(both)


def test_a_chains_lock_has_a_rank_as_others_have():
    registry = Registry([declared(chain=Chain("desk:{principal}"))])

    assert (registry.rank("desk"), registry.rank("other")) == (PRINCIPAL, EVERYTHING)
