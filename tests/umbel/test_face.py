"""`Umbel(url)`: a service in the same trust zone hands work straight to the store, in one round trip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from actions.definition import action
from actions.errors import ConfigError
from actions.registry import Registry
from faults.link import Link
from orchestrator.submission import Submission
from umbel import Umbel

if TYPE_CHECKING:
    from orchestrator.settings import Settings


@action("ADD")
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


class Counting(Link):
    """Counts the trips: how often something was sent after an answer had come."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.trips = 0
        self._answered = True

    async def _pass(self, pair: Any, source: Any, sink: Any, *, is_request: bool) -> None:
        while data := await source.read(65_536):
            if is_request and self._answered:
                self.trips += 1
            self._answered = not is_request
            sink.write(data)
        pair.close()


async def test_a_submission_is_one_round_trip_and_so_are_five_hundred(settings: Settings, monkeypatch):
    monkeypatch.setenv("UMBEL_NAMESPACE", settings.namespace)
    address = urlsplit(settings.store_url)
    async with Counting(address.port or 0) as link:
        host = address.netloc.replace(f":{address.port}", f":{link.port}")
        async with Umbel(address._replace(netloc=host).geturl(), Registry([add])) as umbel:
            await umbel.submit(
                "ADD", {"a": 1, "b": 2}
            )  # opens the connection; the scripts may be unknown yet
            before = link.trips
            run = await umbel.submit("ADD", {"a": 1, "b": 2}, key="mine")
            assert link.trips - before == 1
            again = await umbel.submit("ADD", {"a": 1, "b": 2}, key="mine")
            assert (again, link.trips - before) == (run, 2)
            batch = [Submission("ADD", {"a": n, "b": n}) for n in range(500)]
            assert len(set(await umbel.submit_all(batch))) == 500
            assert link.trips - before == 3
    async with Umbel(settings, Registry([add])) as umbel:
        assert (await umbel.read(run)).run == run


@pytest.mark.parametrize("url", ["", " ", "http://127.0.0.1", "127.0.0.1:6379", "redis://"])
def test_what_is_no_url_of_a_redis_is_refused(url):
    with pytest.raises(ConfigError):
        Umbel(url)


def test_the_password_of_the_url_is_in_no_error_and_no_repr():
    with pytest.raises(ConfigError) as caught:
        Umbel("redis://:hunter2@127.0.0.1:6379/x")
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(vars(Umbel("redis://:hunter2@127.0.0.1:6379/0", Registry(()))))
