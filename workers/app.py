"""create_app(settings): the Celery app, which is all that Celery is to us.

Worker processes, routing by queue, the nudge, remote control and events for Flower. No retries, countdowns, chords or
results of Celery: the store is the one truth.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Final

from celery import Celery, concurrency, signals
from celery.concurrency import prefork

from actions.errors import ConfigError
from actions.registry import Registry
from orchestrator.addresses import tls_of, without_tls
from workers import control, tasks, transport
from workers.child import Child, Lifeline
from workers.kickstart import Kickstart
from workers.steward import Steward

if TYPE_CHECKING:
    from orchestrator.settings import Settings

_NOISY: Final = ("celery.worker.strategy", "celery.app.trace")
"""Loggers that would write a line for each nudge."""


class Worker:
    """What one worker holds: in the parent the steward, in each process of its pool a child."""

    def __init__(self, app: Celery, settings: Settings, registry: Registry) -> None:
        """Prepare; the process that this becomes is decided by Celery's signals."""
        self._app = app
        self._settings = settings
        self._registry = registry
        self._lifeline: Lifeline | None = None
        self._child: Child | None = None
        self.steward = Steward(app, settings, registry)
        self.hostname = "umbel"

    def connect_signals(self) -> None:
        """Hear from Celery when this process becomes a worker's parent, or one of its children."""
        signals.worker_init.connect(self._on_init, weak=False)
        signals.worker_process_init.connect(self._on_process_init, weak=False)
        signals.worker_process_shutdown.connect(self._on_process_shutdown, weak=False)
        signals.worker_ready.connect(self._on_ready, weak=False)
        signals.worker_shutting_down.connect(self._on_shutting_down, weak=False)

    def _on_init(self, sender: Any = None, **_: Any) -> None:
        _refuse_other_pools(sender.pool_cls)
        self.hostname = sender.hostname
        self._lifeline = Lifeline()
        for name in _NOISY:
            logging.getLogger(name).setLevel(logging.WARNING)

    def _on_process_init(self, **_: Any) -> None:
        if self._lifeline is not None:
            self._lifeline.cut()

    def _on_ready(self, sender: Any = None, **_: Any) -> None:
        control.install(self.steward)
        self.steward.start(self._queues(), Kickstart(self._app, sender))

    def _on_process_shutdown(self, **_: Any) -> None:
        if self._child is not None:
            self._child.close()

    def _on_shutting_down(self, **_: Any) -> None:
        if self._lifeline is not None:
            self._lifeline.cut()

    def _queues(self) -> tuple[str, ...]:
        return tuple(self._app.amqp.queues.consume_from)

    def serve(self) -> None:
        """Run the pump of this process; its parts are made at the first nudge and kept."""
        if self._child is None:
            self._child = Child(
                self._app,
                self._settings,
                self._registry,
                worker=self.hostname,
                queues=self._queues(),
                lifeline=self._lifeline,
            )
        self._child.pump()


def create_app(settings: Settings) -> Celery:
    """The Celery app of these settings, with every action registered under its name.

    Raises:
        ConfigError: a module of `UMBEL_ACTIONS` cannot be used, or no Redis is named.
    """
    transport.install()
    registry = Registry.from_modules(settings.actions)
    app = Celery("umbel", broker=without_tls(settings.store_url), set_as_current=False)
    app.conf.update(_config(settings))
    worker = Worker(app, settings, registry)
    tasks.register(app, registry, worker.steward, worker.serve)
    worker.connect_signals()
    return app


def _refuse_other_pools(pool: Any) -> None:
    """End the worker, before it takes anything, if it was started with a pool in which a pump cannot live.

    A pump keeps its process, its loop and its thread for itself, and is killed with them when it hangs.
    """
    if issubclass(concurrency.get_implementation(pool), prefork.TaskPool):
        return
    sys.stderr.write("umbel: only Celery's prefork pool runs actions; leave -P (--pool) out\n")
    sys.exit(ConfigError.exit_code)


def _config(settings: Settings) -> dict[str, Any]:
    """Celery's settings, each for a reason that was measured or read in its source."""
    tls = tls_of(settings.store_url)
    return {
        "broker_use_ssl": tls.for_celery() if tls else False,  # for rediss:// alone kombu verifies nothing
        "task_default_queue": "actions",
        "task_create_missing_queues": True,
        "task_ignore_result": True,
        "task_acks_late": False,  # nothing unacked: a restart of Redis cannot end the worker (kombu's restore)
        "worker_send_task_events": settings.events,
        "worker_concurrency": settings.concurrency,
        "worker_hijack_root_logger": True,
        "worker_cancel_long_running_tasks_on_connection_loss": False,  # the pump goes on and squares it later
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # for ever; the default gives up after 100 and exits
        "broker_pool_limit": 10,
        "broker_transport_options": {
            "global_keyprefix": settings.celery_prefix,
            "ack_emulation": False,  # one Redis command for a message instead of nine: the store is the truth
            "socket_timeout": 5,
            "socket_connect_timeout": 2,
            "socket_keepalive": True,
            "max_connections": 50,
        },
        "worker_enable_remote_control": True,
        "control_queue_ttl": 60.0,
        "control_queue_expires": 60.0,
        "event_queue_ttl": 10.0,
        "event_queue_expires": 60.0,
        "worker_enable_prefetch_count_reduction": False,
    }
