"""What Celery's watchers are told of runs: by name, with nothing that must not be seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from actions.definition import action
from actions.messages import Payload
from orchestrator.store.incoming import Effect, EffectKind, Finish
from orchestrator.store.records import Claimed
from workers.events import RunEvents
from workers.flight import Flight


class Away:
    """A Celery app whose broker does not answer."""

    def connection_for_write(self) -> Any:
        raise OSError


@action("PAY", show=("to",))
async def pay(to: str, card: str) -> None:
    """Pay."""


@pytest.fixture
def events() -> Iterator[RunEvents]:
    app: Any = Away()
    made = RunEvents(app, "one@here")
    yield made
    made.close()


def flight(**claimed: Any) -> Flight:
    run = Claimed("run_a1", "actions", "", 1, "", "", "", "", 0, "", "", "", "7", **claimed)
    return Flight(run, Payload("PAY", {"to": "ada", "card": "4111"}), pay, "", 0.0)


@pytest.mark.parametrize(("undoes", "name"), [("", "PAY"), ("run_a0", "PAY.undo")])
def test_an_undo_is_shown_under_a_name_of_its_own_and_masked_like_its_run(
    events: RunEvents, undoes: str, name: str
) -> None:
    events.started(flight(undoes=undoes))
    (_, received), (kind, _) = events._waiting
    assert (kind, received["name"], received["parent_id"]) == ("task-started", name, undoes or None)
    assert received["kwargs"] == "{to=ada, card=•••}"
    assert "4111" not in str(events._waiting)


@pytest.mark.parametrize(
    ("verdict", "effects", "kind", "told"),
    [
        ("failed", (), "task-failed", "failed"),
        ("failed", (Effect(EffectKind.RESCUE),), "task-retried", "failed, its on_error follows"),
        ("ask", (), "task-retried", "waits for an approval"),
        ("again", (), "task-retried", "again, in 5 ms"),
    ],
)
def test_a_run_that_goes_on_has_not_failed(
    events: RunEvents, verdict: str, effects: tuple[Effect, ...], kind: str, told: str
) -> None:
    arguments = '{"card": "4111"}'
    events.ended(flight(), Finish("run_a1", "7", verdict, arguments, 5, effects=effects), 0.1)
    ((found, fields),) = events._waiting
    assert (found, fields["exception"]) == (kind, told)
    assert "4111" not in str(fields)
