"""`ctx.http`: one httpx client for a process, so that connections are kept and limits are shared.

Connections are all that requests share: the runs of every tenant use this client, so no cookie is kept. `RunHttp` is
the same client as one run sees it: no request takes longer than the run has left, and a 429 is heard by all.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final

import httpx

from actions.services import HttpResponse
from orchestrator.retry_after import retry_after

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from actions.services import Http

DEFAULT_TIMEOUT: Final = 10.0
"""Seconds for each wait of a request (for a connection, for the next bytes), unless the caller says otherwise; the
action's own timeout is the outer bound."""
BODY_LIMIT: Final = 10 * 1024 * 1024
"""Bytes of an answer's body, unpacked; a longer one is an error, since all runs of a process share its memory."""


class HttpxHttp:
    """`actions.services.Http` over httpx; answers of any status are values, no answer is an OSError."""

    def __init__(
        self, *, timeout: float = DEFAULT_TIMEOUT, connections: int = 200, body_limit: int = BODY_LIMIT
    ) -> None:
        """Prepare; connections are opened when they are needed, at most `connections` at the same time."""
        self._timeout = timeout
        self._body_limit = body_limit
        self._client = httpx.AsyncClient(
            limits=httpx.Limits(max_connections=connections),
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        )

    async def request(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> HttpResponse:
        """Send one request and return the answer, whatever its status.

        Raises:
            TimeoutError: no answer in time, or no connection was free in time.
            ConnectionError: no connection, or it broke.
            OSError: the answer's body is too large.
        """
        asked = f"{method} {httpx.URL(url).host}"
        wait = timeout or self._timeout
        try:
            async with self._client.stream(
                method, url, json=json, headers=headers, params=params, timeout=wait
            ) as answer:
                text = await self._text(asked, answer)
        except httpx.PoolTimeout as error:
            raise TimeoutError(f"{asked}: no free connection in time") from error
        except httpx.TimeoutException as error:
            raise TimeoutError(f"{asked}: no answer in time") from error
        except httpx.HTTPError as error:
            raise ConnectionError(f"{asked}: {type(error).__name__}") from error
        return HttpResponse(answer.status_code, dict(answer.headers), text)

    async def _text(self, asked: str, answer: httpx.Response) -> str:
        body = bytearray()
        async for piece in answer.aiter_bytes():
            body += piece
            if len(body) > self._body_limit:
                raise OSError(f"{asked}: the answer is larger than {self._body_limit} bytes")
        return body.decode(answer.encoding or "utf-8", errors="replace")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


class RunHttp:
    """`actions.services.Http` for one run, over the client of its process."""

    __slots__ = ("_cool", "_inner", "_remaining", "_trace")

    def __init__(
        self,
        inner: Http,
        remaining: Callable[[], float | None],
        cool: Callable[[float], Awaitable[None]],
        trace: str = "",
    ) -> None:
        """Use `inner`; `remaining` gives the seconds that the run has left, `cool` hears for how long a 429 asks.

        `trace` is the trace context of the run, sent along as `traceparent` where the handler sends none of its own.
        """
        self._trace = trace
        self._inner = inner
        self._remaining = remaining
        self._cool = cool

    async def request(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> HttpResponse:
        """Send one request within the time that is left, and return the answer, whatever its status.

        A 429 with `Retry-After` is an answer like any other, but the run's rate limits cool for so long before the
        handler sees it: other runs do not have to find out one by one.

        Raises:
            OSError: there is no answer, as of the client behind it; TimeoutError if no time is left.
        """
        left = self._remaining()
        if left is not None:
            if left <= 0:
                raise TimeoutError(f"{method} {httpx.URL(url).host}: the run has no time left")
            timeout = min(timeout or DEFAULT_TIMEOUT, left)
        limit = asyncio.timeout(
            left
        )  # what the client is given bounds each wait, and an answer may come in drops
        if self._trace and not any(name.lower() == "traceparent" for name in headers or ()):
            headers = {**(headers or {}), "traceparent": self._trace}
        try:
            async with limit:
                answer = await self._inner.request(
                    method, url, json=json, headers=headers, params=params, timeout=timeout
                )
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise TimeoutError(f"{method} {httpx.URL(url).host}: the run has no time left") from error
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            seconds = retry_after(answer.headers)
            if seconds:
                await self._cool(seconds)
        return answer
