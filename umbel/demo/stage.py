"""Everything the demo runs on: a home folder in, a running stage out; all of it ends with the `with` block.

A run has a folder of its own in the home (data, logs), and a namespace and Celery prefix of its own, so that
it disturbs nothing: not another demo, not an installation that shares the same Redis.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

import httpx
from pydantic import SecretStr

from actions.errors import ConfigError, OperatorError
from orchestrator.settings import Settings
from orchestrator.store.store import Store
from umbel import preflight, starting
from umbel.demo.exchange import Exchange
from umbel.demo.model import ScriptedModel
from umbel.demo.script import Script
from umbel.supervisor import EmbeddedRedis, Process
from umbel.supervisor.ports import free_port

WORKERS: Final = ("one", "two")
QUEUES: Final = ("actions", "trading", starting.TURNS)
ACTIONS: Final = ("actions.builtin.coach", "actions.builtin.trading")

_READY_WITHIN: Final = timedelta(seconds=30)
_GRACE: Final = timedelta(seconds=6)
_KEPT: Final = 5
_TTL: Final = timedelta(hours=1)

Tell = Callable[[str], None]
"""Told one short text for each thing that is ready."""


@dataclass(slots=True)
class FlowerPage:
    """Where Flower is."""

    url: str
    """Its address on the loopback interface."""
    login: tuple[str, str]
    """User and password."""


class Stage:
    """Valkey, the exchange, the model, two workers and Flower; a context manager."""

    def __init__(self, settings: Settings, scripts: Mapping[str, Script], tell: Tell) -> None:
        """Describe it; `settings` say where the home folder is and whether a Redis is given."""
        self._given = settings
        self._scripts = scripts
        self._tell = tell
        self._ends = contextlib.ExitStack()
        self._began = time.monotonic()
        self.folder = settings.home / "demo" / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
        """The folder of this run."""
        self.logs = self.folder / "logs"
        """Where the logs are."""
        self.exchange = Exchange()
        """The exchange."""
        self.workers: dict[str, Process] = {}
        """The workers' processes by the names that Celery gives them."""
        self.flower = FlowerPage(f"http://127.0.0.1:{free_port()}", ("demo", secrets.token_urlsafe(9)))
        """Flower, once it runs."""
        self.settings = settings
        """With what all of it was started; complete after `__enter__`."""

    def __enter__(self) -> Self:
        """Start everything at once and wait until all of it is ready.

        Raises:
            OperatorError: something does not start; the message says what, and names its log.
        """
        with contextlib.ExitStack() as ends:
            self._prepare_folder()
            ends.callback(self._tidy)
            self.settings = self._complete(ends)
            self._wait(self._start(ends))
            self._ends = ends.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything, the last started first; the logs stay, the data goes."""
        self._ends.close()

    def _tidy(self) -> None:
        """Remove the data, and the logs of all but the last runs."""
        shutil.rmtree(self.folder / "redis", ignore_errors=True)
        for old in sorted(self.folder.parent.iterdir())[:-_KEPT]:
            shutil.rmtree(old, ignore_errors=True)

    def kill(self, worker: str) -> None:
        """Kill a worker, SIGKILL to its whole process group; nothing replaces it."""
        self.workers[worker].kill()

    def _prepare_folder(self) -> None:
        try:
            self.logs.mkdir(parents=True, mode=0o700)
        except OSError as error:
            raise ConfigError(
                f"the home folder cannot be written: {error.strerror}",
                where=str(self.folder),
                fix="Set UMBEL_HOME to a folder of your own",
            ) from None

    def _complete(self, ends: contextlib.ExitStack) -> Settings:
        """The settings of this run: Redis and both servers run."""
        tag = f"demo_{secrets.token_hex(4)}"
        if self._given.is_embedded:
            url = SecretStr(ends.enter_context(EmbeddedRedis(self.folder)).url)
            self._note("Valkey")
        else:
            preflight.check_server(self._given)
            url = SecretStr(self._given.store_url)
            ends.callback(_sweep, url, tag)
        ends.enter_context(self.exchange)
        model = ends.enter_context(ScriptedModel(self._scripts))
        return Settings(
            redis_url=url,
            home=self.folder,
            actions=ACTIONS,
            namespace=tag,
            celery_prefix=f"{tag}:",
            concurrency=1,
            model_url=model.url,
            exchange_url=self.exchange.url,
            run_ttl=_TTL,
            conversation_ttl=_TTL,
        )

    def _start(self, ends: contextlib.ExitStack) -> list[starting.Sign]:
        """Start the processes, all before any is ready; signs of the workers."""
        started: list[Process] = []
        ends.callback(_stop_all, started)
        port = int(self.flower.url.rpartition(":")[2])
        flower = self._process(
            "flower", starting.flower_command(port), starting.flower_login(":".join(self.flower.login))
        )
        workers = [
            self._process(
                name, starting.worker_command(self.settings, name=name, queues=QUEUES, concurrency=1)
            )
            for name in WORKERS
        ]
        signs = [starting.Sign(worker) for worker in workers]
        # One by one, so that those which run are stopped when a later one cannot be started.
        started.extend(process.start() for process in (*workers, flower))
        self._flower_process = flower
        return signs

    def _process(self, name: str, command: list[str], more: Mapping[str, str] | None = None) -> Process:
        return Process(
            name,
            command,
            log=self.logs / f"{name}.log",
            env=starting.environment(self.settings, more),
            cwd=self.folder,
            grace=_GRACE,
        )

    def _wait(self, signs: list[starting.Sign]) -> None:
        starting.wait_until_ready(signs, _READY_WITHIN)
        self.workers = {node: sign.process for sign in signs if (node := sign.node())}
        self._note("workers " + " and ".join(sorted(self.workers)))
        self._flower_process.wait_until(lambda: _answers(f"{self.flower.url}/healthcheck"), _READY_WITHIN)
        self._note("Flower")

    def _note(self, what: str) -> None:
        self._tell(f"{what} ({time.monotonic() - self._began:.1f} s)")


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1.0).is_success
    except httpx.HTTPError:
        return False


def _stop_all(processes: list[Process]) -> None:
    """Ask all of them to stop, then wait for each: together they take as long as the slowest."""
    for process in processes:
        process.terminate()
    for process in processes:
        process.stop()


def _sweep(url: SecretStr, tag: str) -> None:
    """On a Redis that is not ours leave nothing behind; everything of this run begins with its tag."""

    async def sweep() -> None:
        store = Store(Settings(redis_url=url))
        try:
            async for key in store.connection.redis.scan_iter(match=f"{tag}*", count=500):
                await store.connection.guard(store.connection.redis.delete(key))
        finally:
            await store.close()

    with contextlib.suppress(OperatorError):
        asyncio.run(sweep())
