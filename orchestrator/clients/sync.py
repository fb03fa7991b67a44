"""`Client`: submit work to a service, wait for it, watch it, decide about it.

In: the address of a service and a key. Out: methods whose results have types and whose errors mirror the service's
problems. What they are stands beside this file; here it is only sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar

from orchestrator.clients import conversations, decisions, failures, house, submissions, talks
from orchestrator.clients.core import RETRIES, TIMEOUT, Core, Talk
from orchestrator.clients.following import Following
from orchestrator.clients.methods import as_method
from orchestrator.clients.paging import Paging
from orchestrator.clients.requests import Request

if TYPE_CHECKING:
    import httpx
    from pydantic import SecretStr

    from actions.policy import Retry
    from orchestrator.clients.events import Event
    from orchestrator.clients.requests import Length

P = ParamSpec("P")
T = TypeVar("T")


def _sends(build: Callable[P, Request[T]]) -> Callable[Concatenate[Client, P], T]:
    def method(self: Client, /, *args: P.args, **given: P.kwargs) -> T:
        return self._talk(self._core.sending(build(*args, **given)))

    return as_method(method, build)


def _talks(build: Callable[Concatenate[Core, P], Talk[T]]) -> Callable[Concatenate[Client, P], T]:
    def method(self: Client, /, *args: P.args, **given: P.kwargs) -> T:
        return self._talk(build(self._core, *args, **given))

    return as_method(method, build)


def _pages(build: Callable[P, Paging[T]]) -> Callable[Concatenate[Client, P], Iterator[T]]:
    def method(self: Client, /, *args: P.args, **given: P.kwargs) -> Iterator[T]:
        return self._walk(build(*args, **given))

    return as_method(method, build, "Iterator[{}]")


def _follows(
    build: Callable[Concatenate[Core, P], Following],
) -> Callable[Concatenate[Client, P], Generator[Event]]:
    def method(self: Client, /, *args: P.args, **given: P.kwargs) -> Generator[Event]:
        return self._follow(build(self._core, *args, **given))

    return as_method(method, build, "Generator[Event]")


class Client:
    """`with Client() as client:` - submit work over HTTP, wait for it, watch it, decide about it.

    It may be used by several threads at once. `AsyncClient` is the same for asyncio.
    """

    submit = _sends(submissions.submit)
    submit_all = _sends(submissions.submit_all)
    call = _talks(talks.call)
    wait = _talks(talks.wait)
    run = _sends(submissions.run)
    runs = _pages(submissions.runs)

    cancel = _sends(decisions.cancel)
    interrupt = _sends(decisions.interrupt)
    approve = _sends(decisions.approve)
    deny = _sends(decisions.deny)
    approvals = _pages(decisions.approvals)
    replay = _sends(decisions.replay)

    open_conversation = _sends(conversations.open_conversation)
    conversation = _sends(conversations.conversation)
    forget = _sends(conversations.forget)
    messages = _pages(conversations.messages)
    state = _sends(conversations.state)
    context = _sends(conversations.context)
    turns = _pages(conversations.turns)
    say = _sends(conversations.say)
    post_reply = _sends(conversations.post_reply)
    turn = _sends(conversations.turn)
    rounds = _sends(conversations.rounds)
    wait_for_turn = _talks(talks.wait_for_turn)
    events = _follows(talks.events)

    actions = _sends(house.actions)
    action = _sends(house.action)
    tools = _sends(house.tools)
    limits = _sends(house.limits)
    set_limit = _sends(house.set_limit)
    unset_limit = _sends(house.unset_limit)
    queues = _sends(house.queues)

    dead = _pages(failures.dead)
    dead_one = _sends(failures.dead_one)
    edit_dead = _sends(failures.edit_dead)
    discard = _sends(failures.discard)
    replay_dead = _sends(failures.replay_dead)
    discard_dead = _sends(failures.discard_dead)
    undos = _pages(failures.undos)
    retry_undo = _sends(failures.retry_undo)

    def __init__(
        self,
        base_url: str | None = None,
        key: str | SecretStr | None = None,
        *,
        timeout: Length = TIMEOUT,
        retries: Retry | int = RETRIES,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Prepare; nothing is opened before the first request, and connections are kept for the next.

        Args:
            base_url: where the service is; `UMBEL_API_URL` if None.
            key: an API key, `umb_…`; `UMBEL_API_KEY` if None. Over plain http to another machine it can be read on
                the way: a `PlainHttpWarning` says so.
            timeout: how long a request and all of its answer may take, beyond what was asked to be waited. How long
                you wait for an end is `timeout_s` of the methods that wait; it has nothing to do with this.
            retries: how often a request is sent again that got no answer, or that the service could not answer now.
            transport: httpx's, for special ways to the service.

        Raises:
            ConfigError: no service is named, or the URL or the key cannot be used.
        """
        import httpx

        from orchestrator.clients.answers import read
        from orchestrator.clients.errors import ApiError

        self._core = Core(base_url, key, timeout=timeout, retries=retries)
        self._read = read
        self._failures, self._refusals = httpx.RequestError, ApiError
        self._http = httpx.Client(transport=transport, **self._core.options())

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        """Nothing to wait for."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def __repr__(self) -> str:
        """Where it leads; never the key."""
        return f"{type(self).__name__}({self._core.base_url!r})"

    def _talk(self, talk: Talk[T]) -> T:
        heard: Any = None
        while True:
            try:
                step = talk.send(heard)
            except StopIteration as end:
                value: T = end.value
                return value
            except self._refusals as error:
                self._core.mask.error(error)
                raise
            if isinstance(step, float):
                time.sleep(step)
                heard = None
                continue
            until = time.monotonic() + self._core.whole_s(step)
            try:
                with self._http.stream(**self._core.sent(step)) as answer:
                    heard = self._read(answer, until)
            except self._failures as error:
                heard = error
            except self._refusals as error:
                self._core.mask.error(error)
                raise

    def _walk(self, paging: Paging[T]) -> Iterator[T]:
        while paging.next is not None:
            yield from paging.take(self._talk(self._core.sending(paging.next)))

    def _follow(self, following: Following) -> Generator[Event]:
        while following.goes_on():
            lost: Exception | None = None
            until = time.monotonic() + self._core.timeout_s
            try:
                with self._http.stream(**self._core.sent(following.request())) as answer:
                    is_stream = answer.status_code == following.STREAM
                    if following.opened(answer if is_stream else self._read(answer, until)):
                        for piece in answer.iter_raw():
                            yield from following.feed(piece)
                            if not following.goes_on():
                                break
            except self._failures as error:
                lost = error
            except self._refusals as error:
                self._core.mask.error(error)
                raise
            time.sleep(following.dropped(lost))
