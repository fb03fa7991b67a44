"""Whatever takes an id takes an answer that names the thing as well: what one method gave goes into the next."""

from __future__ import annotations

from types import SimpleNamespace

import httpx
import pytest

from actions.errors import InvalidId
from client_under_test import NOW, Service, problem, value
from client_under_test import json as answered
from orchestrator.clients.errors import NotFound
from orchestrator.clients.events import RunChange, TurnChange
from orchestrator.wire import Accepted, Opened, Submitted, Wanted

RUN = Submitted(run="run_a1", url="/v1/runs/run_a1")
POSTED = Accepted(conversation="conv_a1", turn="turn_a1", url="/v1/turns/turn_a1")
OPENED = Opened(conversation="conv_a1", url="/v1/conversations/conv_a1")
WANTED = Wanted("run_a1", "PAYS", {}, "d1", NOW, NOW, None, "", "conv_a1", "turn_a1")

CASES = [
    (RUN, "/v1/runs/run_a1", "run wait"),
    (RUN, "/v1/runs/run_a1/{}", "cancel approve deny replay events"),
    (RUN, "/v1/dead/run_a1", "dead_one discard"),
    (RUN, "/v1/undos/run_a1/retry", "retry_undo"),
    (WANTED, "/v1/runs/run_a1/{}", "cancel approve deny events"),
    (RunChange("run_a1", "running"), "/v1/runs/run_a1", "run"),
    (POSTED, "/v1/turns/turn_a1", "turn wait_for_turn"),
    (POSTED, "/v1/turns/turn_a1/{}", "rounds cancel interrupt"),
    (TurnChange("turn_a1", "live"), "/v1/turns/turn_a1", "turn"),
    (POSTED, "/v1/conversations/conv_a1/{}", "events messages state"),
    (OPENED, "/v1/conversations/conv_a1", "conversation forget"),
    (OPENED, "/v1/conversations/conv_a1/{}", "cancel events messages turns state context"),
]


@pytest.mark.parametrize(
    ("named", "place", "method"), [(one, at, name) for one, at, names in CASES for name in names.split()]
)
async def test_an_answer_names_what_it_tells_of(named, place, method):
    service = Service(problem(404, "unknown_record"))

    async def ask(client: object) -> None:
        await value(getattr(client, method)(named))

    for client in service.both():
        with pytest.raises(NotFound):
            await ask(client)
    assert {each.url.path for each in service.heard} == {place.format(method)}


def test_an_approval_that_was_seen_is_given_as_it_was_seen():
    service = Service(answered(200, {"id": "run_a1", "verdict": "approved"}))
    client = service.client()
    client.approve(WANTED)
    client.approve(WANTED, digest="d2")
    client.approve(RUN)
    assert [each.content for each in service.heard] == [b'{"digest":"d1"}', b'{"digest":"d2"}', b"{}"]


def test_lists_and_filters_take_answers_too():
    service = Service(answered(200, {"done": [], "failed": []}))
    client = service.client()
    client.replay_dead(runs=[RUN, "run_a2"])
    client.discard_dead(runs=[RUN])
    assert [each.content for each in service.heard] == [
        b'{"runs":["run_a1","run_a2"]}',
        b'{"runs":["run_a1"]}',
    ]
    service = Service(answered(200, {"runs": [], "next": None}))
    assert list(service.client().runs(conversation=OPENED)) == []
    assert service.heard[0].url.params["conversation"] == "conv_a1"


def test_a_wait_that_is_over_names_the_run_by_its_id():
    service = Service(httpx.ConnectError("refused"))
    with pytest.raises(TimeoutError, match=r"^run run_a1 has not ended within 0 s$"):
        service.client().wait(RUN, timeout_s=0)


@pytest.mark.parametrize("method", ["run", "wait", "cancel", "turn", "conversation", "events"])
@pytest.mark.parametrize("other", [SimpleNamespace(run=3, turn=None), {"run": "run_a1"}, b"run_a1", None])
def test_what_names_nothing_is_refused(method, other):
    service = Service(problem(404, "unknown_record"))
    with pytest.raises(InvalidId):
        list(getattr(service.client(), method)(other))
    assert not service.heard


def test_an_answer_of_another_kind_is_not_taken_for_this_one():
    service = Service(problem(404, "unknown_record"))
    for method, other in (("turn", RUN), ("run", OPENED), ("interrupt", OPENED), ("state", RUN)):
        with pytest.raises(InvalidId):
            getattr(service.client(), method)(other)
    assert not service.heard
