"""`AsyncClient`: `Client` for asyncio. Both have the same methods, made of the same functions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
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


def _sends(build: Callable[P, Request[T]]) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, T]]:
    async def method(self: AsyncClient, /, *args: P.args, **given: P.kwargs) -> T:
        return await self._talk(self._core.sending(build(*args, **given)))

    return as_method(method, build)


def _talks(
    build: Callable[Concatenate[Core, P], Talk[T]],
) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, T]]:
    async def method(self: AsyncClient, /, *args: P.args, **given: P.kwargs) -> T:
        return await self._talk(build(self._core, *args, **given))

    return as_method(method, build)


def _pages(build: Callable[P, Paging[T]]) -> Callable[Concatenate[AsyncClient, P], AsyncIterator[T]]:
    def method(self: AsyncClient, /, *args: P.args, **given: P.kwargs) -> AsyncIterator[T]:
        return self._walk(build(*args, **given))

    return as_method(method, build, "AsyncIterator[{}]")


def _follows(
    build: Callable[Concatenate[Core, P], Following],
) -> Callable[Concatenate[AsyncClient, P], AsyncGenerator[Event]]:
    def method(self: AsyncClient, /, *args: P.args, **given: P.kwargs) -> AsyncGenerator[Event]:
        return self._follow(build(self._core, *args, **given))

    return as_method(method, build, "AsyncGenerator[Event]")


class AsyncClient:
    """`async with AsyncClient() as client:` - submit work over HTTP, wait for it, watch it, decide about it.

    For one event loop. `Client` is the same without asyncio.
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
        transport: httpx.AsyncBaseTransport | None = None,
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

        from orchestrator.clients.answers import aread, too_slow
        from orchestrator.clients.errors import ApiError

        self._core = Core(base_url, key, timeout=timeout, retries=retries)
        self._read = aread
        self._too_slow = too_slow
        self._failures, self._refusals = httpx.RequestError, ApiError
        self._http = httpx.AsyncClient(transport=transport, **self._core.options())

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        """Nothing to wait for."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self.close()

    def __repr__(self) -> str:
        """Where it leads; never the key."""
        return f"{type(self).__name__}({self._core.base_url!r})"

    async def _talk(self, talk: Talk[T]) -> T:
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
                await asyncio.sleep(step)
                heard = None
                continue
            try:
                async with (
                    self._bounded(self._core.whole_s(step)),
                    self._http.stream(**self._core.sent(step)) as answer,
                ):
                    heard = await self._read(answer)
            except self._failures as error:
                heard = error
            except self._refusals as error:
                self._core.mask.error(error)
                raise

    @asynccontextmanager
    async def _bounded(self, seconds: float) -> AsyncGenerator[None]:
        """So long for what is done in it; then it fails as a slow answer does."""
        bound = asyncio.timeout(seconds)
        try:
            async with bound:
                yield
        except TimeoutError:
            if not bound.expired():
                raise
            raise self._too_slow() from None

    async def _walk(self, paging: Paging[T]) -> AsyncIterator[T]:
        while paging.next is not None:
            page = await self._talk(self._core.sending(paging.next))
            for each in paging.take(page):
                yield each

    async def _follow(self, following: Following) -> AsyncGenerator[Event]:
        while following.goes_on():
            lost: Exception | None = None
            try:
                async with aclosing(self._pieces(following)) as pieces:
                    async for piece in pieces:
                        for event in following.feed(piece):
                            yield event
                        if not following.goes_on():
                            break
            except self._failures as error:
                lost = error
            except self._refusals as error:
                self._core.mask.error(error)
                raise
            await asyncio.sleep(following.dropped(lost))

    async def _pieces(self, following: Following) -> AsyncGenerator[bytes]:
        """What comes over one connection; it is opened, or its refusal read, within a bound."""
        whole, sent = self._core.timeout_s, self._core.sent(following.request())
        async with self._bounded(whole):
            answer = await self._http.send(self._http.build_request(**sent), stream=True)
        async with aclosing(answer):
            is_stream = answer.status_code == following.STREAM
            if not is_stream:
                async with self._bounded(whole):
                    answer = await self._read(answer)
            if following.opened(answer):
                async for piece in answer.aiter_raw():
                    yield piece
