"""What ties a run to others rides in its payload, and in a form that later versions still read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actions.errors import UnreadableRecord
from actions.messages import Payload

GOLDEN = Path(__file__).parent / "golden" / "payload_v1_ties.json"
FULL = Payload(
    "X",
    uses=(("price", "run_a1", "items.0"),),
    merge=("run_a1",),
    base={"n": 1},
    depth=2,
    lineage=("ab", "cd"),
    root="run_a0",
    mode="chain",
)


def test_what_was_stored_still_loads_and_is_stored_the_same():
    assert Payload.decode(GOLDEN.read_bytes()) == FULL
    assert json.loads(FULL.encode()) == json.loads(GOLDEN.read_bytes())


@pytest.mark.parametrize(
    "payload",
    [
        Payload("X", merge=("r",)),
        Payload("X", depth=1, root="r"),
        Payload("X", mode="sequence"),
        Payload("X"),
    ],
)
def test_a_part_of_it_comes_back_as_it_was(payload: Payload):
    assert Payload.decode(payload.encode()) == payload


@pytest.mark.parametrize("ties", ["[]", '{"s":[1]}', '{"s":[["a","b"]]}', '{"g":1}', '"x"'])
def test_damaged_ties_are_no_payload(ties: str):
    with pytest.raises(UnreadableRecord):
        Payload.decode(f'{{"v":1,"a":"X","e":{ties}}}')
