"""Celery's tasks: the pump that nudges start, and each action under its own name.

A nudge that finds every process of its worker pumping is dropped in the worker's parent, where it would otherwise
wait and be missing for an idle worker. A call of an action from outside becomes a run in the parent too: it needs no
process of the pool, which the pumps may fill for hours.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, Protocol

from celery import Task
from celery.worker import state
from celery.worker.strategy import default

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from celery import Celery

    from actions.definition import Action
    from actions.registry import Registry

log: Final = logging.getLogger("umbel.tasks")

PUMP: Final = "umbel.pump"
"""The task that a nudge starts."""


class Ingress(Protocol):
    """Where calls from outside go: the parent's link to the store."""

    def accept(self, action: str, arguments: Mapping[str, Any], task_id: str) -> None:
        """Submit it as a run, now or as soon as the store is back."""
        ...


class PumpTask(Task):
    """The pump as Celery sees it."""

    Strategy = f"{__name__}:nudge_strategy"
    name = PUMP
    acks_late = False
    ignore_result = True
    send_events = False
    serve: Callable[[], None]

    def run(self) -> None:
        """Work until there is nothing to do."""
        type(self).serve()


class ActionTask(Task):
    """An action as Celery sees it: calling it submits a run."""

    Strategy = f"{__name__}:action_strategy"
    acks_late = False
    ignore_result = True
    send_events = False
    ingress: Ingress
    parameters: tuple[str, ...] = ()

    def run(self, *args: Any, **kwargs: Any) -> None:
        """Submit (only reached where a task is run without a worker, for example eagerly)."""
        self.ingress.accept(self.name, named(self.parameters, args, kwargs), self.request.id)


def named(parameters: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Positional arguments under the names of the action's parameters, beside the named ones."""
    if len(args) > len(parameters):
        raise TypeError(f"takes {len(parameters)} arguments, got {len(args)}")
    return {**dict(zip(parameters, args, strict=False)), **kwargs}


def nudge_strategy(task: Any, app: Celery, consumer: Any, **options: Any) -> Callable[..., Any]:
    """Hand a nudge to the pool only if a process there is free for a pump."""
    handle = default(task, app, consumer, **options)

    def on_nudge(message: Any, body: Any, ack: Any, reject: Any, callbacks: Any, **rest: Any) -> Any:
        pumping = sum(1 for request in list(state.reserved_requests) if request.name == PUMP)
        if state.should_stop is not None or pumping >= consumer.pool.num_processes:
            ack(log, consumer.connection_errors)
            return None
        return handle(message, body, ack, reject, callbacks, **rest)

    return on_nudge


def action_strategy(task: Any, app: Celery, consumer: Any, **_: Any) -> Callable[..., Any]:
    """Make a run out of a call from outside, in the parent."""
    del app

    def on_call(message: Any, body: Any, ack: Any, reject: Any, callbacks: Any, **_: Any) -> None:
        del callbacks
        try:
            payload = message.payload if body is None else body
            args, kwargs = (payload["args"], payload["kwargs"]) if isinstance(payload, dict) else payload[:2]
            arguments = named(task.parameters, args, kwargs)
        except (TypeError, ValueError, LookupError) as error:
            log.error("a call of %s cannot be read and was dropped: %s", task.name, error)
            reject(log, consumer.connection_errors)
            return
        task.ingress.accept(
            task.name, arguments, message.headers.get("id") or message.properties["correlation_id"]
        )
        ack(log, consumer.connection_errors)

    return on_call


def register(app: Celery, registry: Registry, ingress: Ingress, serve: Callable[[], None]) -> None:
    """Register the pump and every action of the registry with a Celery app."""
    app.register_task(
        type("UmbelPump", (PumpTask,), {"serve": staticmethod(serve), "__module__": __name__})()
    )
    for action in registry.actions:
        app.register_task(_task_of(action, ingress))


def _task_of(action: Action, ingress: Ingress) -> Task:
    fields: dict[str, Any] = {
        "name": action.name,
        "queue": action.queue,
        "ingress": ingress,
        "parameters": tuple(action.params.model_fields),
        "__doc__": action.description,
        "__module__": __name__,
    }
    return type(f"Action_{action.name}", (ActionTask,), fields)()
